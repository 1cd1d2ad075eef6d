"""A standby takes over: what was acknowledged is there, and posting goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from hostpulse.control.servers import server_id
from psycopg import sql

from tests.backend_under_test import NOW_MS, Backend, eventually
from tests.faults.kill_loop import Agent, Kept, Verdict, judge
from tests.postgres_server import USER, PostgresServer, Standby

FIRST_MS = NOW_MS - 12 * 3_600_000
TENANT = "default"
RESUMED_SECONDS = 15


class Pair:
    """A primary and its standby."""

    def __init__(self, find_program: Callable[..., str]) -> None:
        self.primary = PostgresServer(find_program)
        try:
            self.standby = Standby(find_program, self.primary)
        except BaseException:
            self.primary.close()
            raise

    def close(self) -> None:
        self.standby.close()
        self.primary.close()

    def url(self, database: str) -> str:
        """Return the URL of a database on whichever of the two takes writes."""
        hosts = ",".join(f"127.0.0.1:{one.port}" for one in (self.primary, self.standby))
        login = f"{USER}:{self.primary.password}"
        return f"postgresql://{login}@{hosts}/{database}?target_session_attrs=read-write"

    def create_database(self) -> str:
        """Make a database that both will have; return its name."""
        return self.primary.create_database().rpartition("/")[2]

    def wait_for_standby_at_each_commit(self) -> None:
        self.primary.execute(sql.SQL("ALTER SYSTEM SET synchronous_standby_names = '*'"))
        self.primary.execute(sql.SQL("SELECT pg_reload_conf()"))
        eventually(lambda: self.states() == [("streaming", "sync")])

    def states(self) -> list[tuple[object, ...]]:
        with psycopg.connect(self.primary.url()) as connection:
            return connection.execute(
                "SELECT state, sync_state FROM pg_stat_replication"
            ).fetchall()

    def catch_up(self) -> None:
        """Return when the standby has all that the primary has now."""
        with psycopg.connect(self.primary.url()) as connection:
            (end,) = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone() or ("",)
        with psycopg.connect(self.standby.url(), autocommit=True) as connection:
            has = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
            eventually(lambda: connection.execute(has, [end]).fetchone() == (True,))


@pytest.fixture
def pair(needs_program: Callable[..., str]) -> Iterator[Pair]:
    running = Pair(needs_program)
    yield running
    running.close()


@contextmanager
def posting(agents: list[Agent]) -> Iterator[None]:
    """Let the agents post meanwhile."""
    for agent in agents:
        agent.start()
    try:
        yield
    finally:
        for agent in agents:
            agent.stop()


def get_on(agents: list[Agent], seconds: float = 10) -> None:
    """Wait until each of them has had another ten samples acknowledged."""
    wanted = {agent: len(agent.acknowledged) + 10 for agent in agents}
    eventually(lambda: all(len(agent.acknowledged) >= wanted[agent] for agent in agents), seconds)


def verdict_on(backend: Backend, agents: list[Agent]) -> Verdict:
    kept: Kept = {
        agent.hostname: [
            (sample.time_ms, value)
            for sample in backend.parts.storage.samples(
                TENANT, server_id(TENANT, agent.hostname), 0, 2**53
            )
            for _key, value in sample.items()
        ]
        for agent in agents
    }
    return judge(agents, kept, 1)


def hostnames(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT hostname FROM servers")}


def check_refused_in_words(agents: list[Agent], pair: Pair) -> None:
    for agent in agents:
        assert agent.refused
        for status, said in agent.refused:
            assert status == 503
            assert len(json.loads(said)["error"].split()) > 4
            assert pair.primary.password not in said


def test_a_synchronous_standby_has_all_that_was_acknowledged_and_posting_goes_on_there(
    pair: Pair,
) -> None:
    pair.wait_for_standby_at_each_commit()
    database = pair.create_database()
    url = pair.url(database)
    with Backend(storage=url, control=url) as backend:
        agents = [Agent(backend.port, number, FIRST_MS) for number in range(4)]
        new = Agent(backend.port, 4, FIRST_MS)
        with posting(agents):
            get_on(agents)
            pair.primary.kill()
            eventually(lambda: all(agent.refused for agent in agents))
            pair.standby.promote()
            get_on(agents, RESUMED_SECONDS)
            with posting([new]):
                get_on([new])
        everyone = {agent.hostname for agent in (*agents, new)}
        eventually(lambda: hostnames(pair.standby.url(database)) == everyone)
        verdict = verdict_on(backend, [*agents, new])
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(pair.primary.url(), connect_timeout=2)
    assert verdict.acknowledged >= 80
    assert (verdict.lost, verdict.doubled, verdict.wrong) == ([], [], [])
    check_refused_in_words(agents, pair)


def test_a_standby_that_lags_behind_costs_what_it_had_not_received_and_nothing_later(
    pair: Pair,
) -> None:
    with Backend(storage=pair.url(pair.create_database())) as backend:
        old, new = (Agent(backend.port, number, FIRST_MS) for number in range(2))
        with posting([old]):
            get_on([old])
            pair.catch_up()
            pair.standby.stop_following()
            with posting([new]):  # a server that the standby never hears of
                get_on([old, new])
                pair.primary.kill()
                eventually(lambda: bool(old.refused and new.refused))
                before = {(one.hostname, at) for one in (old, new) for at in one.acknowledged}
                pair.standby.promote()
                get_on([old, new], RESUMED_SECONDS)
        verdict = verdict_on(backend, [old, new])
    assert {name for name, _ in verdict.lost} == {old.hostname, new.hostname}
    assert set(verdict.lost) <= before
    assert (verdict.doubled, verdict.wrong) == ([], [])
    check_refused_in_words([old, new], pair)
