"""Operators run the server for all organisations, and look into one only when it is told why."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import requests
from hostpulse.access.principal import ADMIN, Principal
from hostpulse.access.sessions import HOUR_MS
from hostpulse.control import people_rows

from tests.access.test_people import HERE, join
from tests.access.world import PASSWORD, of_key, of_session
from tests.backend.control_places import Place
from tests.backend_under_test import Backend, eventually, report
from tests.programs import command

TOKEN = {"label": "a script", "scopes": ["read"]}
REASON = "the owner asked for help with a disk"


def ask(
    backend: Backend, session: str, method: str, path: str, json: Any = None
) -> requests.Response:
    return backend.request(method, path, headers=of_session(session), json=json)


@pytest.fixture
def operator(backend: Backend) -> str:
    """The session of the first owner of this server."""
    return join(backend.parts.people, "ann")[1]


@pytest.fixture
def theirs(backend: Backend, operator: str) -> dict[str, str]:
    """Another organisation: the session of its owner, its key and its server."""
    made = ask(backend, operator, "POST", "/api/tenants", {"id": "zoo", "name": "Zoo Ltd"})
    assert made.status_code == 200, made.text
    link = made.json()["link"].partition("#")[2]
    owner = backend.parts.people.links.use(link, "zoe", PASSWORD, HERE).token
    by = Principal("zoo", "test", ADMIN, "owner")
    key = backend.parts.issuer.make_ingest(by, "all").text
    assert post(backend, key) == 200
    server = backend.parts.servers.find("zoo", "zebra").id
    return {"owner": owner, "key": key, "server": server}


def post(backend: Backend, key: str) -> int:
    return backend.post(report("zebra"), headers=of_key(key)).status_code


def log_of(backend: Backend, tenant: str) -> list[tuple[str, str, str, str]]:
    rows = backend.parts.people.log.newest(Principal(tenant), 0, 100)
    return [(row.actor, row.action, row.object, row.result) for _, row in rows]


def test_the_first_owner_of_the_server_is_an_operator_and_that_of_another_organisation_is_not(
    backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    listed = ask(backend, operator, "GET", "/api/tenants").json()
    assert [(one["id"], one["people"], one["servers"]) for one in listed["tenants"]] == [
        ("default", 1, 0),
        ("zoo", 1, 1),
    ]
    assert ask(backend, theirs["owner"], "GET", "/api/tenants").status_code == 403
    assert ("user ann", "make a setup link", "owner", "done") in log_of(backend, "zoo")


def test_an_operator_sees_nothing_of_another_organisation_without_saying_why(
    backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    path = f"/api/servers/{theirs['server']}"
    assert ask(backend, operator, "GET", path).status_code == 404
    for reason in ("", "  look  ", "x" * 201):
        visit = ask(backend, operator, "POST", "/api/tenants/zoo/visit", {"reason": reason})
        assert visit.status_code == 422
        assert "reason: say in 10 to 200 characters why" in visit.text
    assert ask(backend, operator, "GET", path).status_code == 404


def test_a_visit_shows_and_changes_nothing_ends_by_itself_and_stands_in_both_logs(
    backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    path = f"/api/servers/{theirs['server']}"
    visit = ask(backend, operator, "POST", "/api/tenants/zoo/visit", {"reason": REASON})
    assert visit.status_code == 200, visit.text
    session = ask(backend, operator, "GET", "/api/session").json()
    assert session["visit_until"] == backend.clock.now_ms + HOUR_MS
    assert (session["tenant"], session["role"]) == ("zoo", "visitor")
    assert ask(backend, operator, "GET", path).status_code == 200
    assert ask(backend, operator, "PATCH", path, {"note": "mine"}).status_code == 403
    assert ask(backend, operator, "DELETE", path).status_code == 403
    assert ask(backend, operator, "GET", "/api/people").status_code == 403
    assert ask(backend, operator, "POST", "/api/tokens", TOKEN).status_code == 403
    for tenant in ("default", "zoo"):
        assert ("user ann", "visit", "zoo", REASON) in log_of(backend, tenant)

    for minute in range(60):  # a person who goes on working is not signed out meanwhile
        backend.clock.advance(60_000)
        backend.parts.people.sessions.forget_known()
        assert ask(backend, operator, "GET", "/api/session").status_code == 200, minute
    backend.clock.advance(1)
    backend.parts.people.sessions.forget_known()
    assert ask(backend, operator, "GET", path).status_code == 404
    session = ask(backend, operator, "GET", "/api/session").json()
    assert (session["tenant"], session["visit_until"]) == ("default", 0)


def test_a_visit_ends_when_the_operator_leaves_or_is_none_any_more(
    backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    path, people = f"/api/servers/{theirs['server']}", backend.parts.people
    me = people.sessions.find(operator, True)
    assert me is not None
    for end in (
        lambda: people.sessions.switch(me.principal, "default"),
        lambda: people.members.make_operator(me.principal, me.principal.user, False),
    ):
        ask(backend, operator, "POST", "/api/tenants/zoo/visit", {"reason": REASON})
        assert ask(backend, operator, "GET", path).status_code == 200
        end()
        assert ask(backend, operator, "GET", path).status_code == 404
    assert ask(backend, operator, "GET", "/api/tenants").status_code == 403


def test_an_operator_who_belongs_nowhere_any_more_still_says_why_there(
    backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    people = backend.parts.people
    people.tenants.make(Principal(), "den", "Den")
    me = people.sessions.find(operator, True)
    assert me is not None
    assert ask(backend, operator, "POST", "/api/tenants/zoo/visit", {"reason": REASON}).ok
    with people.tenants._store.system_transaction() as connection:
        people_rows.set_role(connection, "default", me.principal.user, "")
    visit = ask(backend, operator, "POST", "/api/tenants/den/visit", {"reason": REASON})
    assert visit.status_code == 200, visit.text
    assert log_of(backend, "den")[0] == ("user ann", "visit", "den", REASON)


def test_a_suspended_organisation_is_refused_in_words_and_loses_nothing(
    backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    def suspend(suspended: bool) -> None:
        change = {"suspended": suspended}
        assert ask(backend, operator, "PATCH", "/api/tenants/zoo", change).status_code == 200

    suspend(True)
    eventually(lambda: post(backend, theirs["key"]) == 403, seconds=1.0)
    refused = ask(backend, theirs["owner"], "GET", "/api/servers")
    assert refused.status_code == 403
    assert "This organisation is suspended" in refused.text
    backend.parts.refusals.save()
    refusals = [row for row in log_of(backend, "zoo") if row[3] == "refused"]
    assert any(actor.startswith("ingest key") for actor, *_ in refusals), "it is known who asked"
    session = ask(backend, theirs["owner"], "GET", "/api/session").json()
    assert session["signed_in"]
    assert session["suspended"]
    suspend(False)
    eventually(lambda: post(backend, theirs["key"]) == 200, seconds=1.0)
    assert ask(backend, theirs["owner"], "GET", "/api/servers").status_code == 200


def test_the_organisation_of_the_server_itself_is_not_suspended_or_deleted(
    backend: Backend, operator: str
) -> None:
    change = ask(backend, operator, "PATCH", "/api/tenants/default", {"suspended": True})
    assert (change.status_code, "this server's own" in change.text) == (409, True)
    assert ask(backend, operator, "DELETE", "/api/tenants/default").status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"id": "Zoo", "name": "Zoo"}, 422, "tenant: use 1 to 40 small letters"),
        ({"id": "default", "name": "Zoo"}, 409, "default is there already"),
        ({"id": "zoo", "name": " "}, 422, "name: use 1 to 64 printable characters"),
        ({"id": "zoo", "name": "a\nb"}, 422, "name: use 1 to 64 printable characters"),
        ({"id": "zoo"}, 422, "missing required field `name`"),
    ],
)
def test_an_organisation_that_cannot_be_made_is_refused_by_the_field(
    backend: Backend, operator: str, body: dict[str, str], status: int, said: str
) -> None:
    answer = ask(backend, operator, "POST", "/api/tenants", body)
    assert answer.status_code == status
    assert said in answer.text


def test_somebody_with_an_account_joins_another_organisation_and_goes_back_and_forth(
    backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    link = ask(backend, theirs["owner"], "POST", "/api/people", {"role": "viewer"}).json()["link"]
    token = link.partition("#")[2]
    about = ask(backend, operator, "POST", "/api/links/about", {"token": token}).json()
    assert (about["tenant"], about["role"]) == ("Zoo Ltd", "viewer")
    assert ask(backend, operator, "POST", "/api/links/join", {"token": token}).status_code == 200
    session = ask(backend, operator, "GET", "/api/session").json()
    assert (session["tenant"], session["role"], len(session["tenants"])) == ("zoo", "viewer", 2)
    assert ask(backend, operator, "POST", "/api/links/join", {"token": token}).status_code == 410
    again = ask(backend, theirs["owner"], "POST", "/api/people", {"role": "admin"}).json()["link"]
    token = again.partition("#")[2]
    assert ask(backend, operator, "POST", "/api/links/join", {"token": token}).status_code == 409
    back = ask(backend, operator, "PUT", "/api/session/tenant", {"tenant": "default"})
    assert back.status_code == 200
    assert ask(backend, operator, "GET", "/api/session").json()["role"] == "owner"


def test_a_link_for_a_new_password_joins_nothing(
    backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    zoe = ask(backend, theirs["owner"], "GET", "/api/people").json()["people"][0]["id"]
    reset = ask(backend, theirs["owner"], "POST", f"/api/people/{zoe}/reset").json()["link"]
    token = reset.partition("#")[2]
    assert ask(backend, operator, "POST", "/api/links/join", {"token": token}).status_code == 409


def test_the_command_line_makes_operators_and_puts_an_organisation_in_order(
    place: Place, backend: Backend, operator: str, theirs: dict[str, str]
) -> None:
    def run(*words: str) -> str:
        line = command("hostpulse", *words)
        return subprocess.run(
            line, check=True, env=place.environment(), stdout=subprocess.PIPE, text=True, timeout=60
        ).stdout

    run("user", "operator", "--tenant", "zoo", "zoe", "--on")
    eventually(lambda: ask(backend, theirs["owner"], "GET", "/api/tenants").ok, seconds=2.0)
    run("user", "operator", "--tenant", "zoo", "zoe", "--off")
    run("tenant", "rename", "zoo", "Zoological Garden")
    run("tenant", "suspend", "zoo")
    assert "Zoological Garden" in run("tenant", "list")
    assert "suspended" in run("tenant", "list")
    eventually(lambda: post(backend, theirs["key"]) == 403, seconds=1.5)
    run("tenant", "resume", "zoo")
    eventually(lambda: post(backend, theirs["key"]) == 200, seconds=1.5)
    run("tenant", "delete", "--yes", "zoo")
    eventually(lambda: post(backend, theirs["key"]) == 403, seconds=1.5)


def test_a_viewer_has_tokens_of_their_own_that_read_and_no_others(
    backend: Backend, operator: str
) -> None:
    viewer = join(backend.parts.people, "vic", "viewer")[1]
    made = ask(backend, viewer, "POST", "/api/tokens", TOKEN).json()
    reads = backend.request("GET", "/api/servers", headers=of_key(made["key"]))
    assert reads.status_code == 200
    more = ask(backend, viewer, "POST", "/api/tokens", {"label": "x", "scopes": ["manage"]})
    assert (more.status_code, "may not do more than you" in more.text) == (403, True)
    mine = ask(backend, viewer, "GET", "/api/tokens").json()["keys"]
    assert [one["id"] for one in mine] == [made["id"]]
    assert ask(backend, operator, "GET", "/api/tokens").json()["keys"] == []
    path = f"/api/tokens/{made['id']}"
    assert ask(backend, operator, "DELETE", path).status_code == 404, "it is not theirs"
    assert ask(backend, viewer, "DELETE", path).status_code == 200
    assert backend.request("GET", "/api/servers", headers=of_key(made["key"])).status_code == 401
