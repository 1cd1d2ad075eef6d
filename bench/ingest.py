"""What taking in a sample costs the server, beside VictoriaMetrics given the same numbers."""

from __future__ import annotations

import time
from contextlib import ExitStack
from statistics import median

from process import BenchError
from rounds import Cost, Costs, Shape, in_turns, load, ratio, spread
from sides import (
    MEMORY,
    VICTORIA_METRICS,
    Side,
    check_arrived,
    start_hostpulse,
    start_victoria_metrics,
)
from slow import SlowSenders
from table import Result, Target, table
from workload import Fleet

BEFORE_NOW_MS = 24 * 3600 * 1000
SHAPES = (
    Shape("single posts, 8 connections", 1, 8, 6000),
    Shape("single posts, 1 connection", 1, 1, 3000),
    Shape("single gzip posts, 8 connections", 1, 8, 3000, gzip=True),
    Shape("arrays of 10, 8 connections", 10, 8, 1000),
    Shape("arrays of 100, 8 connections", 100, 8, 200),
)
LIMITS = {SHAPES[0].name: 1.2, SHAPES[4].name: 0.6}


def measure(rounds: int, slow_senders: int, quick: bool) -> Result:
    """Load both in turns and compare."""
    fleet = Fleet(int(time.time() * 1000) - BEFORE_NOW_MS)
    divisor = 4 if quick else 1
    with ExitStack() as stack:
        sides = [start_hostpulse(stack), start_victoria_metrics(stack)]
        slow = [_hold_slow(stack, side, slow_senders) for side in sides]
        warm_up = fleet.batches(1000, 1)
        for side in sides:
            load(side, warm_up, SHAPES[0])
        costs = in_turns(
            sides, SHAPES, rounds, lambda one: fleet.batches(one.requests // divisor, one.size)
        )
        check_arrived(sides[1:], fleet)
        if not all(senders.alive() for senders in slow):
            raise BenchError("the slow senders did not last")
    result = _result(costs)
    result.parts.append(
        f"Median (least to most) of {rounds} rounds in turns; ratio: median of the rounds' ratios. "
        f"{len(fleet.fields)} numbers a sample; {slow_senders} slow senders held open at each."
    )
    return result


def _hold_slow(stack: ExitStack, side: Side, count: int) -> SlowSenders:
    senders = SlowSenders(side.port, side.path, count)
    stack.callback(senders.stop)
    return senders


def _result(costs: Costs) -> Result:
    result = Result("Ingest: server CPU per sample, µs")
    rows = []
    for shape in SHAPES:
        ours, theirs = costs[shape.name, MEMORY], costs[shape.name, VICTORIA_METRICS]
        beside = ratio(costs, shape.name, MEMORY, VICTORIA_METRICS)
        rows.append(
            [shape.name, _spread(ours), _spread(theirs), f"{beside:.2f}", *_pace(ours, theirs)]
        )
        if shape.name in LIMITS:
            name = f"{shape.name}, server CPU beside VictoriaMetrics"
            result.targets.append(Target(name, beside, LIMITS[shape.name]))
    head = ["", "Hostpulse", "VictoriaMetrics", "ratio", "client", "samples/s", "VM samples/s"]
    result.parts.append(table(head, rows))
    return result


def _spread(costs: list[Cost]) -> str:
    return spread([cost.server_us for cost in costs], 1)


def _pace(ours: list[Cost], theirs: list[Cost]) -> list[str]:
    client_us = median(cost.client_us for cost in ours)
    paces = [median(cost.samples_per_second for cost in side) for side in (ours, theirs)]
    return [f"{client_us:.1f}", *(f"{pace:,.0f}" for pace in paces)]
