"""Keeps an answer that seldom changes for a while."""

from __future__ import annotations

from typing import Callable, Generic, TypeVar

T = TypeVar("T")
# For what costs much and moves slowly; a little less than two ticks, so that it is every second.
SLOW_SECONDS = 9.5


class Kept(Generic[T]):
    """Asks again only when the last answer is older than `seconds`."""

    def __init__(self, seconds: float, ask: Callable[[], T]) -> None:
        self._seconds = seconds
        self._ask = ask
        self._answer: T | None = None
        self._asked_at = 0.0

    def get(self, at: float) -> T:
        if self._answer is None or at - self._asked_at >= self._seconds:
            self._answer = self._ask()
            self._asked_at = at
        return self._answer

    def forget(self) -> None:
        """Ask at the next call, however young the answer is."""
        self._answer = None
