"""A PostgreSQL that restarts, dies, hangs or is busy costs no acknowledged sample and says so."""

from __future__ import annotations

import signal
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from threading import Barrier, Event, Thread
from typing import Any

import psutil
import psycopg
import pytest
import requests
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Batch, Options, StorageError, Wanted, Window
from hostpulse.storage.postgres import PostgresStorage

from tests.backend_under_test import NOW_MS, Backend, eventually, report
from tests.conformance.storages import is_well
from tests.conftest import ROUNDS
from tests.pace import slowness

CPU = Key("cpu_percent_total")
LAYOUT = Layout((CPU,))
WANTED = Wanted((CPU.metric,))
STALL_SECONDS = 10
POSTS = 200


def sample(number: int) -> Sample:
    return Sample("srv_1", NOW_MS + number, LAYOUT, array("d", [float(number % 100)]))


def opened(url: str, most_readers: int = 6) -> PostgresStorage:
    options = Options(lambda: NOW_MS, Path("unused"))
    return PostgresStorage(url, options, most_readers)


def numbers(storage: PostgresStorage) -> list[int]:
    return [one.time_ms - NOW_MS for one in storage.samples("a", "srv_1", 0, 2**53)]


class Sender(Thread):
    """Appends one sample after another; the same one again until it is acknowledged."""

    def __init__(self, storage: PostgresStorage) -> None:
        super().__init__()
        self.acknowledged = 0
        self.refused: list[str] = []
        self.failure: Exception | None = None
        self._storage = storage
        self._stop_asked = Event()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            try:
                self._storage.append([Batch("a", [sample(self.acknowledged)])])
            except StorageError as error:
                self.refused.append(str(error))
                self._stop_asked.wait(0.01)
            except Exception as error:  # noqa: BLE001 - told by the test
                self.failure = error
                return
            else:
                self.acknowledged += 1

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


@pytest.mark.timeout(30 * ROUNDS)
def test_restarts_under_load_cost_nothing_that_was_acknowledged(postgres: Any, rounds: int) -> None:
    storage = opened(postgres.create_database())
    sender, pids, slowest = Sender(storage), {postgres.pid}, 0.0
    sender.start()
    try:
        for turn in range(rounds):
            before, felt = sender.acknowledged, len(sender.refused)
            eventually(lambda before=before: sender.acknowledged > before + 20)
            if turn % 2:
                postgres.kill()
            else:
                postgres.stop("immediate")
            eventually(lambda felt=felt: len(sender.refused) > felt)
            postgres.start()
            began, before = time.monotonic(), sender.acknowledged
            assert postgres.pid not in pids
            pids.add(postgres.pid)
            eventually(lambda before=before: sender.acknowledged > before)
            slowest = max(slowest, time.monotonic() - began)
    finally:
        sender.stop()
    assert sender.failure is None
    kept = numbers(storage)
    assert kept[: sender.acknowledged] == list(range(sender.acknowledged))
    assert len(kept) <= sender.acknowledged + 1
    assert slowest < 5
    storage.close()


def test_a_restart_while_nobody_asks_is_not_noticed(postgres: Any) -> None:
    storage = opened(postgres.create_database(), most_readers=2)
    storage.append([Batch("a", [sample(1)])])
    with ThreadPoolExecutor(2) as pool:
        barrier = Barrier(2)
        before = set(pool.map(lambda _: backend_pid(storage, barrier), range(2)))
    assert len(before) == 2
    postgres.stop("immediate")
    postgres.start()
    for i in range(4):
        assert numbers(storage) == list(range(1, i + 2))
        storage.append([Batch("a", [sample(i + 2)])])
    assert backend_pid(storage, Barrier(1)) not in before
    storage.close()


def backend_pid(storage: PostgresStorage, barrier: Barrier) -> int:
    """Return the process that serves a reader, once all readers of the barrier have theirs."""
    with storage._readers.cursor() as cursor:
        barrier.wait(5)
        return cursor.connection.info.backend_pid


def test_a_server_that_is_away_is_told_in_words_and_found_again(postgres: Any) -> None:
    url = postgres.create_database()
    storage = opened(url)
    storage.append([Batch("a", [sample(1)])])
    password = psycopg.conninfo.conninfo_to_dict(url)["password"]
    postgres.stop("fast")
    asks: list[Callable[[], object]] = [
        lambda: storage.append([Batch("a", [sample(2)])]),
        lambda: storage.history("a", "srv_1", WANTED, Window(0, NOW_MS)),
        lambda: storage.series("a", "srv_1"),
        lambda: numbers(storage),
        lambda: storage.forget("a", "srv_1"),
        storage.maintain,
        storage.usage,
        storage.check,
    ]
    try:
        for ask in asks:
            began = time.monotonic()
            with pytest.raises(StorageError) as refused:
                ask()
            assert time.monotonic() - began < 3
            assert "PostgreSQL at 127.0.0.1:" in str(refused.value)
            assert password not in f"{refused.value}{refused.value.__cause__}"
        with pytest.raises(StorageError, match="see that it runs"):
            opened(url)
    finally:
        postgres.start()
    eventually(lambda: is_well(storage), 5)
    storage.append([Batch("a", [sample(2)])])
    assert numbers(storage) == [1, 2]
    storage.close()


@contextmanager
def locked(_server: Any, url: str) -> Iterator[None]:
    """Hold a lock that every append waits for."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE hostpulse.samples IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def suspended(server: Any, _url: str) -> Iterator[None]:
    """Suspend every process of the server: connections stay, nothing answers."""
    first = psutil.Process(server.pid)
    processes = [first, *first.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
        assert all(process.status() == psutil.STATUS_STOPPED for process in processes)
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("stall", [locked, suspended])
def test_a_stall_is_answered_503_in_time_and_health_goes_on(postgres: Any, stall: Any) -> None:
    url = postgres.create_database()
    with ExitStack() as stack:
        backend = stack.enter_context(Backend(storage=url))
        backend.accept(report(time_ms=NOW_MS))
        pool = stack.enter_context(ThreadPoolExecutor(POSTS))
        with stall(postgres, url):
            began = time.monotonic()
            posts = [pool.submit(post, backend, i) for i in range(POSTS)]
            health = []
            while time.monotonic() - began < STALL_SECONDS:
                asked = time.monotonic()
                backend.json("/api/health")
                health.append(time.monotonic() - asked)
                time.sleep(0.1)
            answers = [one.result(0.1) for one in posts]  # all came while it was stalled
        assert {status for status, _, _ in answers} == {503}
        assert all(retry for _, _, retry in answers)
        slower = slowness(time.monotonic)
        assert max(seconds for _, seconds, _ in answers) < 7 * slower
        assert median(health) < 0.1 * slower
        eventually(lambda: backend.post(report(time_ms=NOW_MS + 1000)).status_code == 200, 5)
        for i in range(POSTS):  # as the agents' spools do it
            backend.accept(report(time_ms=NOW_MS - 5000 * (i + 1)))
        server = backend.json("/api/servers")["servers"][0]["id"]
        kept = list(backend.parts.storage.samples("default", server, 0, 2**53))
        assert len(kept) == POSTS + 2


def post(backend: Backend, number: int) -> tuple[int, float, str | None]:
    began = time.monotonic()
    body = report(time_ms=NOW_MS - 5000 * (number + 1))
    answer = requests.post(f"{backend.url}/api/metrics", json=body, timeout=30)
    return answer.status_code, time.monotonic() - began, answer.headers.get("Retry-After")


def test_readers_without_a_connection_wait_a_second_and_writers_do_not_notice(
    postgres: Any,
) -> None:
    storage = opened(postgres.create_database(), most_readers=2)
    storage.append([Batch("a", [sample(1)])])

    def read(_: int) -> tuple[str, float]:
        began = time.monotonic()
        try:
            numbers(storage)
        except StorageError as error:
            return str(error), time.monotonic() - began
        return "", time.monotonic() - began

    with ExitStack() as held, ThreadPoolExecutor(64) as pool:
        for _ in range(2):
            held.enter_context(storage._readers.cursor())
        reads = [pool.submit(read, i) for i in range(64)]
        storage.append([Batch("a", [sample(2)])])
        storage.check()
        outcomes = [one.result() for one in reads]
    assert all("does not answer" in said for said, _ in outcomes)
    assert max(seconds for _, seconds in outcomes) < 3
    with ThreadPoolExecutor(64) as pool:
        assert {said for said, _ in pool.map(read, range(64))} == {""}
    storage.close()
