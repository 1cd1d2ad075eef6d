"""Callers that ask at a pace of their own: one that waits for its answer delays no other."""

from __future__ import annotations

import heapq
import selectors
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from client import Check, Connection
from process import BenchError

REFUSALS = (429, 503)
_PATIENCE_SECONDS = 60.0


@dataclass
class Answers:
    """What became of requests of one kind: waits are counted from when they were due."""

    check: Check
    waits_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0

    def take(self, waited_ms: float, status: int, body: bytes) -> None:
        """Count an answer."""
        self.waits_ms.append(waited_ms)
        if status in REFUSALS:
            self.refused += 1
        else:
            self.accepted += self.check(status, body)


class Backlog(Protocol):
    """What waited, from which a caller takes a request behind each that was due."""

    def next(self) -> bytes | None: ...

    def take(self, waited_ms: float, status: int, body: bytes) -> None: ...


@dataclass(eq=False)
class Caller:
    """Sends a request whenever one is due, and then at most one of what waits behind it.

    `first_due` is monotonic seconds. As an agent does, it never has two on their way.
    """

    port: int
    requests: Sequence[bytes]
    answers: Answers
    first_due: float
    every_seconds: float
    backlog: Backlog | None = None

    def __post_init__(self) -> None:
        self._unsent = deque(self.requests)
        self._left = len(self.requests)
        self._is_backlog_due = False
        self._due: deque[float] = deque()
        self._sent: tuple[float, Answers | Backlog] | None = None
        self._line: Connection | None = None
        self.next_due = self.first_due if self.requests else None

    def fall_due(self) -> None:
        """Have one more request to send; the next one is due a while later."""
        assert self.next_due is not None
        self._due.append(self.next_due)
        self._left -= 1
        self.next_due = self.next_due + self.every_seconds if self._left else None
        self._is_backlog_due = self.backlog is not None

    def go_on(self, selector: selectors.BaseSelector) -> bool:
        """Send what is next unless an answer is awaited; tell whether one is now."""
        if self._sent is None:
            now = time.monotonic()
            if self._due:
                due = self._due.popleft()
                self.answers.late_ms.append((now - due) * 1000)
                self._send(selector, self._unsent.popleft(), due, self.answers)
            elif self._is_backlog_due and self.backlog is not None:
                self._is_backlog_due = False
                if request := self.backlog.next():
                    self._send(selector, request, now, self.backlog)
        return self._sent is not None

    def _send(
        self,
        selector: selectors.BaseSelector,
        request: bytes,
        due: float,
        answers: Answers | Backlog,
    ) -> None:
        if self._line is None:
            self._line = Connection(self.port)
            selector.register(self._line.socket, selectors.EVENT_READ, self)
        self._line.send(request)
        self._sent = due, answers

    def receive(self) -> None:
        """Read once; count the answer when it is whole."""
        assert self._line is not None
        answer = self._line.receive()
        if answer is not None and self._sent is not None:
            due, answers = self._sent
            self._sent = None
            answers.take((time.monotonic() - due) * 1000, *answer)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()


def run(callers: Sequence[Caller]) -> None:
    """Let all ask until nothing is due any more; raises BenchError if no answer comes."""
    timetable = [(one.next_due, n) for n, one in enumerate(callers) if one.next_due is not None]
    heapq.heapify(timetable)
    busy: set[Caller] = set()
    with selectors.DefaultSelector() as selector:
        while timetable or busy:
            until = timetable[0][0] - time.monotonic() if timetable else _PATIENCE_SECONDS
            ready = [key.data for key, _ in selector.select(max(until, 0.0))]
            if not ready and not timetable:
                raise BenchError(f"{len(busy)} callers got no answer in {_PATIENCE_SECONDS:g} s")
            for caller in ready:
                caller.receive()
            for caller in [*ready, *_fallen_due(timetable, callers)]:
                (busy.add if caller.go_on(selector) else busy.discard)(caller)
    for caller in callers:
        caller.close()


def _fallen_due(timetable: list[tuple[float, int]], callers: Sequence[Caller]) -> list[Caller]:
    """Take from the timetable whose time has come, and enter when theirs comes again."""
    found, now = [], time.monotonic()
    while timetable and timetable[0][0] <= now:
        _, number = heapq.heappop(timetable)
        caller = callers[number]
        caller.fall_due()
        found.append(caller)
        if caller.next_due is not None:
            heapq.heappush(timetable, (caller.next_due, number))
    return found
