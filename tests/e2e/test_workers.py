"""`hostpulse serve --workers`: several processes that are one backend."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import requests

from tests.backend_under_test import eventually, report
from tests.programs import STOP_SECONDS, Server, environment, now_ms

WORKERS = 2
SERVERS = 40


class Crew(Server):
    """A backend of several processes on one PostgreSQL."""

    def __init__(self, folder: Path, url: str) -> None:
        settings = {
            "HOSTPULSE_STORAGE": url,
            "HOSTPULSE_CONTROL": url,
            "HOSTPULSE_WORKERS": str(WORKERS),
            "HOSTPULSE_DATA_DIR": str(folder / "data"),
        }
        self.database = url
        super().__init__(folder / "log", env=environment(**settings))

    def workers(self) -> list[psutil.Process]:
        """Return the processes that serve, by when they were started."""
        children = psutil.Process(self.process.pid).children()
        serving = [child for child in children if _has_argument(child, "spawn_main")]
        return sorted(serving, key=lambda child: child.create_time())

    def post(self, hostname: str, time_ms: int) -> Any:
        """Post one report on a connection of its own, so that any worker may take it."""
        body = report(hostname, time_ms)
        answer = requests.post(f"{self.url}/api/metrics", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def names(self) -> list[str]:
        """Return the servers that one of the workers, whichever, lists."""
        return sorted(row["hostname"] for row in self.json("/api/servers")["servers"])

    def times(self, hostname: str) -> list[int]:
        """Return when the server has samples, none where it is not known."""
        asked = {"metrics": "memory_percent"}
        answer = requests.get(f"{self.url}/api/servers/{hostname}/history", asked, timeout=10)
        return list(answer.json()["times"]) if answer.status_code == 200 else []


def _has_argument(process: psutil.Process, word: str) -> bool:
    try:
        return any(word in argument for argument in process.cmdline())
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def crew(tmp_path: Path, postgres: Any) -> Iterator[Crew]:
    running = Crew(tmp_path, postgres.create_database())
    try:
        eventually(lambda: len(running.workers()) == WORKERS, 20)
        yield running
    finally:
        running.kill()


def test_each_worker_knows_what_any_of_them_was_told(crew: Crew) -> None:
    at_ms = now_ms() // 1000 * 1000
    names = sorted(f"web-{number}" for number in range(SERVERS))
    for name in names:
        assert crew.post(name, at_ms)["accepted"] == 1
        assert crew.post(name, at_ms)["duplicates"] == 1  # whoever has it, it is the same storage
    eventually(lambda: all(crew.names() == names for _ in range(8)), 10)
    eventually(lambda: all(crew.times(name) == [at_ms] for name in names), 10)


def test_a_server_that_one_worker_saved_is_there_for_whoever_asks_any_of_them(crew: Crew) -> None:
    def saved(count: int) -> bool:
        return store.execute("SELECT FROM servers").rowcount == count

    def answer(hostname: str) -> int:
        return requests.get(f"{crew.url}/api/servers/{hostname}", timeout=10).status_code

    with psycopg.connect(crew.database, autocommit=True) as store:
        for number in range(1, 11):
            crew.post(f"web-{number}", now_ms())
            eventually(partial(saved, number))
            assert [answer(f"web-{number}") for _ in range(6)] == [200] * 6


def test_a_worker_that_dies_is_replaced(crew: Crew) -> None:
    first = crew.workers()[0]
    first.kill()
    eventually(lambda: first.pid not in [one.pid for one in crew.workers()], 10)
    eventually(lambda: len(crew.workers()) == WORKERS, 20)
    eventually(lambda: all(crew.answers() for _ in range(8)), 20)
    assert "replaced" in crew.written()


def test_a_signal_ends_all_of_them(crew: Crew) -> None:
    workers = crew.workers()
    crew.process.terminate()
    assert crew.process.wait(STOP_SECONDS) == 0, crew.written()
    assert not any(worker.is_running() for worker in workers)
    assert "Traceback" not in crew.written()


def test_workers_end_with_a_parent_that_was_killed(crew: Crew) -> None:
    workers = crew.workers()
    os.kill(crew.process.pid, signal.SIGKILL)
    assert crew.process.wait(STOP_SECONDS) == -signal.SIGKILL
    gone, alive = psutil.wait_procs(workers, STOP_SECONDS)
    assert (len(gone), alive) == (WORKERS, [])
