"""What only the storage in PostgreSQL promises: its tables, its view, many processes, odd texts."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from math import isnan, nan
from pathlib import Path
from random import Random
from subprocess import PIPE
from typing import Any

import numpy as np
import psycopg
import pytest
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import (
    Batch,
    Options,
    Retention,
    StorageError,
    Wanted,
    Window,
    open_storage,
)
from hostpulse.storage.postgres import PostgresStorage
from hostpulse.storage.postgres.matrices import MOST_KEYS
from hostpulse.storage.postgres.wire import ADAPTERS, Ints, Moment, Reals, Times
from hostpulse.storage.postgres.words import from_text, to_text
from hostpulse.storage.series import build
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from tests.backend_under_test import NOW_MS, Clock

CPU, DISK = Key("cpu_percent_total"), Key("disk_percent", "/")
LAYOUT = Layout((CPU, DISK))
WANTED = Wanted((CPU.metric, DISK.metric))
MIDNIGHT_MS = NOW_MS // DAY_MS * DAY_MS
AROUND = Window(NOW_MS - 1000, NOW_MS + 1000)
DOUBLES = st.floats(allow_infinity=False)


def sample(time_ms: int, cpu: float = 1.0, server: str = "srv_1") -> Sample:
    return Sample(server, time_ms, LAYOUT, array("d", [cpu, 50.0]))


def opened(url: str, clock: Clock, **more: Any) -> PostgresStorage:
    return PostgresStorage(url, Options(clock, Path("unused"), **more))


@pytest.fixture
def url(postgres: Any) -> str:
    made: str = postgres.create_database()
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(url: str, clock: Clock) -> Iterator[PostgresStorage]:
    made = opened(url, clock)
    yield made
    made.close()


def rows(url: str, query: str, *values: object) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query, values)
        return list(cursor.fetchall()) if cursor.description else []


def tables(url: str, pattern: str) -> list[str]:
    query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ %s ORDER BY 1"
    return [name for (name,) in rows(url, query, pattern)]


# -- the view -------------------------------------------------------------------


def test_people_read_values_by_hostname_where_the_registry_is_in_the_database(
    url: str, storage: PostgresStorage
) -> None:
    storage.append([Batch("a", [sample(NOW_MS, nan), sample(NOW_MS + 5000, 7.5)])])
    query = "SELECT *, extract(epoch FROM time) * 1000 FROM hostpulse.metrics ORDER BY time, metric"
    found = [(*row[:2], int(row[6]), *row[3:6]) for row in rows(url, query)]
    expected = [
        ("a", "srv_1", NOW_MS, "disk_percent", "/", 50.0),
        ("a", "srv_1", NOW_MS + 5000, "cpu_percent_total", "", 7.5),
        ("a", "srv_1", NOW_MS + 5000, "disk_percent", "/", 50.0),
    ]
    assert found == expected
    rows(url, "CREATE TABLE servers (tenant text, id text, hostname text)")
    rows(url, "INSERT INTO servers VALUES ('a', 'srv_1', 'web-1'), ('b', 'srv_1', 'other')")
    found = rows(url, "SELECT DISTINCT tenant, hostname FROM hostpulse.metrics")
    assert found == [("a", "web-1")]


def test_a_reader_of_the_view_needs_no_other_right(
    postgres: Any, url: str, storage: PostgresStorage
) -> None:
    storage.append([Batch("a", [sample(NOW_MS, 3.0)])])
    rows(url, "CREATE TABLE servers (tenant text, id text, hostname text)")
    role = sql.Identifier("reader_" + url.rpartition("/")[2])
    for grant in (
        "CREATE ROLE {} LOGIN PASSWORD 'throw-away'",
        "GRANT USAGE ON SCHEMA hostpulse TO {}",
        "GRANT SELECT ON hostpulse.metrics TO {}",
    ):
        rows(url, sql.SQL(grant).format(role))
    reader = psycopg.conninfo.make_conninfo(url, user=role.as_string()[1:-1], password="throw-away")
    assert rows(reader, "SELECT value FROM hostpulse.metrics WHERE instance = ''") == [(3.0,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(reader, "SELECT * FROM hostpulse.samples")


def test_the_queries_of_the_documentation_answer(postgres: Any, url: str) -> None:
    page = Path(__file__).parents[2] / "docs/storage-postgresql.md"
    chart, grafana, reader = re.findall(r"```sql\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    now_ms = time.time_ns() // 1_000_000
    storage = opened(url, Clock(now_ms))
    layout = Layout((CPU, Key("memory_percent")))
    for ago_ms, cpu in ((2 * HOUR_MS, 1.0), (2000, 2.0), (1000, 3.0)):
        values = array("d", [cpu, 40.0 + cpu])
        storage.append([Batch("a", [Sample("srv_1", now_ms - ago_ms, layout, values)])])
    assert [row[1:] for row in rows(url, chart)] == [("srv_1", 2.0), ("srv_1", 3.0)]
    for macro, meaning in (
        ("$__timeGroup(time, $__interval)", "date_bin('1 day', time, now() - interval '1 day')"),
        ("$__timeFilter(time)", "time BETWEEN now() - interval '1 hour' AND now()"),
    ):
        assert macro in grafana
        grafana = grafana.replace(macro, meaning)
    assert [row[1:] for row in rows(url, grafana)] == [("srv_1", 42.5)]
    role = "grafana_" + url.rpartition("_")[2]
    rows(url, reader.replace("grafana", role))
    told = rows(url, "SELECT has_table_privilege(%s, 'hostpulse.metrics', 'SELECT')", role)
    assert told == [(True,)]
    storage.close()


# -- opening --------------------------------------------------------------------


def test_rights_on_its_own_database_are_enough(postgres: Any, url: str, clock: Clock) -> None:
    database = url.rpartition("/")[2]
    names = {"role": sql.Identifier("own_" + database), "database": sql.Identifier(database)}
    for statement in (
        "CREATE ROLE {role} LOGIN PASSWORD 'throw-away'",
        "GRANT CREATE, CONNECT ON DATABASE {database} TO {role}",
    ):
        rows(url, sql.SQL(statement).format(**names))
    own = psycopg.conninfo.make_conninfo(url, user="own_" + database, password="throw-away")
    storage = opened(own, clock)
    storage.append([Batch("a", [sample(NOW_MS)])])
    storage.maintain()
    assert len(list(storage.samples("a", "srv_1", 0, 2**53))) == 1
    storage.close()


def test_tables_of_a_newer_version_are_refused_and_left_alone(url: str, clock: Clock) -> None:
    opened(url, clock).close()
    rows(url, "UPDATE hostpulse.version SET version = 99")
    for read_only in (False, True):
        with pytest.raises(StorageError, match=r"version 99 .* knows version 1: use the newer"):
            opened(url, clock, read_only=read_only)
    assert rows(url, "SELECT version FROM hostpulse.version") == [(99,)]


def test_a_reader_makes_no_tables_and_writes_nothing(url: str, clock: Clock) -> None:
    with pytest.raises(StorageError, match="no samples yet"):
        opened(url, clock, read_only=True)
    assert rows(url, "SELECT to_regnamespace('hostpulse')") == [(None,)]
    opened(url, clock).close()
    reader = opened(url, clock, read_only=True)
    with pytest.raises(StorageError, match="read"):
        reader.append([Batch("a", [sample(NOW_MS)])])
    reader.close()


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql://user:se%zzcret@127.0.0.1/db",
        "postgresql://user:secret@127.0.0.1:port/db",
        "postgresql://user:secret@127.0.0.1:1/db",
        "postgresql://user:secret@127.0.0.1/db?secret=1",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(
    tmp_path: Path, clock: Clock, wrong: str
) -> None:
    with pytest.raises(StorageError) as refused:
        open_storage(wrong, Options(clock, tmp_path))
    error: BaseException | None = refused.value
    assert str(error).startswith("storage: ")
    assert "URL" in str(error)
    while error is not None:
        assert "cret" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_wrong_password_is_refused_without_it(url: str, clock: Clock) -> None:
    wrong = psycopg.conninfo.make_conninfo(url, password="not-the-right-one")
    with pytest.raises(StorageError, match="password authentication failed") as refused:
        opened(wrong, clock)
    assert "not-the-right-one" not in str(refused.value)


def test_a_commit_is_durable_even_if_the_database_is_set_otherwise(url: str, clock: Clock) -> None:
    name = sql.Identifier(url.rpartition("/")[2])
    careless = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name)
    rows(url, careless)
    assert rows(url, "SHOW synchronous_commit") == [("off",)]
    storage = opened(url, clock)
    with storage._writers.cursor() as cursor:
        assert cursor.execute("SHOW synchronous_commit").fetchone() == ("on",)
    storage.close()


# -- more than one process ------------------------------------------------------

PROCESS = """
import sys
from array import array
from pathlib import Path
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Batch, Options
from hostpulse.storage.postgres import PostgresStorage

url, first_ms, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
storage = PostgresStorage(url, Options(lambda: first_ms, Path("unused")))
layout = Layout((Key("cpu_percent_total"), Key("disk_percent", "/")))
for i in range(count):
    sys.stdin.readline()
    body = [
        Sample(f"srv_{n % 7}", first_ms + i * 100 + n // 7, layout, array("d", [1.0, 2.0]))
        for n in range(21)
    ]
    if sys.argv[4] == "backwards":
        body.reverse()
    print(storage.append([Batch("a", body)])[0].accepted, flush=True)
    if i % 5 == 0:
        storage.maintain()
storage.close()
"""


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_processes_that_start_together_and_race_on_one_body_store_it_once(
    url: str, rounds: int
) -> None:
    count = 5 * rounds
    line = [sys.executable, "-c", PROCESS, url, str(NOW_MS), str(count)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen([*line, order], stdin=PIPE, stdout=PIPE, text=True)
            )
            for order in ("forwards", "backwards", "forwards")
        ]
        assert [said(process) for process in processes] == ["ready"] * 3
        for process in processes:  # all open the storage at the same time
            tell(process)
        accepted = [0, 0, 0]
        for turn in range(count):
            for i in range(3):
                tell(processes[(turn + i) % 3])
            for i, process in enumerate(processes):
                accepted[i] += int(said(process))
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(accepted) == 21 * count
    assert max(accepted) < 21 * count  # they did race
    (kept,) = rows(url, "SELECT count(*), count(DISTINCT (server_id, time)) FROM hostpulse.samples")
    assert kept == (21 * count, 21 * count)


def test_a_server_forgotten_by_one_process_begins_anew_in_the_others(
    url: str, storage: PostgresStorage, clock: Clock
) -> None:
    other = opened(url, clock)
    for one in (storage, other):
        one.append([Batch("a", [sample(NOW_MS), sample(NOW_MS, server="srv_2")])])
    other.forget("a", "srv_1")
    done = storage.append([Batch("a", [sample(NOW_MS, 5.0)])])
    assert done[0].accepted == 1
    assert [one.get(CPU) for one in other.samples("a", "srv_1", 0, 2**53)] == [5.0]
    assert rows(url, "SELECT count(*) FROM hostpulse.samples") == [(3,)]
    other.maintain()
    assert rows(url, "SELECT count(*) FROM hostpulse.samples") == [(2,)]
    assert rows(url, "SELECT count(*) FROM hostpulse.forgotten") == [(0,)]
    other.close()


def test_no_sample_slips_past_the_line_between_late_and_on_time(
    url: str, clock: Clock, rounds: int
) -> None:
    """Appends race with the line and the roll-ups; in the end these say what the samples say."""
    clock.now_ms = MIDNIGHT_MS + HOUR_MS
    storage, upkeep = opened(url, clock), opened(url, clock)
    over = threading.Event()

    def keep_up() -> None:
        while not over.is_set():
            clock.advance(20_000)
            upkeep.maintain()

    thread = threading.Thread(target=keep_up)
    thread.start()
    try:
        sent = send_now_and_late(storage, clock, 20 * rounds)
    finally:
        over.set()
        thread.join()
    clock.advance(2 * HOUR_MS)
    upkeep.maintain()
    assert rows(url, "SELECT count(*) FROM hostpulse.dirty") == [(0,)]
    assert rows(url, "SELECT sum(count[1]) FROM hostpulse.rollup_1h") == [(len(sent),)]
    times, values = list(sent), list(sent.values())
    for bucket_ms in (MINUTE_MS, HOUR_MS):
        end_ms = clock.now_ms // HOUR_MS * HOUR_MS
        window = Window(MIDNIGHT_MS, end_ms, bucket_ms=bucket_ms)
        (found,) = upkeep.history("a", "srv_1", Wanted((CPU.metric,)), window).series
        (pure,) = build(times, {CPU: values}, window).series
        assert found.points.count == pure.points.count
        assert np.array_equal(found.points.last, pure.points.last, equal_nan=True)
    storage.close()
    upkeep.close()


def send_now_and_late(storage: PostgresStorage, clock: Clock, count: int) -> dict[int, float]:
    """Append samples up to ten minutes old; return time -> value in order of time."""
    chance, sent = Random(1), dict[int, float]()
    for _ in range(count):
        near_ms = clock.now_ms - chance.randrange(10 * MINUTE_MS)
        fresh = {near_ms + chance.randrange(5000) for _ in range(5)} - set(sent)
        body = {time_ms: float(chance.randrange(100)) for time_ms in fresh}
        sent |= body
        storage.append([Batch("a", [sample(*one) for one in body.items()])])
    return dict(sorted(sent.items()))


def test_the_line_waits_for_appends_that_began_before_it_moves(
    url: str, storage: PostgresStorage, clock: Clock
) -> None:
    line = "SELECT open_from FROM hostpulse.progress"
    (before,) = rows(url, line)
    clock.advance(HOUR_MS)
    with storage._writers.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT hostpulse.enter(0)")
        with pytest.raises(StorageError, match="took too long"):
            storage.maintain()
        assert rows(url, line) == [before]
    storage.maintain()
    assert rows(url, line) > [before]


def test_one_process_at_a_time_does_the_upkeep(
    url: str, storage: PostgresStorage, clock: Clock
) -> None:
    storage.append([Batch("a", [sample(NOW_MS)])])
    clock.advance(HOUR_MS)
    with storage._upkeep._turn():
        other = opened(url, clock)
        other.maintain()
        assert rows(url, "SELECT count(*) FROM hostpulse.rollup_1m") == [(0,)]
    other.maintain()
    assert rows(url, "SELECT count(*) FROM hostpulse.rollup_1m") == [(1,)]
    other.close()


# -- retention ------------------------------------------------------------------


def test_retention_drops_whole_partitions_and_what_only_they_used(url: str, clock: Clock) -> None:
    clock.now_ms = MIDNIGHT_MS
    storage = opened(url, clock, retention=Retention(2 * DAY_MS, 5 * DAY_MS, 10 * DAY_MS))
    for day in range(60):
        layout = Layout((CPU, Key("disk_percent", f"/{day}")))
        values = array("d", [1.0, 2.0])
        storage.append([Batch("a", [Sample("srv_1", clock.now_ms, layout, values)])])
        clock.advance(DAY_MS)
        storage.maintain()
    assert len(tables(url, "^samples_")) == 3  # today's is ready
    assert len(tables(url, "^rollup_1m_")) in (5, 6)
    assert len(tables(url, "^rollup_1h_")) in (1, 2)
    layouts = rows(url, "SELECT count(*) FROM hostpulse.layouts")[0][0]
    assert 10 <= layouts <= 10 + 31  # roll-ups of an hour go by the month
    assert len(storage.series("a", "srv_1")) == layouts + 1
    storage.close()


def test_a_roll_up_outlives_a_late_sample_whose_companions_are_gone(url: str, clock: Clock) -> None:
    clock.now_ms = MIDNIGHT_MS
    storage = opened(url, clock, retention=Retention(DAY_MS))
    many = [sample(MIDNIGHT_MS + i * 1000, float(i)) for i in range(60)]
    storage.append([Batch("a", many)])
    for _ in range(60):
        clock.advance(HOUR_MS)
        storage.maintain()
    assert not list(storage.samples("a", "srv_1", 0, 2**53))
    clock.now_ms = MIDNIGHT_MS + HOUR_MS  # set back by hand: the sample is not too old now
    late = storage.append([Batch("a", [sample(MIDNIGHT_MS + 500, 99.0)])])
    assert late[0].accepted == 1
    storage.maintain()
    assert rows(url, "SELECT count[1], max[1] FROM hostpulse.rollup_1m") == [(60, 59.0)]
    storage.close()


def test_the_shape_of_a_server_may_change_all_the_time_and_roll_ups_stay_bounded(
    url: str, storage: PostgresStorage, clock: Clock
) -> None:
    start_ms = MIDNIGHT_MS
    clock.now_ms = start_ms + MINUTE_MS
    width = 1500
    for i in range(10):
        keys = (CPU, *(Key("custom.x", f"{i}-{n}") for n in range(width)))
        values = array("d", [float(i)] * (width + 1))
        storage.append([Batch("a", [Sample("srv_1", start_ms + i, Layout(keys), values)])])
    clock.advance(HOUR_MS)
    storage.maintain()
    query = "SELECT cardinality(count), count[1] FROM hostpulse.rollup_1m"
    assert rows(url, query) == [(MOST_KEYS, 10)]
    window = Window(start_ms, start_ms + HOUR_MS, bucket_ms=MINUTE_MS)
    found = storage.history("a", "srv_1", Wanted((CPU.metric,)), window)
    assert (found.series[0].points.max[0], found.series[0].points.count[0]) == (9.0, 10)


# -- texts and numbers ----------------------------------------------------------


@given(st.text(st.characters(codec=None)))
def test_f95_any_text_can_be_written_and_comes_back(text: str) -> None:
    written = to_text(text)
    assert from_text(written) == text
    assert "\0" not in written
    written.encode()  # has no lone surrogates


def test_names_may_be_any_text(storage: PostgresStorage) -> None:
    odd = ["", "'; DROP TABLE x; --", 'a"b\\c\n\t', "\0nul", "\ud800", "é🦉", "x" * 4096]
    odd.append("".join(chr(Random(3).randrange(0x4E00, 0x9FFF)) for _ in range(4096)))
    layout = Layout(tuple(Key("custom.x", text) for text in odd))
    values = array("d", range(len(odd)))
    for text in odd:
        storage.append([Batch(text, [Sample(text, NOW_MS, layout, values)])])
    for text in odd:
        assert storage.series(text, text) == list(layout.keys)
        found = storage.history(text, text, Wanted(("custom.x",), text), AROUND)
        assert [one.points.mean for one in found.series] == [[float(odd.index(text))]]
        (one,) = storage.samples(text, text, 0, 2**53)
        assert (one.server, one.layout.keys, one.values) == (text, layout.keys, values)


def test_more_keys_than_one_statement_takes_are_read(storage: PostgresStorage) -> None:
    layout = Layout(tuple(Key("custom.x", str(i)) for i in range(900)))
    for i in range(2):
        values = array("d", range(i, 900 + i))
        storage.append([Batch("a", [Sample("srv_1", NOW_MS + i, layout, values)])])
    found = storage.history("a", "srv_1", Wanted(("custom.x",)), AROUND)
    assert [one.points.mean for one in found.series] == [[i, i + 1] for i in range(900)]


def test_a_group_larger_than_one_statement_is_one_commit(
    storage: PostgresStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hostpulse.storage.postgres.appending._MOST_NUMBERS", 10)
    storage.append([Batch("a", [sample(NOW_MS + 3)])])
    done = storage.append([Batch("a", [sample(NOW_MS + i) for i in range(100)])])
    assert (done[0].accepted, done[0].duplicates) == (99, 1)
    assert len(list(storage.samples("a", "srv_1", 0, 2**53))) == 100


@given(
    st.lists(DOUBLES),
    st.lists(st.integers(-(2**31), 2**31 - 1)),
    st.lists(st.integers(0, 2**53)),
)
def test_arrays_are_to_postgresql_what_they_are_here(
    connection: psycopg.Connection[Any],
    reals: Sequence[float],
    ints: Sequence[int],
    times: Sequence[int],
) -> None:
    cursor = connection.cursor(binary=True)
    sent = [Reals(reals), Ints(ints), Times(times)]
    row = cursor.execute("SELECT %s, %s, %s", sent).fetchone()
    assert row is not None
    assert np.array_equal(row[0], np.array(reals, np.float64), equal_nan=True)
    assert (row[1].tolist(), row[2]) == (list(ints), list(times))
    told = cursor.execute("SELECT %s::text[], %s::text[]", sent[:2]).fetchone()
    assert told is not None
    assert all(float(a) == b or isnan(b) for a, b in zip(told[0], reals, strict=True))
    assert list(map(int, told[1])) == list(ints)


@pytest.fixture(scope="module")
def connection(postgres: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres.url(), autocommit=True, context=ADAPTERS) as made:
        yield made


def test_a_moment_is_the_time_it_says(connection: psycopg.Connection[Any]) -> None:
    cursor = connection.cursor(binary=True)
    row = cursor.execute("SELECT %s, %s::text", [Moment(NOW_MS), Moment(0)]).fetchone()
    assert row is not None
    assert row[0] == NOW_MS
    assert row[1].startswith(("1970-01-01 00:00:00", "1969-12-31", "1970-01-01"))


def test_a_day_of_a_fleet_that_grew_is_the_newest_whole_day(
    url: str, storage: PostgresStorage
) -> None:
    def day(start_ms: int, servers: int) -> list[Sample]:
        times = range(start_ms, start_ms + DAY_MS, 10 * MINUTE_MS)
        return [sample(at, server=f"srv_{n}") for n in range(servers) for at in times]

    yesterday_ms = MIDNIGHT_MS - DAY_MS
    before = [one for one in day(yesterday_ms - DAY_MS, 1) if one.time_ms >= NOW_MS - 2 * DAY_MS]
    sent = [*before, *day(yesterday_ms, 4), sample(MIDNIGHT_MS)]
    storage.append([Batch("a", sent)])
    raw, *_ = storage.usage().tiers
    assert raw.size_bytes is not None
    assert raw.day_bytes == round(raw.size_bytes * len(day(yesterday_ms, 4)) / len(sent))
    rows(url, "DELETE FROM hostpulse.samples WHERE time < %s::timestamptz", "2026-11-22 20:30Z")
    raw, *_ = storage.usage().tiers  # the newest hour is whole, and no day is
    assert raw.size_bytes is not None
    left = 4 * (3 * 6 + 3) + 1
    assert raw.day_bytes == round(raw.size_bytes * 4 * 6 / left * 24)
