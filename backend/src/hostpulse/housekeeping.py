"""Work that is due again and again, each kind in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

import structlog

_STUCK_AFTER_ROUNDS = 3


class Chore:
    """Repeats `work` until it is closed, and knows what is wrong with it now.

    `clock` is monotonic seconds. A failure is logged when it begins and when it ends.
    """

    def __init__(
        self,
        name: str,
        every_seconds: float,
        work: Callable[[], None],
        clock: Callable[[], float] = monotonic,
        patience_seconds: float = 0.0,
    ) -> None:
        self.name = name
        self._every_seconds = every_seconds
        self._work = work
        self._clock = clock
        self._patience_seconds = max(patience_seconds, _STUCK_AFTER_ROUNDS * every_seconds)
        self._failure = ""
        self._last_end = clock()
        self._closing = Event()
        self._log = structlog.get_logger("hostpulse.housekeeping")
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str:
        """A sentence about what is wrong, '' while all is well."""
        silent_seconds = self._clock() - self._last_end
        if silent_seconds > self._every_seconds + self._patience_seconds:
            return f"{self.name} has not come to an end for {silent_seconds:.0f} s."
        return self._failure

    def close(self, patience_seconds: float = 30.0) -> None:
        """Let the round under way end, and do no other."""
        self._closing.set()
        self._thread.join(patience_seconds)

    def _run(self) -> None:
        while not self._closing.wait(self._every_seconds):
            self._note(self._attempt())
            self._last_end = self._clock()

    def _attempt(self) -> str:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round may go well
            return str(error) or type(error).__name__
        return ""

    def _note(self, failure: str) -> None:
        if failure and not self._failure:
            self._log.warning(f"{self.name} failed", problem=failure)
        elif self._failure and not failure:
            self._log.info(f"{self.name} goes on")
        self._failure = failure
