"""How fast this machine is just now: a bound in seconds holds for a machine of a named speed."""

from __future__ import annotations

import time
from collections.abc import Callable

REFERENCE_SECONDS = 0.022  # a million additions where the bounds of the tests were set


def slowness(clock: Callable[[], float] = time.process_time) -> float:
    """Return how many times longer a fixed piece of work takes here, 1 where it is no slower.

    By processor time, or by `time.monotonic` for a bound on waiting: then others count as well.
    """
    return max(1.0, sorted(_probe(clock) for _ in range(5))[2] / REFERENCE_SECONDS)


def _probe(clock: Callable[[], float]) -> float:
    started, total = clock(), 0
    for number in range(1_000_000):
        total += number
    return clock() - started
