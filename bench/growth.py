"""What must not grow: a chart's wait with the age of a store, a sample's cost with the fleet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from client import percentile
from past import Past, Reader, blocks
from reads import ASKED, METRICS, Question, ask_in_turns, read_from
from rounds import Shape, load, spread
from sides import KINDS, start_hostpulse
from storages import SETTLE_SECONDS, make_fresh, now_ms
from table import Result, Target, table
from workload import STEP_MS as REPORT_MS
from workload import Fleet, fifty_fields

MAX_READ_RATIO = 1.5
MAX_INGEST_RATIO = 1.2
FEW, MANY = 10, 1000
_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
_RAW_DAYS = 9  # a day more than file: keeps samples as they came
_CHART = Question("24 h", _DAY_MS, 5 * _MINUTE_MS)
_STEP_MS = 10  # so that 1000 ticks of few servers are no older than 10 s
_POSTS_AT_ONCE = 360  # of the years gone by, to one append


def measure(quick: bool) -> Result:
    """Ask a young store and an old one for a day; load a small fleet and a large one."""
    result = Result("Cost does not grow")
    _ask_young_and_old(result, 30 if quick else 365)
    _load_few_and_many(result, quick)
    return result


def _ask_young_and_old(result: Result, days: int) -> None:
    end_ms = now_ms() // _CHART.step_ms * _CHART.step_ms
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hostpulse-bench-")))
        fleet = Fleet(end_ms - _RAW_DAYS * _DAY_MS - REPORT_MS, 1, all_fields=fifty_fields())
        young, old = root / "young", root / "old"
        _write(fleet, end_ms, young, old, days)
        (newest,) = fleet.whole_ticks(1)
        names = {"1 day": young, f"{days} days": old}
        readings = [
            read_from(stack, name, "file:", folder, newest.report) for name, folder in names.items()
        ]
        waits = ask_in_turns(readings, _CHART, fleet.hostnames, end_ms)
    rows = [
        [f"file: with {name}", *(f"{percentile(found, percent):.2f}" for percent in (50, 95))]
        for name, found in waits.items()
    ]
    result.parts.append(table([f"chart of {_CHART.name}, ms", "p50", "p95"], rows))
    result.parts.append(
        f"{ASKED} questions each, in turns, about {len(METRICS)} metrics of one server with "
        f"{len(fleet.fields)} numbers; {_CHART.length_ms // _CHART.step_ms} points. The old store "
        f"has a sample every {REPORT_MS // 1000} s of the newest {_RAW_DAYS} days, and one a "
        "minute of the days before, of which it keeps roll-ups."
    )
    one, two = (percentile(found, 50) for found in waits.values())
    name = f"a chart of {_CHART.name} with {days} days beside one with 1 day"
    result.targets.append(Target(name, two / one, MAX_READ_RATIO))


def _write(fleet: Fleet, end_ms: int, young: Path, old: Path, days: int) -> None:
    reader = Reader()
    with ExitStack() as stack:
        fresh_ms = fleet.now_ms + REPORT_MS
        aged = Past("file:", old, fresh_ms - (days - _RAW_DAYS) * _DAY_MS)
        stack.callback(aged.close)
        for bodies in _old_days(aged.now_ms, fresh_ms):
            aged.take(reader.read(bodies))
        newborn = Past("file:", young, end_ms - _DAY_MS)
        stack.callback(newborn.close)
        for ticks in blocks(fleet, end_ms - REPORT_MS):
            samples = reader.read(tick.report for tick in ticks)
            aged.take(samples)
            if recent := [one for one in samples if one.time_ms >= end_ms - _DAY_MS]:
                newborn.take(recent)


def _old_days(start_ms: int, end_ms: int) -> Iterator[list[bytes]]:
    """Yield reports, one a minute; every day is the same day at another date."""
    midnight_ms = start_ms // _DAY_MS * _DAY_MS
    fleet = Fleet(midnight_ms - _MINUTE_MS, 1, _MINUTE_MS, fifty_fields())
    day = [tick.report for tick in fleet.whole_ticks(_DAY_MS // _MINUTE_MS)]
    recorded = _date(midnight_ms)
    for date_ms in range(midnight_ms, end_ms // _DAY_MS * _DAY_MS, _DAY_MS):
        for first in range(0, len(day), _POSTS_AT_ONCE):
            bodies = day[first : first + _POSTS_AT_ONCE]
            yield [body.replace(recorded, _date(date_ms), 1) for body in bodies]


def _date(time_ms: int) -> bytes:
    return f'"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d}T'.encode()


def _load_few_and_many(result: Result, quick: bool) -> None:
    shape = Shape("one sample a request, 8 connections", 1, 8, 3000 if quick else 10_000)
    rounds = 2 if quick else 3
    rows = []
    for name in KINDS:
        costs = _costs(name, shape, rounds)
        grown = median(many / few for few, many in zip(*costs.values(), strict=True))
        rows.append([name, *(spread(found, 1) for found in costs.values()), f"{grown:.2f}"])
        title = f"CPU of {name} for a sample with {MANY} servers beside {FEW}"
        result.targets.append(Target(title, grown, MAX_INGEST_RATIO))
    head = ["CPU per sample, µs", *(f"{count} servers" for count in (FEW, MANY)), "ratio"]
    result.parts.append(table(head, rows))
    result.parts.append(
        f"{shape.name}; median (least to most) of {rounds} rounds in turns of {shape.requests} "
        f"samples, engine and the {SETTLE_SECONDS:g} s after each load included; ratio: median of "
        "the rounds' ratios. Once a second the newest report of each server that reported goes to "
        "the registry: many samples of few servers share that here, in a real fleet hardly any do."
    )


def _costs(name: str, shape: Shape, rounds: int) -> dict[int, list[float]]:
    """Return the µs per sample of each round, with few servers and with many."""
    costs: dict[int, list[float]] = {FEW: [], MANY: []}
    with ExitStack() as stack:
        sides = {count: start_hostpulse(stack, name) for count in costs}
        fleets = {
            count: Fleet(now_ms() - _MINUTE_MS, count, _STEP_MS, fifty_fields()) for count in costs
        }
        for count, side in sides.items():
            load(side, fleets[count].batches(MANY, 1), shape, SETTLE_SECONDS)
        for _ in range(rounds):
            for count, side in sides.items():
                batches = make_fresh(fleets[count], 1, shape)
                costs[count].append(load(side, batches, shape, SETTLE_SECONDS).server_us)
    return costs
