"""The agent's log: one line per event on stderr, the same trouble only now and then."""

from __future__ import annotations

import sys
import time
from typing import Callable, TextIO

QUIET_SECONDS = 300.0
MAX_LINE_CHARACTERS = 500
MAX_KINDS = 200  # a server may word its refusals differently each time


def _to_stderr() -> TextIO:
    return sys.stderr


class Journal:
    """Writes events at once and troubles once per five minutes each."""

    def __init__(
        self,
        stream: Callable[[], TextIO] = _to_stderr,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._monotonic = monotonic
        self._said: dict[str, tuple[float, int]] = {}

    def event(self, sentence: str) -> None:
        """Write one line."""
        line = " ".join(sentence.split())[:MAX_LINE_CHARACTERS]
        print(f"hostpulse-agent: {line}", file=self._stream(), flush=True)

    def trouble(self, kind: str, sentence: str) -> None:
        """Write one line unless this kind was told in the last five minutes."""
        now = self._monotonic()
        said_at, kept_back = self._said.get(kind, (-QUIET_SECONDS, 0))
        if now - said_at < QUIET_SECONDS:
            self._said[kind] = (said_at, kept_back + 1)
            return
        if len(self._said) >= MAX_KINDS:
            self._said.clear()
        self._said[kind] = (now, 0)
        again = f" ({kept_back} times more since the last line)" if kept_back else ""
        self.event(sentence + again)

    def news(self, kind: str, sentence: str) -> None:
        """Write one line though this kind was told a moment ago: it means something else now."""
        self._said.pop(kind, None)
        self.trouble(kind, sentence)

    def over(self, kind: str, sentence: str) -> None:
        """Write one line if this kind of trouble was told, and forget it."""
        if self._said.pop(kind, None) is not None:
            self.event(sentence)
