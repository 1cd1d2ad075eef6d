"""Turns counters that only grow into rates; the one place that knows resets and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Counters = Mapping[str, int]
Instances = Mapping[str, Counters]


@dataclass(frozen=True)
class Growth:
    """How much the counters of one thing grew, and in how many seconds."""

    seconds: float
    by: dict[str, int]

    def per_second(self, decimals: int = 1) -> dict[str, float]:
        """Return each counter's rate under its name with `_per_sec`."""
        return {
            f"{name}_per_sec": round(grown / self.seconds, decimals)
            for name, grown in self.by.items()
        }


def growth(before: Counters, after: Counters, seconds: float) -> Growth | None:
    """Compare two readings; None when time stood still or any counter began anew.

    One counter that fell means that the thing was replaced (a reboot, an interface made again),
    and then the others tell nothing either, even if they happen to be larger.
    """
    if seconds <= 0:
        return None
    by = {name: value - before[name] for name, value in after.items() if name in before}
    if any(grown < 0 for grown in by.values()):
        return None
    return Growth(seconds, by)


class Rates:
    """Remembers the last reading of every instance of one kind."""

    def __init__(self) -> None:
        self._last: Instances = {}
        self._at = 0.0

    def growth(self, now: Instances, at: float) -> dict[str, Growth]:
        """Return the growth of each instance since the last call; new and reset ones are absent.

        An instance that is missing in a reading is forgotten, so its return starts anew.
        """
        grown: dict[str, Growth] = {}
        for name, counters in now.items():
            before = self._last.get(name)
            if before is not None:
                one = growth(before, counters, at - self._at)
                if one is not None:
                    grown[name] = one
        self._last, self._at = now, at
        return grown
