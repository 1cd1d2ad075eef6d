"""F95: text that is a command to a database is text to it: kept, found again, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from tests.backend_under_test import INTERVAL_MS, NOW_MS, Backend, report

VICTIM = "victim"
TEXTS = [
    "'; DROP TABLE servers; --", "' OR '1'='1", '" OR ""="', "x') OR 1=1 --",
    "1; SELECT pg_sleep(9)", "'||(SELECT version())||'", "$$;DROP SCHEMA public CASCADE;$$",
    "E'\\047'", "\\", "\\'", "%", "_", "%s", "%(tenant)s", ":tenant", "$1", "?", "{0}", "NULL",
    "DEFAULT", 'x" UNION SELECT * FROM keys --', "'; DROP DATABASE x --", "x' OR time > 0 --",
    "/.*/", "=~ /.*/", "a,b=c d=1", "a b=1i 9", "x,server=victim", "victim,", 'server="victim"',
    '{__name__=~".+"}', 'up{job="x"} or vector(1)', "|> drop()", "*", "victim\\",
]  # fmt: skip
NUMBERS = {name: 1.0 + at for at, name in enumerate([VICTIM, *TEXTS])}
PARAMETERS = (
    "metrics",
    "instance",
    "start",
    "end",
    "points",
    "range",
    "since",
    "spark",
    "sort",
    "q",
)


def machine(text: str, time_ms: int, number: float) -> dict[str, Any]:
    """Make a report in which every name is this text."""
    return report(
        text,
        time_ms,
        tags=[text],
        cpu={"cpu_percent_total": number},
        disk={"partitions": [{"mountpoint": text, "percent": number}]},
        io={"network": {text: {"bytes_recv_per_sec": number}}},
        temperatures={text: number},
        custom={text: number},
    )


def window(backend: Backend, server: str, **more: Any) -> dict[str, Any]:
    """Ask for the last minute of a server; return its series by metric and instance."""
    path = f"/api/servers/{quote(server, safe='')}/history"
    asked = {"start": NOW_MS - 60_000, "end": NOW_MS + 1, **more}
    answer = backend.json(path, **asked)
    return {(one["metric"], one.get("instance", "")): one for one in answer["series"]}


@contextmanager
def unharmed(backend: Backend) -> Iterator[None]:
    """Fill a backend with all names, and check that the block leaves another server as it is."""
    times = (NOW_MS - INTERVAL_MS, NOW_MS)
    for time_ms in times:
        machines = [machine(name, time_ms, number) for name, number in NUMBERS.items()]
        assert backend.accept(machines)["accepted"] == len(NUMBERS)
    before = window(backend, VICTIM, metrics="cpu_percent_total")
    assert [one["mean"] for one in before.values()] == [[NUMBERS[VICTIM]] * len(times)]
    yield
    assert window(backend, VICTIM, metrics="cpu_percent_total") == before


@pytest.fixture(params=["postgresql", "influxdb"])
def filled(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A backend on a real database, which is to consist of the same parts afterwards."""
    engine = request.getfixturevalue("postgres" if request.param == "postgresql" else "influxdb")
    if request.param == "postgresql":
        url = engine.create_database()
        question = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v') ORDER BY relname"
        with Backend(storage=url, control=url) as backend, unharmed(backend):
            with psycopg.connect(url) as connection:
                before = connection.execute(question).fetchall()
            yield backend
            with psycopg.connect(url) as connection:
                assert connection.execute(question).fetchall() == before
    else:
        with Backend(storage=engine.url("inject")) as backend, unharmed(backend):
            before = engine.query("SHOW DATABASES")
            yield backend
            assert engine.query("SHOW DATABASES") == before


def rows(backend: Backend) -> dict[str, Any]:
    return {row["hostname"]: row for row in backend.json("/api/servers")["servers"]}


def test_f95_names_that_are_commands_are_kept_and_found_again(filled: Backend) -> None:
    found = rows(filled)
    assert set(found) == set(NUMBERS)
    for name, number in NUMBERS.items():
        row = found[name]
        assert row["tags"] == [name]
        for metric in ("disk_percent", "bytes_recv_per_sec", "temperature_celsius"):
            shown = window(filled, row["id"], metrics=metric, instance=name)
            assert list(shown) == [(metric, name)]
            assert set(shown[metric, name]["mean"]) == {number}
        listed = filled.json(f"/api/servers/{row['id']}/series")["series"]
        assert f"custom.{name}" in {one["metric"] for one in listed}
        if "/" not in name:  # it ends a name in an address; such servers are asked for by id
            assert filled.json(f"/api/servers/{quote(name, safe='')}")["id"] == row["id"]


def test_f95_a_parameter_that_is_a_command_is_a_name_that_is_not_there(filled: Backend) -> None:
    for parameter, text in itertools.product(PARAMETERS, TEXTS):
        for path in ("/api/servers", f"/api/servers/{VICTIM}/history"):
            asked = {"metrics": "cpu_percent_total", parameter: text}
            answer = filled.get(path, **asked)
            assert answer.status_code in (200, 400), (path, parameter, text, answer.text)


def test_f95_deleting_one_such_server_deletes_no_other(filled: Backend) -> None:
    for name in TEXTS:
        path = f"/api/servers/{quote(name + '!', safe='')}"
        assert filled.request("DELETE", path).status_code in (404, 405), name
    gone = TEXTS[0]
    assert filled.request("DELETE", f"/api/servers/{quote(gone, safe='')}").ok
    assert set(rows(filled)) == set(NUMBERS) - {gone}
