"""A real agent that reports to a real backend, both started as commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.backend_under_test import eventually
from tests.pages.conftest import browser, tabs
from tests.programs import Program, Server, command

__all__ = ["browser", "tabs"]  # the browser of the page tests

StartAgent = Callable[..., Program]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for logs and spools of one file's tests."""
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="module")
def server(work: Path) -> Iterator[Server]:
    """`hostpulse serve`."""
    running = Server(work / "server.log")
    yield running
    running.kill()


@pytest.fixture(scope="module")
def start_agent(work: Path) -> Iterator[StartAgent]:
    """Starts agents, each with a spool of its own; a report each second."""
    started: list[Program] = []

    def start(url: str, hostname: str, *more: str) -> Program:
        spool = work / f"spool-{len(started)}"
        named = ("--hostname", hostname, "--spool", str(spool), "--interval", "1")
        line = command("hostpulse_agent", "--server", url, *named, *more)
        started.append(Program(line, work / f"{hostname}.log"))
        return started[-1]

    yield start
    for agent in started:
        agent.kill()


def wait_for_samples(server: Server, hostname: str, least: int) -> None:
    """Wait until the backend has this many samples of a server."""

    def are_there() -> bool:
        if hostname not in {row["hostname"] for row in server.json("/api/servers")["servers"]}:
            return False
        query = {"metrics": "cpu_count_logical", "start": "-10m"}
        return len(server.json(f"/api/servers/{hostname}/history", **query)["times"]) >= least

    eventually(are_there, 20)
