"""A connection that stays open and carries nothing any more is given up in time, at both ends."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Appended, Batch, Options, StorageError
from hostpulse.storage.postgres import PostgresStorage
from hostpulse.storage.postgres.schema import GATE_LOCK, LOCKS

from tests.backend_under_test import NOW_MS, Backend, eventually, report
from tests.pace import slowness
from tests.relay import ANSWERS, REQUESTS, Relay

ANSWER_SECONDS = 7
DETECTED_SECONDS = 20
WARM_UP = 6
READERS = 3
LAYOUT = Layout((Key("cpu_percent_total"),))


@pytest.fixture
def url(postgres: Any) -> str:
    return postgres.create_database()


@pytest.fixture
def relay(url: str) -> Iterator[Relay]:
    parts = urlsplit(url)
    with Relay(parts.hostname or "", parts.port or 5432) as running:
        yield running


def through(relay: Relay, url: str) -> str:
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{login}@127.0.0.1:{relay.port}").geturl()


@pytest.fixture
def storage(relay: Relay, url: str) -> Iterator[PostgresStorage]:
    opened = PostgresStorage(through(relay, url), Options(lambda: NOW_MS, Path("unused")))
    yield opened
    opened.close()


def stored(url: str) -> list[int]:
    """Return when the samples are from that the server has, as ms after NOW_MS."""
    ask = "SELECT (extract(epoch FROM time) * 1000)::bigint - %s FROM hostpulse.samples ORDER BY 1"
    with psycopg.connect(url) as connection:
        return [after_ms for (after_ms,) in connection.execute(ask, [NOW_MS])]


def warm_up(storage: PostgresStorage) -> None:
    """Return when all writing connections have appended: from then on that is one message."""
    pool = storage._writers._pool
    eventually(lambda: pool.get_stats()["pool_available"] == pool.get_stats()["pool_size"])
    for number in range(WARM_UP):
        append(storage, number - WARM_UP)


def append(storage: PostgresStorage, *numbers: int) -> Appended:
    samples = [Sample("srv_1", NOW_MS + i, LAYOUT, array("d", [float(i)])) for i in numbers]
    (done,) = storage.append([Batch("a", samples)])
    return done


def takes(storage: PostgresStorage, *numbers: int) -> bool:
    try:
        append(storage, *numbers)
    except StorageError:
        return False
    return True


@pytest.mark.parametrize("lost", [REQUESTS, ANSWERS])
def test_posts_are_refused_in_time_and_go_on_over_a_new_connection(
    relay: Relay, url: str, lost: str
) -> None:
    with Backend(storage=through(relay, url)) as backend:
        backend.accept(report(time_ms=NOW_MS))
        relay.lose(lost)
        for number in (1, 2):
            began = time.monotonic()
            refused = backend.post(report(time_ms=NOW_MS - 5000 * number))
            assert time.monotonic() - began < ANSWER_SECONDS * slowness(time.monotonic)
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert len(refused.json()["error"].split()) > 4
        assert relay.swallowed_bytes
        relay.forward_new()
        again = report(time_ms=NOW_MS - 5000)
        eventually(lambda: backend.post(again).status_code == 200, DETECTED_SECONDS)
        backend.accept([report(time_ms=NOW_MS - 5000 * number) for number in range(4)])
    assert stored(url) == [-15_000, -10_000, -5000, 0]


def test_what_was_committed_unheard_is_a_duplicate_when_it_comes_again(
    relay: Relay, url: str, storage: PostgresStorage
) -> None:
    warm_up(storage)
    append(storage, 1)
    relay.lose(ANSWERS)
    with pytest.raises(StorageError, match="does not answer"):
        append(storage, 2)
    assert stored(url)[-2:] == [1, 2]
    relay.forward_new()
    eventually(lambda: takes(storage, 3), DETECTED_SECONDS)
    again = append(storage, 2, 3, 4)
    assert (again.accepted, again.duplicates) == (1, 2)
    assert stored(url)[-4:] == [1, 2, 3, 4]


def test_the_silence_of_one_connection_costs_a_single_question(
    relay: Relay, storage: PostgresStorage
) -> None:
    append(storage, 1)
    together = Barrier(READERS)
    with ThreadPoolExecutor(READERS) as pool:
        made = set(pool.map(lambda _: reader(storage, together), range(READERS)))
    assert len(made) == READERS
    relay.lose(REQUESTS)
    relay.forward_new()
    with pytest.raises(StorageError, match="does not answer"):
        storage.series("a", "srv_1")
    for _ in range(READERS):
        assert storage.series("a", "srv_1") == list(LAYOUT.keys)
        assert reader(storage, Barrier(1)) not in made


def reader(storage: PostgresStorage, together: Barrier) -> int:
    """Return the process that serves a reader, once all of them have theirs."""
    with storage._readers.cursor() as cursor:
        together.wait(5)
        return cursor.connection.info.backend_pid


def test_the_server_gives_up_what_a_silent_connection_holds(
    relay: Relay, url: str, storage: PostgresStorage
) -> None:
    append(storage, 1)
    with (
        pytest.raises(StorageError, match="does not answer"),
        storage._writers.transaction() as cursor,
    ):
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, GATE_LOCK])
        relay.lose(REQUESTS)
    assert is_gate_held(url)
    eventually(lambda: not is_gate_held(url), DETECTED_SECONDS)
    relay.forward_new()
    eventually(lambda: takes(storage, 2), DETECTED_SECONDS)


def is_gate_held(url: str) -> bool:
    """Tell whether somebody keeps every append waiting."""
    ask = "SELECT 1 FROM pg_locks WHERE mode = 'ExclusiveLock' AND (classid, objid) = (%s, %s)"
    with psycopg.connect(url) as connection:
        return connection.execute(ask, [LOCKS, GATE_LOCK]).fetchone() is not None


def test_the_kernel_alone_does_not_notice(relay: Relay, url: str) -> None:
    settings = "tcp_user_timeout=500&keepalives_idle=1&keepalives_interval=1&keepalives_count=1"
    connection = psycopg.connect(f"{through(relay, url)}?{settings}", autocommit=True)
    relay.lose(ANSWERS)
    asking = Thread(target=ask, args=(connection,))
    asking.start()
    asking.join(3)
    assert asking.is_alive()
    relay.close_all()
    asking.join()


def ask(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
