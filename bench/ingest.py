"""What taking in a sample costs the server, beside VictoriaMetrics given the same numbers."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import client
import peers
from process import BenchError, Program, start_backend
from slow import SlowSenders
from table import Result, Target, table
from workload import Batch, Fleet

AGENT_GZIP_LEVEL = 1
BEFORE_NOW_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Shape:
    """How samples arrive; `limit` is the ratio to VictoriaMetrics that is judged, if any."""

    name: str
    size: int
    connections: int
    requests: int
    limit: float | None = None
    gzip: bool = False


SHAPES = (
    Shape("single posts, 8 connections", 1, 8, 6000, limit=1.2),
    Shape("single posts, 1 connection", 1, 1, 3000),
    Shape("single gzip posts, 8 connections", 1, 8, 3000, gzip=True),
    Shape("arrays of 10, 8 connections", 10, 8, 1000),
    Shape("arrays of 100, 8 connections", 100, 8, 200, limit=0.6),
)


@dataclass(frozen=True)
class Side:
    """A server under load: how a batch is written for it and what it says it took."""

    name: str
    program: Program
    port: int
    path: str
    body: Callable[[Batch], bytes]
    check: client.Check


@dataclass(frozen=True)
class Cost:
    """One round: CPU per sample in microseconds, and the pace."""

    server_us: float
    client_us: float
    samples_per_second: float


def _ours() -> Side:
    program, port = start_backend()

    def check(status: int, body: bytes) -> int:
        if status != 200:
            raise BenchError(f"Hostpulse answered {status}: {body[:300]!r}")
        answer = json.loads(body)
        if answer["rejected"] or answer["rejected_fields"]:
            raise BenchError(f"Hostpulse refused a part: {body[:300]!r}")
        return int(answer["accepted"])

    return Side("Hostpulse", program, port, "/api/metrics", lambda batch: batch.report, check)


def _victoria_metrics() -> Side:
    program, port = peers.start_victoria_metrics()

    def check(status: int, body: bytes) -> int:
        if status != 204:
            raise BenchError(f"VictoriaMetrics answered {status}: {body[:300]!r}")
        return 0

    path = "/write?precision=ms"
    return Side("VictoriaMetrics", program, port, path, lambda batch: batch.lines, check)


def measure(rounds: int, slow_senders: int, quick: bool) -> Result:
    """Load both in turns and compare."""
    fleet = Fleet(int(time.time() * 1000) - BEFORE_NOW_MS)
    sides: list[Side] = []
    slow: list[SlowSenders] = []
    try:
        for start in (_ours, _victoria_metrics):
            sides.append(start())
            slow.append(SlowSenders(sides[-1].port, sides[-1].path, slow_senders))
        costs = _rounds(sides, fleet, rounds, 4 if quick else 1)
        _check_all_arrived(sides[1], fleet)
        if not all(senders.alive() for senders in slow):
            raise BenchError("the slow senders did not last")
    finally:
        for senders in slow:
            senders.stop()
        for side in sides:
            side.program.stop()
    result = _result(costs)
    result.parts.append(
        f"Median (least to most) of {rounds} rounds in turns; ratio: median of the rounds' ratios. "
        f"{len(fleet.fields)} numbers a sample; {slow_senders} slow senders held open at each."
    )
    return result


Costs = dict[tuple[str, str], list[Cost]]


def _rounds(sides: list[Side], fleet: Fleet, rounds: int, divisor: int) -> Costs:
    costs: Costs = {}
    warm_up = fleet.batches(1000, 1)
    for side in sides:
        _round(side, warm_up, SHAPES[0])
    for number in range(rounds):
        for shape in SHAPES:
            batches = fleet.batches(shape.requests // divisor, shape.size)
            for side in sides if number % 2 == 0 else reversed(sides):
                cost = _round(side, batches, shape)
                costs.setdefault((shape.name, side.name), []).append(cost)
    return costs


def _round(side: Side, batches: list[Batch], shape: Shape) -> Cost:
    requests = [_request(side, batch, shape.gzip) for batch in batches]
    samples = sum(batch.samples for batch in batches)
    before = side.program.cpu_seconds()
    load = client.drive(side.port, requests, shape.connections, side.check)
    server = side.program.cpu_seconds() - before
    if side.name == "Hostpulse" and load.accepted != samples:
        raise BenchError(f"{samples} samples were sent, {load.accepted} accepted")
    per_sample = 1e6 / samples
    return Cost(server * per_sample, load.client_cpu_seconds * per_sample, samples / load.seconds)


def _request(side: Side, batch: Batch, zipped: bool) -> bytes:
    headers = {"Content-Type": "application/json"}
    if not zipped:
        return client.post(side.path, side.body(batch), headers)
    body = gzip.compress(side.body(batch), AGENT_GZIP_LEVEL, mtime=0)
    return client.post(side.path, body, headers | {"Content-Encoding": "gzip"})


def _check_all_arrived(victoria_metrics: Side, fleet: Fleet) -> None:
    wanted = fleet.ticks_made * len(fleet.fields)
    found = peers.victoria_metrics_rows(victoria_metrics.port)
    if found != wanted:
        raise BenchError(f"{wanted} numbers were sent to VictoriaMetrics, it counted {found}")


def _result(costs: Costs) -> Result:
    result = Result("Ingest: server CPU per sample, µs")
    rows = []
    for shape in SHAPES:
        ours, theirs = costs[shape.name, "Hostpulse"], costs[shape.name, "VictoriaMetrics"]
        ratio = median(a.server_us / b.server_us for a, b in zip(ours, theirs, strict=True))
        rows.append(
            [shape.name, _spread(ours), _spread(theirs), f"{ratio:.2f}", *_pace(ours, theirs)]
        )
        if shape.limit is not None:
            name = f"{shape.name}, server CPU beside VictoriaMetrics"
            result.targets.append(Target(name, ratio, shape.limit))
    head = ["", "Hostpulse", "VictoriaMetrics", "ratio", "client", "samples/s", "VM samples/s"]
    result.parts.append(table(head, rows))
    return result


def _spread(costs: list[Cost]) -> str:
    found = sorted(cost.server_us for cost in costs)
    return f"{median(found):.1f} ({found[0]:.1f}-{found[-1]:.1f})"


def _pace(ours: list[Cost], theirs: list[Cost]) -> list[str]:
    client_us = median(cost.client_us for cost in ours)
    paces = [median(cost.samples_per_second for cost in side) for side in (ours, theirs)]
    return [f"{client_us:.1f}", *(f"{pace:,.0f}" for pace in paces)]
