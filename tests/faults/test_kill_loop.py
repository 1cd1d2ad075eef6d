"""What was answered 200 is there after every crash, once and whole."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hostpulse.control.servers import server_id
from hostpulse.storage import Options, open_storage

from tests.conftest import ROUNDS
from tests.faults import naive_backend
from tests.faults.kill_loop import Kept, Victim, judge, kill_again_and_again
from tests.programs import Server, environment, free_port

TENANT = "default"
KILLS_PER_ROUND = 3
MOST_KILLS = 1000


class Backend:
    """`hostpulse serve` on one storage, started again after each kill."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.port = free_port()
        self.start()

    def start(self) -> None:
        env = environment(HOSTPULSE_STORAGE=self.url, HOSTPULSE_DATA_DIR=str(self.folder / "data"))
        self.server = Server(self.folder / "log", self.port, env)

    def kill(self) -> None:
        assert self.server.process.poll() is None, self.server.written()
        self.server.process.kill()
        assert self.server.process.wait(10) == -signal.SIGKILL

    def close(self) -> None:
        self.server.kill()

    def kept(self) -> Kept:
        """Return what the storage has, read after a clean stop."""
        self.server.process.terminate()
        assert self.server.process.wait(20) == 0, self.server.written()
        options = Options(lambda: time.time_ns() // 1_000_000, self.folder / "data")
        storage = open_storage(self.url, options)
        try:
            return {
                name: [
                    (sample.time_ms, value)
                    for sample in storage.samples(TENANT, server_id(TENANT, name), 0, 2**53)
                    for _key, value in sample.items()
                ]
                for name in (f"web-{number}" for number in range(4))
            }
        finally:
            storage.close()


class Engine:
    """A database server as a victim."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def kill(self) -> None:
        self._server.kill()

    def start(self) -> None:
        self._server.start()


def _file(_request: pytest.FixtureRequest, folder: Path) -> tuple[str, list[Victim]]:
    return f"file:{folder}/samples", []


def _postgresql(request: pytest.FixtureRequest, _folder: Path) -> tuple[str, list[Victim]]:
    server = request.getfixturevalue("postgres")
    return server.create_database(), [Engine(server)]


def _influxdb(request: pytest.FixtureRequest, _folder: Path) -> tuple[str, list[Victim]]:
    server = request.getfixturevalue("influxdb")
    return server.url("kill_loop"), [Engine(server)]


STORAGES: dict[str, Callable[[pytest.FixtureRequest, Path], tuple[str, list[Victim]]]] = {
    "file": _file,
    "postgresql": _postgresql,
    "influxdb": _influxdb,
}


@pytest.mark.timeout(60 * ROUNDS)
@pytest.mark.parametrize("storage", STORAGES)
def test_no_acknowledged_sample_is_lost_doubled_or_torn(
    request: pytest.FixtureRequest, tmp_path: Path, storage: str, rounds: int
) -> None:
    url, engines = STORAGES[storage](request, tmp_path)
    backend = Backend(url, tmp_path)
    kills = min(KILLS_PER_ROUND * rounds, MOST_KILLS)
    try:
        agents = kill_again_and_again(backend.port, [backend, *engines], kills, Random(storage))
        verdict = judge(agents, backend.kept(), kills)
    finally:
        backend.close()
    print(f"{storage}: {verdict.acknowledged} acknowledged, {kills} kills")
    assert verdict.refusals >= kills  # each kill was felt
    assert verdict.acknowledged > 10 * kills
    assert (verdict.lost, verdict.doubled, verdict.wrong) == ([], [], [])


class NaiveBackend:
    """The backend that answers too early."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.file = folder / "samples.jsonl"
        self.start()

    def start(self) -> None:
        line = [sys.executable, naive_backend.__file__, str(self.port), str(self.file)]
        self.process = subprocess.Popen(line)

    def kill(self) -> None:
        assert self.process.poll() is None
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def naive(tmp_path: Path) -> Iterator[NaiveBackend]:
    running = NaiveBackend(tmp_path)
    yield running
    running.process.kill()
    running.process.wait(10)


def test_the_loop_catches_a_backend_that_answers_before_it_has_written(naive: NaiveBackend) -> None:
    agents = kill_again_and_again(naive.port, [naive], 5, Random(1))
    naive.process.kill()
    verdict = judge(agents, naive_backend.read(naive.file), 5)
    assert verdict.lost
