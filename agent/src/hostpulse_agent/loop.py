"""The steady grid: when a report is due, and what is done each time."""

from __future__ import annotations

import hashlib
import math
from typing import Callable

FIRST_REPORTS_SECONDS = (1.0, 2.0)


def grid_offset(identity: str, interval: float) -> float:
    """Return a host's own place within the interval, so that a fleet does not post at once."""
    share = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") / 2**64
    return round(share * interval, 3)


def next_on_grid(now: float, interval: float, offset: float) -> float:
    """Return the first instant of the grid after `now`."""
    steps = math.floor(round((now - offset) / interval, 6)) + 1
    return round(steps * interval + offset, 3)


class Grid:
    """Plans the instants of the reports by the wall clock."""

    def __init__(self, interval: float, offset: float, started_at: float) -> None:
        self._interval = interval
        self._offset = offset
        self._first: list[float] = [started_at + one for one in FIRST_REPORTS_SECONDS]
        self._last = started_at

    def plan(self, now: float) -> float:
        """Return the next instant; one that has passed is skipped, never made up for.

        After the two early reports the grid begins, but not closer behind them than a rate needs.
        """
        while self._first:
            planned = self._first.pop(0)
            if planned > now:
                return self._planned(planned)
        closest = self._last + min(1.0, self._interval / 2)
        # A clock that was set back must not wait until it comes by here again.
        floor = max(now, closest) if closest - now <= self._interval else now
        return self._planned(next_on_grid(floor, self._interval, self._offset))

    def _planned(self, instant: float) -> float:
        self._last = instant
        return instant

    def is_off(self, planned: float, now: float) -> bool:
        """Tell whether the instant was missed: a long sleep, or a clock that was set."""
        return abs(now - planned) > max(0.5, self._interval / 2)


def run(
    grid: Grid,
    wall: Callable[[], float],
    is_stopped_in: Callable[[float], bool],
    tick: Callable[[float], None],
) -> None:
    """Call `tick` with each planned instant; `is_stopped_in` sleeps and tells when to end."""
    while True:
        now = wall()
        planned = grid.plan(now)
        if is_stopped_in(planned - now):
            return
        if not grid.is_off(planned, wall()):
            tick(planned)
