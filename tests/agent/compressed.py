"""The agent's own loop and delivery, with a clock that jumps instead of sleeping."""

from __future__ import annotations

import io
import socket
from pathlib import Path

from hostpulse_agent.clock import Clock
from hostpulse_agent.delivery import Delivery, Post
from hostpulse_agent.journal import Journal
from hostpulse_agent.loop import Grid, run
from hostpulse_agent.refused import Refused
from hostpulse_agent.report import Reporter, encoded
from hostpulse_agent.sender import Transport
from hostpulse_agent.spool import Limits, Spool

STARTED = 1_795_423_385.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Compressed:
    """Makes reports every 5 s of its own time, and posts them to a real server."""

    def __init__(self, url: str, directory: Path, through: type[Post] | None = None) -> None:
        self.now = STARTED
        self.planned: list[float] = []
        clock = Clock(lambda: self.now, lambda: self.now, lambda: self.now)
        journal = Journal(io.StringIO, lambda: self.now)
        self.transport: Post = (through or Transport)(url, lambda: None, "", 5)  # type: ignore[call-arg]
        spool = Spool(directory, Limits())
        self.delivery = Delivery(self.transport, spool, clock, journal, Refused(directory, journal))
        self._reporter = Reporter("web-1", (), 5, [])
        self._grid = Grid(5, 1.25, STARTED)
        self._until = 0

    def ticks(self, count: int) -> None:
        """Make this many reports, and whatever posts fall due between them."""
        self._until = len(self.planned) + count
        run(self._grid, lambda: self.now, self._sleep, self._tick)

    def drain(self) -> None:
        """Make every post that is due now."""
        while self.delivery.step():
            pass

    def _sleep(self, seconds: float) -> bool:
        until = self.now + seconds
        while self.now < until:
            self.drain()
            self.now = min(until, self.now + 1.0)
        return len(self.planned) >= self._until

    def _tick(self, planned: float) -> None:
        self.planned.append(planned)
        self.delivery.offer(round(planned * 1000), encoded(self._reporter.report(planned, {})))
