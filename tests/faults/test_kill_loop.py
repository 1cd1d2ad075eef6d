"""What was answered 200 is there after every crash, once and whole."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hostpulse.control.servers import server_id
from hostpulse.storage import Options, Storage, Wanted, Window, open_storage
from hostpulse.storage.tiers import HOUR_MS, MINUTE_MS

from tests.conftest import ROUNDS
from tests.faults import naive_backend
from tests.faults.kill_loop import Kept, Victim, judge, kill_again_and_again, value_at
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
        with closing(self._opened()) as storage:
            return {
                name: [
                    (sample.time_ms, value)
                    for sample in storage.samples(TENANT, server_id(TENANT, name), 0, 2**53)
                    for _key, value in sample.items()
                ]
                for name in (f"web-{number}" for number in range(4))
            }

    def rolled(self, kept: Kept) -> dict[str, list[Minute]]:
        """Return what the points of a minute say of the servers, once all that is due was done."""
        for _ in range(2):  # the second opening reads what the first has left
            with closing(self._opened(HOUR_MS)) as storage:
                storage.maintain()
                found = {name: _minutes(storage, name, rows) for name, rows in kept.items()}
        return found

    def _opened(self, later_ms: int = 0) -> Storage:
        def clock_ms() -> int:
            return time.time_ns() // 1_000_000 + later_ms

        return open_storage(self.url, Options(clock_ms, self.folder / "data"))


Minute = tuple[int, float, float, float, int]
"""Start, min, max, last and count."""


def folded(samples: Sequence[tuple[int, float]]) -> list[Minute]:
    """Fold samples into minutes, plainly."""
    minutes: dict[int, list[float]] = {}
    for time_ms, value in sorted(samples):
        minutes.setdefault(time_ms // MINUTE_MS * MINUTE_MS, []).append(value)
    return [(start, min(v), max(v), v[-1], len(v)) for start, v in minutes.items()]


def _minutes(storage: Storage, hostname: str, rows: Sequence[tuple[int, float]]) -> list[Minute]:
    first_ms, last_ms = (edge(time_ms for time_ms, _ in rows) for edge in (min, max))
    start_ms = first_ms // HOUR_MS * HOUR_MS
    minutes = (last_ms - start_ms) // MINUTE_MS + 1
    window = Window(start_ms, start_ms + minutes * MINUTE_MS, minutes)
    wanted = Wanted(("custom.load",))
    found = storage.history(TENANT, server_id(TENANT, hostname), wanted, window)
    assert (found.raw, found.step_ms) == (False, MINUTE_MS)
    (series,) = found.series
    points = series.points
    columns = (found.times, points.min, points.max, points.last, points.count)
    return [minute for minute in zip(*columns, strict=True) if minute[-1]]


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
        kept = backend.kept()
        verdict = judge(agents, kept, kills)
        rolled = backend.rolled(kept)
    finally:
        backend.close()
    print(f"{storage}: {verdict.acknowledged} acknowledged, {kills} kills")
    assert verdict.refusals >= kills  # each kill was felt
    assert verdict.acknowledged > 10 * kills
    assert (verdict.lost, verdict.doubled, verdict.wrong) == ([], [], [])
    assert rolled == {name: folded(rows) for name, rows in kept.items()}


class NaiveBackend:
    """A backend with a planted fault."""

    def __init__(self, fault: str, folder: Path) -> None:
        self.fault = fault
        self.port = free_port()
        self.file = folder / "samples.jsonl"
        self.start()

    def start(self) -> None:
        line = [sys.executable, naive_backend.__file__, self.fault, str(self.port), str(self.file)]
        self.process = subprocess.Popen(line)

    def kill(self) -> None:
        assert self.process.poll() is None
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(params=naive_backend.FAULTS)
def naive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NaiveBackend]:
    running = NaiveBackend(request.param, tmp_path)
    yield running
    running.process.kill()
    running.process.wait(10)


def test_the_loop_catches_backends_that_lose_double_and_tear(naive: NaiveBackend) -> None:
    agents = kill_again_and_again(naive.port, [naive], 5, Random(1))
    naive.process.kill()
    verdict = judge(agents, naive_backend.read(naive.file), 5)
    assert getattr(verdict, naive.fault)


def test_a_roll_up_that_lacks_a_sample_is_not_the_fold_of_all() -> None:
    samples = [(time_ms, value_at(time_ms)) for time_ms in range(0, 120_000, 250)]
    assert folded(samples) != folded(samples[:-1])
    assert folded(samples) != folded([*samples[:-1], (samples[-1][0], -1.0)])
