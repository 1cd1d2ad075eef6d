"""Refused requests in the audit log: who asked, what, how often, and that no flood fills it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hostpulse.access.principal import NOBODY
from hostpulse.access.refusals import MOST_OF_ONE, MOST_OF_STRANGERS, SPAN_MS
from hostpulse.control.audit_rows import AuditRow

from tests.access.world import NO_LIMITS, REMOTE, Organisation, World, of_key
from tests.backend.control_places import Place
from tests.backend_under_test import Clock, report


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(place: Place, clock: Clock) -> Iterator[World]:
    with place.backend(clock, auth=True, **NO_LIMITS) as backend:
        yield World(backend)


def refused(world: World, org: Organisation) -> list[AuditRow]:
    """Return what an organisation's log says of refused requests, the oldest first."""
    world.backend.parts.refusals.save()
    rows = [row for _, row in world.people.log.newest(org.by, 0, 10_000)]
    return [row for row in reversed(rows) if row.action == "ask"]


def flood(world: World, addresses: int, each: int) -> None:
    for number in range(addresses * each):
        network = f"2001:db8:{number % addresses:x}::1"
        world.backend.parts.refusals.note(NOBODY, "", "POST /api/metrics", 401, network)


def test_who_was_refused_and_what_they_asked_is_in_the_log_of_their_organisation(
    world: World,
) -> None:
    ask, viewer = world.backend.request, world.home.people["viewer"]
    foreign = f"/api/servers/{world.other.ids['server']}"
    assert ask("GET", foreign, headers=viewer.headers).status_code == 404
    assert ask("DELETE", foreign, headers=viewer.headers).status_code == 403
    no_csrf = {"Cookie": viewer.headers["Cookie"]} | REMOTE
    assert ask("DELETE", "/api/sessions", headers=no_csrf).status_code == 403
    agent = of_key(world.home.keys["agent"])
    assert ask("GET", "/api/servers", headers=agent).status_code == 403
    revoked = of_key(world.home.keys["revoked"])
    assert world.backend.post(report(), headers=revoked).status_code == 401
    read = of_key(world.home.keys["token read"])
    assert world.backend.post(report(), headers=read).status_code == 403
    rows = refused(world, world.home)
    agent_name = f"agent key {rows[3].actor.rpartition(' ')[2]}"
    token = f"personal key {world.home.ids['token read']}"
    assert [(row.actor, row.object) for row in rows] == [
        (f"user {viewer.name}", "GET /api/servers/<server> (404)"),
        (f"user {viewer.name}", "DELETE /api/servers/<server> (403)"),
        (f"user {viewer.name}", "DELETE /api/sessions (403)"),
        (agent_name, "GET /api/servers (403)"),
        (f"a refused ingest key {world.home.keys['revoked'].split('_')[2]}",
         "POST /api/metrics (401)"),
        (token, "POST /api/metrics (403)"),
    ]  # fmt: skip
    assert {row.result for row in rows} == {"refused"}
    assert {row.address for row in rows} == {"127.0.0.1"}
    assert refused(world, world.other) == []


def test_what_is_no_refusal_is_not_in_the_log(world: World) -> None:
    ask, viewer = world.backend.request, world.home.people["viewer"]
    assert ask("GET", "/api/servers", headers=REMOTE).status_code == 401  # signed out
    assert ask("GET", "/nothing/here", headers=viewer.headers).status_code == 404
    assert ask("GET", "/api/servers", headers=viewer.headers).status_code == 200
    assert refused(world, world.home) == []


def test_of_a_flood_the_first_are_rows_and_the_others_a_number(world: World, clock: Clock) -> None:
    viewer = world.home.people["viewer"]
    for _ in range(MOST_OF_ONE + 7):
        world.backend.request("GET", "/api/keys", headers=viewer.headers)
    editor = world.home.people["editor"]
    world.backend.request("GET", "/api/people", headers=editor.headers)
    rows = refused(world, world.home)
    assert [row.actor for row in rows].count(f"user {viewer.name}") == MOST_OF_ONE
    assert rows[-1].actor == f"user {editor.name}"  # nobody hides behind another one's flood
    clock.advance(SPAN_MS)
    last = refused(world, world.home)[-1]
    assert (last.actor, last.object) == (f"user {viewer.name}", "7 more requests, left out here")
    world.backend.request("GET", "/api/keys", headers=viewer.headers)
    assert refused(world, world.home)[-1].object == "GET /api/keys (403)"


def test_strangers_from_everywhere_fill_neither_the_log_nor_the_memory(
    world: World, clock: Clock
) -> None:
    flood(world, addresses=5000, each=3)
    assert len(refused(world, world.home)) == MOST_OF_STRANGERS
    clock.advance(SPAN_MS)
    rows = refused(world, world.home)[MOST_OF_STRANGERS:]
    left_out = sum(int(row.object.split()[0]) for row in rows)
    assert left_out == 15_000 - MOST_OF_STRANGERS
    assert len(rows) <= MOST_OF_STRANGERS + 1


def test_what_waits_for_a_store_that_is_away_is_written_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hostpulse.access import refusals
    from hostpulse.control.store import StoreAway

    def fail(*_: object) -> None:
        raise StoreAway("control: away.")

    with monkeypatch.context() as broken:
        broken.setattr(refusals, "_write", fail)
        flood(world, addresses=1, each=2)
        with pytest.raises(StoreAway):
            world.backend.parts.refusals.save()
    assert len(refused(world, world.home)) == 2
