"""Rounds: the same load to each side in turns, and what it cost them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import client
from process import BenchError
from sides import Side
from workload import Batch


@dataclass(frozen=True)
class Shape:
    """How samples arrive."""

    name: str
    size: int
    connections: int
    requests: int
    gzip: bool = False


@dataclass(frozen=True)
class Cost:
    """One round: CPU per sample in microseconds, the pace and the median wait for an answer."""

    server_us: float
    engine_us: float
    client_us: float
    samples_per_second: float
    wait_ms: float


Costs = dict[tuple[str, str], list[Cost]]
"""The rounds of each (shape, side)."""

Maker = Callable[[Shape], list[Batch]]


def in_turns(
    sides: Sequence[Side], shapes: Sequence[Shape], rounds: int, make: Maker, settle: float = 0.0
) -> Costs:
    """Load all sides with each shape, in another order each round."""
    costs: Costs = {}
    for number in range(rounds):
        for shape in shapes:
            batches = make(shape)
            for side in sides if number % 2 == 0 else reversed(sides):
                costs.setdefault((shape.name, side.name), []).append(
                    load(side, batches, shape, settle)
                )
    return costs


def load(side: Side, batches: Sequence[Batch], shape: Shape, settle: float = 0.0) -> Cost:
    """Send all batches to one side; `settle` seconds are given to what it puts off."""
    requests = [side.request(batch, shape.gzip) for batch in batches]
    samples = sum(batch.samples for batch in batches)
    cpu, engine = side.cpu_seconds(), side.engine_seconds()
    done = client.drive(side.port, requests, shape.connections, side.check)
    time.sleep(settle)
    cpu, engine = side.cpu_seconds() - cpu, side.engine_seconds() - engine
    if side.is_ours and done.accepted != samples:
        raise BenchError(f"{samples} samples were sent to {side.name}, {done.accepted} accepted")
    return Cost(
        *(1e6 * seconds / samples for seconds in (cpu, engine, done.client_cpu_seconds)),
        samples / done.seconds,
        median(done.waits_ms),
    )


def ratio(costs: Costs, shape: str, side: str, other: str) -> float:
    """Return the median over the rounds of what `side` costs beside `other`."""
    pairs = zip(costs[shape, side], costs[shape, other], strict=True)
    return median(one.server_us / two.server_us for one, two in pairs)


def spread(found: list[float], decimals: int) -> str:
    """Write the median, and the least and most."""
    middle, least, most = (
        f"{value:.{decimals}f}" for value in (median(found), min(found), max(found))
    )
    return f"{middle} ({least}-{most})"
