"""`hostpulse up`: from the command to a moving line, and to an end that leaves nothing."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.backend_under_test import eventually
from tests.pace import slowness
from tests.pages import charts
from tests.pages.browser import SERVER_READY, Tabs
from tests.programs import STOP_SECONDS, Program, answers, command, environment, free_port

FIRST_LINE_SECONDS = 10
SLOW_POST = (
    b"POST /api/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 100\r\n\r\n{"
)


class Up(Program):
    """`hostpulse up` on a free port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.link = folder / "data" / "setup-link"
        self.started = time.monotonic()
        line = command("hostpulse", "up", "--port", str(self.port))
        env = environment(HOME=str(folder), HOSTPULSE_DATA_DIR=str(folder / "data"))
        super().__init__(line, folder / "log", env)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait_for_agent(self) -> None:
        eventually(lambda: answers(self.url) and len(self.children()) == 1, 20)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path)
    yield running
    running.kill()


def test_it_prints_its_address(up: Up) -> None:
    up.wait_for_agent()
    first = up.written().splitlines()[0]
    assert f"http://localhost:{up.port}" in first
    assert "Ctrl-C" in first
    assert str(up.link) in up.written()
    assert up.link.read_text().startswith(f"http://localhost:{up.port}/welcome#")
    assert up.link.stat().st_mode & 0o777 == 0o600


def test_the_first_line_is_on_the_page_within_ten_seconds(up: Up, tabs: Tabs) -> None:
    tab = tabs.open(up.url)
    eventually(lambda: answers(up.url) and up.link.exists())
    tab.page.goto(up.link.read_text().strip())
    tab.page.wait_for_selector(SERVER_READY)  # behind the form of the first account
    points = "charts.cpu.chart.data.datasets[0].data.filter((one) => one.y !== null).length"
    eventually(lambda: charts.read(tab, points) >= 2)
    taken = time.monotonic() - up.started
    assert taken <= FIRST_LINE_SECONDS * slowness(time.monotonic)


@pytest.mark.parametrize("to_all", [True, False], ids=["Ctrl-C", "kill -INT"])
def test_an_interrupt_stops_both_and_leaves_nothing(up: Up, tmp_path: Path, to_all: bool) -> None:
    up.wait_for_agent()
    time.sleep(1)  # anybody lets it run for a moment
    agent = up.children()[0]
    before = time.monotonic()
    if to_all:
        assert up.interrupt() == 0
    else:
        os.kill(up.process.pid, signal.SIGINT)
        assert up.process.wait(STOP_SECONDS) == 0
    assert time.monotonic() - before < 8
    assert not agent.is_running()
    assert up.is_all_gone()
    assert not answers(up.url)
    assert "Traceback" not in up.written()
    assert "the local agent" not in up.written()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "log"]


def test_an_agent_that_stops_before_a_busy_server_is_no_news(up: Up) -> None:
    up.wait_for_agent()
    time.sleep(1)
    with socket.create_connection(("127.0.0.1", up.port)) as slow:
        slow.sendall(SLOW_POST)
        time.sleep(0.5)
        before = time.monotonic()
        assert up.interrupt() == 0
    assert time.monotonic() - before > 4  # longer than it takes to start an agent anew
    assert up.is_all_gone()
    assert "the local agent" not in up.written()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_the_end_of_a_session_stops_both(up: Up, name: str) -> None:
    up.wait_for_agent()
    time.sleep(1)
    agent = up.children()[0]
    os.kill(up.process.pid, signal.Signals[name])
    assert up.process.wait(STOP_SECONDS) == 0
    assert not agent.is_running()


def test_an_agent_that_died_is_started_again(up: Up) -> None:
    up.wait_for_agent()
    first = up.children()[0]
    first.kill()
    eventually(lambda: any(child.pid != first.pid for child in up.children()), 20)
    assert "is started again" in up.written()


def test_a_taken_port_is_told_in_words_and_worth_another_try(up: Up, tmp_path: Path) -> None:
    up.wait_for_agent()
    line = command("hostpulse", "serve", "--port", str(up.port))
    env = environment(HOME=str(tmp_path), HOSTPULSE_DATA_DIR=str(tmp_path / "second-data"))
    second = Program(line, tmp_path / "second", env)
    assert second.process.wait(20) == 1
    assert "choose another with --port" in second.written()
