"""The server is away, the agent is killed: no report is lost and none arrives twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

from hostpulse_agent.report import stamp
from hostpulse_agent.segment import records

from tests.agent.compressed import Compressed, free_port
from tests.agent.server import Server, serving
from tests.pace import slowness

AWAY_TICKS = 900


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
        agent.drain()
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
        agent.drain()
    assert len(arrived) == AWAY_TICKS + 60
    back_at = min(arrived.values())
    late = [
        planned
        for planned in agent.planned
        if planned > back_at and arrived[stamp(planned)] - planned > 5.0
    ]
    assert late == []
    assert max(arrived.values()) - back_at < 5 * 60


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
        assert agent.wait(7) == 0
        assert time.monotonic() - began < 2.0 * slowness(time.monotonic), "it hangs for 8 s"
        assert agent.stderr is not None
        agent.stderr.close()
        (request,) = server.requests
    assert request.reports[0]["timestamp"] in on_disk(tmp_path)
