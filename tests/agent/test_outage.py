"""The server is away, the agent is killed: no report is lost and none arrives twice."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

from hostpulse_agent.clock import Clock
from hostpulse_agent.delivery import Delivery
from hostpulse_agent.journal import Journal
from hostpulse_agent.loop import Grid, run
from hostpulse_agent.refused import Refused
from hostpulse_agent.report import Reporter, encoded
from hostpulse_agent.sender import Transport
from hostpulse_agent.spool import Limits, Spool

from tests.agent.server import Server, serving

AWAY_TICKS = 900
STARTED = 1_795_423_385.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Compressed:
    """The agent's own loop and delivery, with a clock that jumps instead of sleeping."""

    def __init__(self, url: str, directory: Path) -> None:
        self.now = STARTED
        self.planned: list[float] = []
        clock = Clock(lambda: self.now, lambda: self.now, lambda: self.now)
        journal = Journal(io.StringIO, lambda: self.now)
        transport = Transport(url, lambda: None, "", 2)
        spool = Spool(directory, Limits())
        self.delivery = Delivery(transport, spool, clock, journal, Refused(directory, journal))
        self._reporter = Reporter("web-1", (), 5, [])
        self._grid = Grid(5, 1.25, STARTED)
        self._until = 0

    def ticks(self, count: int) -> None:
        """Make this many reports, and whatever posts fall due between them."""
        self._until = len(self.planned) + count
        run(self._grid, lambda: self.now, self._sleep, self._tick)

    def _sleep(self, seconds: float) -> bool:
        until = self.now + seconds
        while self.now < until:
            while self.delivery.step():
                pass
            self.now = min(until, self.now + 1.0)
        return len(self.planned) >= self._until

    def _tick(self, planned: float) -> None:
        self.planned.append(planned)
        self.delivery.offer(round(planned * 1000), encoded(self._reporter.report(planned, {})))


def test_a_server_that_is_away_for_900_ticks_costs_no_sample_and_no_duplicate(
    tmp_path: Path,
) -> None:
    port = free_port()
    server = Server()
    agent = Compressed(f"http://127.0.0.1:{port}", tmp_path)
    with serving(server, port):
        agent.ticks(10)
    assert len(server.accepted) == 10
    agent.ticks(AWAY_TICKS)
    assert len(server.accepted) == 10
    assert agent.delivery.state()["spool_reports"] >= AWAY_TICKS
    with serving(server, port):
        agent.ticks(60)
        while agent.delivery.step():
            pass
    assert len(server.accepted) == len(agent.planned) == 10 + AWAY_TICKS + 60
    assert set(server.accepted.values()) == {1}
    assert agent.delivery.state()["spool_reports"] == 0
    assert agent.delivery.state()["dropped_reports"] == 0


def test_while_the_backlog_drains_every_live_report_arrives_before_the_next_is_due(
    tmp_path: Path,
) -> None:
    port = free_port()
    server = Server()
    agent = Compressed(f"http://127.0.0.1:{port}", tmp_path)
    agent.ticks(AWAY_TICKS)
    arrived: dict[str, float] = {}

    def judge(request: Any) -> Any:
        for report in request.reports:
            arrived[report["timestamp"]] = agent.now
        return server.success(request)

    server.judge = judge
    with serving(server, port):
        agent.ticks(60)
        while agent.delivery.step():
            pass
    assert len(arrived) == AWAY_TICKS + 60
    back_at = min(arrived.values())
    late = [
        planned
        for planned in agent.planned
        if planned > back_at and arrived[_stamp(planned)] - planned > 5.0
    ]
    assert late == []
    assert max(arrived.values()) - back_at < 5 * 60


def _stamp(planned: float) -> str:
    return str(Reporter("x", (), 5, []).report(planned, {})["timestamp"])


def start_agent(url: str, spool: Path) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "hostpulse_agent", "--server", url, "--interval", "1"]
    return subprocess.Popen([*line, "--spool", str(spool)], stderr=subprocess.PIPE)


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def on_disk(spool: Path) -> set[str]:
    """Read the spool of another process without touching it."""
    from hostpulse_agent.segment import records

    return {
        json.loads(one.report)["timestamp"]
        for path in spool.glob("*.spool")
        for one in records(path.read_bytes())
    }


def test_a_killed_agent_loses_none_of_its_spool(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    spooled: set[str] = set()
    for _ in range(2):
        agent = start_agent(url, tmp_path)
        before = len(spooled)
        wait_for(lambda count=before: len(on_disk(tmp_path)) >= count + 2)
        os.kill(agent.pid, signal.SIGKILL)
        assert agent.wait() == -signal.SIGKILL
        assert agent.stderr is not None
        agent.stderr.close()
        spooled |= on_disk(tmp_path)
    assert len(spooled) >= 4
    server = Server()
    with serving(server, port):
        agent = start_agent(url, tmp_path)
        wait_for(lambda: spooled <= set(server.accepted))
        agent.terminate()
        assert agent.wait(5) == 0
        assert agent.stderr is not None
        agent.stderr.close()
    assert set(server.accepted.values()) == {1}


def test_an_agent_that_is_told_to_end_keeps_the_report_that_hangs(tmp_path: Path) -> None:
    def hang(_: object) -> Any:
        time.sleep(8)
        return 200, {}, b"{}"

    with serving(Server(judge=hang)) as server:
        agent = start_agent(server.url, tmp_path)
        wait_for(lambda: len(server.requests) == 1)
        began = time.monotonic()
        agent.terminate()
        assert agent.wait(5) == 0
        assert time.monotonic() - began < 2.0
        assert agent.stderr is not None
        agent.stderr.close()
        (request,) = server.requests
    assert request.reports[0]["timestamp"] in on_disk(tmp_path)
