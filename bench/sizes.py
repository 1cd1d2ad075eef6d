"""How many bytes a value takes once its day is over, and what it costs to get there."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import peers
from past import Past, Reader, blocks
from sides import FILE, KINDS, MEMORY, VICTORIA_METRICS
from table import Result, Target, table
from workload import STEP_MS, Fleet, fifty_fields

_DAY_MS = 86_400_000
TIERS = ("raw", "1m", "1h")
MAX_RAW_RATIO = 1.1
MAX_ROLLUP_BYTES = 0.5


def measure(quick: bool) -> Result:
    """Write yesterday to each storage and to VictoriaMetrics, and let it be sealed."""
    end_ms = time.time_ns() // 1_000_000 // _DAY_MS * _DAY_MS
    fleet = Fleet(end_ms - _DAY_MS - STEP_MS, 2 if quick else 10, all_fields=fifty_fields())
    names = [name for name in KINDS if name != MEMORY]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hostpulse-bench-")))
        pasts = {name: Past(KINDS[name].open(stack)[0], folder, fleet.now_ms) for name in names}
        for past in pasts.values():
            stack.callback(past.close)
        program, port = peers.start_victoria_metrics()
        stack.enter_context(program)
        _write(fleet, end_ms, list(pasts.values()), port)
        values = fleet.samples_made * len(fleet.fields)
        for past in pasts.values():
            _let_it_seal(past, end_ms)
            for host in fleet.hostnames:
                past.check_kept(host, end_ms - _DAY_MS, end_ms, _DAY_MS // STEP_MS)
        theirs = peers.victoria_metrics_bytes(program, port, values) / values
        sizes = {name: past.sizes() for name, past in pasts.items()} | {FILE: _sealed(folder)}
    rows = []
    for name, past in pasts.items():
        found = [f"{sizes[name][tier] / values:.2f}" for tier in TIERS]
        rows.append([name, *found, f"{past.seconds_of_upkeep / values * 1e6:.2f}"])
    rows.append([VICTORIA_METRICS, f"{theirs:.2f}", "", "", ""])
    result = Result("Sizes: bytes per value of a day that is over")
    head = ["", "raw", "1m per raw value", "1h per raw value", "upkeep CPU µs per value"]
    result.parts.append(table(head, rows))
    result.parts.append(
        f"{len(fleet.hostnames)} servers, {len(fleet.fields)} numbers each every "
        f"{STEP_MS // 1000} s, written in blocks of half an hour by a clock that ran with them; "
        "upkeep is the CPU of this process for sealing and rolling up. Hostpulse's own sums over "
        "disks and interfaces are in the bytes, not in the values. VictoriaMetrics: the data "
        "folder without its index, after a forced flush and merge."
    )
    raw, minute, hour = (sizes[FILE][tier] for tier in TIERS)
    name = "raw values of a sealed day of file: beside VictoriaMetrics"
    result.targets.append(Target(name, raw / values / theirs, MAX_RAW_RATIO))
    per_value = (minute + hour) / values
    result.targets.append(
        Target("roll-ups of file: per raw value", per_value, MAX_ROLLUP_BYTES, "B")
    )
    return result


def _write(fleet: Fleet, end_ms: int, pasts: Sequence[Past], port: int) -> None:
    reader = Reader()
    for ticks in blocks(fleet, end_ms - STEP_MS):
        samples = reader.read(tick.report for tick in ticks)
        for past in pasts:
            past.take(samples)
        peers.write_lines(port, b"".join(tick.lines for tick in ticks))


def _let_it_seal(past: Past, end_ms: int) -> None:
    """Let the first hour of the next day pass: until then late samples may come."""
    for minute in range(5, 65, 5):
        past.pass_until(end_ms + minute * 60_000)


def _sealed(folder: Path) -> dict[str, int]:
    """Return what the sealed files take; the open segment of the journal is no part of the day."""
    return {
        tier: sum(file.stat().st_size for file in folder.rglob(f"{tier}/*.parquet"))
        for tier in TIERS
    }
