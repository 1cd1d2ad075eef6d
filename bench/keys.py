"""What it costs the server to know each agent by its own key."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace

from access import with_keys
from rounds import Shape, in_turns, load, ratio, spread
from sides import MEMORY, start_hostpulse
from table import Result, Target, table
from workload import Fleet

BEFORE_NOW_MS = 24 * 3600 * 1000
SHAPE = Shape("single posts, 8 connections", 1, 8, 6000)
WITHOUT, WITH = "without a key", "with the key of each agent"
LIMIT = 1.15


def measure(rounds: int, quick: bool) -> Result:
    """Load two backends in turns, of which one knows the agents by keys."""
    fleet = Fleet(int(time.time() * 1000) - BEFORE_NOW_MS)
    with ExitStack() as stack:
        plain = replace(start_hostpulse(stack), name=WITHOUT)
        other = start_hostpulse(stack)
        keyed = with_keys(replace(other, name=WITH), fleet.hostnames)
        sides = [plain, keyed]
        for side in sides:
            load(side, fleet.batches(1000, 1), SHAPE)
        divisor = 4 if quick else 1
        costs = in_turns(
            sides, (SHAPE,), rounds, lambda one: fleet.batches(one.requests // divisor, one.size)
        )
    result = Result("Keys: server CPU per sample, µs")
    beside = ratio(costs, SHAPE.name, WITH, WITHOUT)
    rows = [
        [name, spread([cost.server_us for cost in costs[SHAPE.name, name]], 1)]
        for name in (WITHOUT, WITH)
    ]
    result.parts.append(table(["", "µs"], rows))
    result.parts.append(
        f"Single posts on 8 connections to {MEMORY}, {len(fleet.hostnames)} servers; median (least "
        f"to most) of {rounds} rounds in turns; ratio {beside:.2f}, the median of the rounds'."
    )
    result.targets.append(Target("ingest with keys beside ingest without", beside, LIMIT))
    return result
