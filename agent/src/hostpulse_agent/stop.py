"""Ends the agent on SIGTERM and SIGINT, at once even from a long sleep."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType


class Stop:
    """Sleeps until a time has passed or a signal asks to end.

    The signal writes into a pipe: a lock that a handler takes could be held by the very code it
    interrupts.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self._reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True

    def is_asked_in(self, seconds: float) -> bool:
        """Sleep; tell whether to end."""
        if not self.is_asked:
            select.select([self._reader], [], [], max(0.0, seconds))
        return self.is_asked
