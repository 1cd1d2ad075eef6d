"""What a value costs on each storage, beside the peers: the same numbers, in turns, over HTTP."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from statistics import median

from rounds import Costs, Shape, in_turns, load, ratio, spread
from sides import (
    FILE,
    INFLUXDB,
    MEMORY,
    POSTGRESQL_STORAGE,
    VICTORIA_METRICS,
    check_arrived,
    start_all,
)
from table import Result, Target, table
from workload import Batch, Fleet, fifty_fields

# Samples that a storage rolls up at once are no late ones: their times end as they are sent.
STEP_MS = 50
SETTLE_SECONDS = 2.0  # VictoriaMetrics does half of its work in the second after its answer
SINGLE = Shape("one sample a request, 8 connections", 1, 8, 6000)
BATCH = Shape("100 samples a request, 8 connections", 100, 8, 200)
LIMITS = (
    (BATCH, MEMORY, VICTORIA_METRICS, 0.6),
    (BATCH, FILE, VICTORIA_METRICS, 1.2),
    (BATCH, POSTGRESQL_STORAGE, VICTORIA_METRICS, 2.0),
    (SINGLE, FILE, VICTORIA_METRICS, 2.0),
    (SINGLE, POSTGRESQL_STORAGE, VICTORIA_METRICS, 3.0),
    (SINGLE, FILE, INFLUXDB, 0.7),
    (SINGLE, POSTGRESQL_STORAGE, INFLUXDB, 0.7),
)


def measure(rounds: int, quick: bool) -> Result:
    """Load all in turns and compare."""
    fleet = Fleet(now_ms() - 60_000, step_ms=STEP_MS, all_fields=fifty_fields())
    with ExitStack() as stack:
        sides = start_all(stack)
        warm_up = make_fresh(fleet, 4, SINGLE)
        for side in sides:
            load(side, warm_up, SINGLE)
        make = partial(make_fresh, fleet, 4 if quick else 1)
        costs = in_turns(sides, (SINGLE, BATCH), rounds, make, SETTLE_SECONDS)
        check_arrived(sides, fleet)
    result = Result("Storages: server CPU per value, µs")
    for shape in (SINGLE, BATCH):
        rows = [_row(costs, shape, side.name, len(fleet.fields)) for side in sides]
        head = [shape.name, "CPU", "of it engine", "x VM", "x InfluxDB", "samples/s", "p50 ms"]
        result.parts.append(table(head, rows))
    result.parts.append(
        f"Median (least to most) of {rounds} rounds in turns; ratios: median of the rounds' "
        f"ratios. {len(fleet.hostnames)} servers, {len(fleet.fields)} numbers a sample; HTTP, JSON "
        f"and the {SETTLE_SECONDS:g} s after each load are counted, for what is put off. A request "
        "of 100 is an array of one report of each server, all of the same tick. The engine is "
        "PostgreSQL or InfluxDB with all its processes. VictoriaMetrics and Prometheus answer "
        "before anything is on the disk, InfluxDB after. Every answer was checked, and all numbers "
        "were found again."
    )
    for shape, side, other, limit in LIMITS:
        name = f"{shape.name}, CPU of {side} beside {other}"
        result.targets.append(Target(name, ratio(costs, shape.name, side, other), limit))
    return result


def now_ms() -> int:
    """Return the time of day in epoch ms."""
    return time.time_ns() // 1_000_000


def make_fresh(fleet: Fleet, divisor: int, shape: Shape) -> list[Batch]:
    """Make batches whose times end now."""
    samples = shape.requests * shape.size // divisor
    fleet.go_on_at(now_ms() - samples // len(fleet.hostnames) * fleet.step_ms)
    if shape.size == 1:
        return fleet.batches(samples, 1)
    return fleet.whole_ticks(samples // shape.size)


def _row(costs: Costs, shape: Shape, side: str, values: int) -> list[str]:
    found = costs[shape.name, side]
    engine = median(cost.engine_us / values for cost in found)
    ratios = [ratio(costs, shape.name, side, other) for other in (VICTORIA_METRICS, INFLUXDB)]
    return [
        side,
        spread([cost.server_us / values for cost in found], 2),
        f"{engine:.2f}" if engine else "",
        *(f"{one:.2f}" for one in ratios),
        f"{median(cost.samples_per_second for cost in found):,.0f}",
        f"{median(cost.wait_ms for cost in found):.1f}",
    ]
