"""The PostgreSQL that tests start can be trusted with what they ask of it."""

from __future__ import annotations

import psycopg
import pytest

from tests.postgres_server import GivenPostgres


def scalar(url: str, statement: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
        return row and row[0]


def test_each_database_is_new_and_commits_are_synced(postgres: GivenPostgres) -> None:
    one, other = postgres.create_database(), postgres.create_database()
    with psycopg.connect(one) as connection:
        connection.execute("CREATE TABLE here (a int)")
    assert scalar(other, "SELECT count(*) FROM pg_tables WHERE tablename = 'here'") == 0
    assert scalar(one, "SHOW fsync") == scalar(one, "SHOW synchronous_commit") == "on"


@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
def test_it_comes_back_with_what_was_committed(postgres: GivenPostgres, how: str) -> None:
    url = postgres.create_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS a")
    first = postgres.pid
    if how == "kill":
        postgres.kill()
    else:
        postgres.stop(how)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    postgres.start()
    assert postgres.pid != first
    assert scalar(url, "SELECT a FROM kept") == 7
