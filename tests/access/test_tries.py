"""Failed sign-ins are counted by every process together, by network and in all."""

from __future__ import annotations

import os

import pytest
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.sessions import Client
from hostpulse.access.tries import Tries

from tests.access.test_people import join, sign_in
from tests.backend_under_test import Backend


def fail(tries: Tries, address: str) -> str:
    """Try once and fail; return what it was told."""
    with pytest.raises(AccessDenied) as refused, tries.attempt(Client(address, "a test")):
        raise AccessDenied(401, "wrong")
    return str(refused.value)


def test_f92_what_failed_in_one_process_counts_in_the_other(pair: list[Backend]) -> None:
    join(pair[0].parts.people, "ann")
    said = [sign_in(pair[i % 2], "ann", "wrong").status_code for i in range(12)]
    assert said == [401] * 10 + [429] * 2
    pair[0].clock.advance(31_000)
    assert [sign_in(pair[i % 2], "ann", "wrong").status_code for i in range(2)] == [401, 429]


def test_f92_a_crowd_of_guessers_waits_but_not_where_somebody_is_signed_in(
    backend: Backend,
) -> None:
    people = backend.parts.people
    join(people, "ann")  # from 127.0.0.1
    means = Means(people.members._store, backend.clock, os.urandom)
    crowd = [Tries(means, most=10, most_in_all=20) for _ in range(2)]
    for i in range(20):
        assert fail(crowd[i % 2], f"198.51.100.{i}") == "wrong"
    assert fail(crowd[0], "203.0.113.5") == "Too many failed attempts everywhere; wait a little."
    assert fail(crowd[1], "127.0.0.1") == "wrong"
    backend.clock.advance(31_000)
    assert fail(crowd[0], "203.0.113.5") == "wrong"


def test_what_is_forgotten_is_dropped(backend: Backend) -> None:
    people = backend.parts.people
    tries = Tries(Means(people.members._store, backend.clock, os.urandom))
    for i in range(5):
        fail(tries, f"198.51.100.{i}")
    backend.clock.advance(301_000)
    fail(tries, "203.0.113.5")
    with people.members._store.system_transaction() as connection:
        found = connection.exec_driver_sql("SELECT network FROM attempts ORDER BY network")
        assert found.scalars().all() == ["", "203.0.113.5"]
