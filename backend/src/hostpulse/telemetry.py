"""Counts and times of ourselves over the last five minutes, without a library's weight."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

_SLOT_SECONDS = 10
_SLOTS = 30
# Upper edges of the answer times, in seconds: each a fifth above the one before, 0.1 ms to 60 s.
_EDGES = tuple(0.0001 * 1.2**i for i in range(74))


@dataclass(slots=True)
class _Slot:
    number: int = -1
    requests: int = 0
    errors: int = 0
    samples: int = 0
    times: list[int] = field(default_factory=lambda: [0] * (len(_EDGES) + 1))


@dataclass(frozen=True, slots=True)
class Recent:
    """The sums over the last five minutes."""

    requests: int
    errors: int
    samples: int
    p95_ms: float


class Telemetry:
    """Counts requests, server errors, samples and answer times; `clock` is monotonic seconds.

    Every count is a single step under the interpreter's lock; a race can cost one count, never
    more, which is the price of a hot path without a lock of its own.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._slots = [_Slot() for _ in range(_SLOTS)]
        self.started = clock()

    def count_request(self, status: int, seconds: float) -> None:
        """Count one answer; 5xx are errors."""
        slot = self._slot()
        slot.requests += 1
        slot.errors += status >= 500
        slot.times[bisect_left(_EDGES, seconds)] += 1

    def count_samples(self, samples: int) -> None:
        """Count samples that were stored."""
        self._slot().samples += samples

    def recent(self) -> Recent:
        """Return the sums over the last five minutes."""
        oldest = int(self._clock() // _SLOT_SECONDS) - _SLOTS
        slots = [slot for slot in self._slots if slot.number > oldest]
        times = [sum(counts) for counts in zip(*(slot.times for slot in slots), strict=True)]
        return Recent(
            sum(slot.requests for slot in slots),
            sum(slot.errors for slot in slots),
            sum(slot.samples for slot in slots),
            _percentile_ms(times, 0.95),
        )

    def uptime_seconds(self) -> float:
        """Return how long this process counts already."""
        return self._clock() - self.started

    def _slot(self) -> _Slot:
        number = int(self._clock() // _SLOT_SECONDS)
        index = number % _SLOTS
        slot = self._slots[index]
        if slot.number != number:
            slot = self._slots[index] = _Slot(number)
        return slot


def _percentile_ms(times: list[int], share: float) -> float:
    wanted = sum(times) * share
    seen = 0
    for edge, count in zip((*_EDGES, _EDGES[-1]), times, strict=False):
        seen += count
        if seen and seen >= wanted:
            return round(edge * 1000, 3)
    return 0.0
