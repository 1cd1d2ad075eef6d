"""The wall clock, its offset from the server's, and the steps it makes."""

from __future__ import annotations

import time
from typing import Callable

# Below this the server's and the agent's clock count as the same.
TOLERATED_MS = 2000
# A measurement moves the offset in use only by more than its own noise.
NOISE_MS = 250
STEPPED_SECONDS = 0.5


def since_boot() -> float:
    """Return seconds since boot, time in suspend included."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Clock:
    """The clocks of a machine and what is known of their disagreement.

    The wall clock names instants and the monotonic one measures spans. The clock since boot goes
    on in suspend like the wall clock, so where those two part, somebody has set the wall clock.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        boot: Callable[[], float] = since_boot,
    ) -> None:
        self.wall = wall
        self.monotonic = monotonic
        self._boot = boot
        self._zero = wall() - boot()
        self._measured_ms: float | None = None
        self._used_ms = 0.0

    @property
    def offset_ms(self) -> int:
        """What to add to the wall clock to get the server's time; 0 while they nearly agree."""
        return round(self._used_ms) if abs(self._used_ms) >= TOLERATED_MS else 0

    def measure(self, server_ms: float, sent_at: float, received_at: float) -> None:
        """Learn the offset from an answer; it was written at about the middle of the exchange."""
        measured = server_ms - (sent_at + received_at) / 2 * 1000.0
        if self._measured_ms is None or abs(measured - self._used_ms) > NOISE_MS:
            self._used_ms = measured
        self._measured_ms = measured

    def stepped_seconds(self) -> float:
        """Return how far the wall clock was set since the last call, and keep the offset right.

        The server did not move, so the offset in use changes by the same step the other way.
        """
        zero = self.wall() - self._boot()
        step = zero - self._zero
        if abs(step) < STEPPED_SECONDS:
            return 0.0
        self._zero = zero
        if self._measured_ms is not None:
            self._used_ms -= step * 1000.0
        return step
