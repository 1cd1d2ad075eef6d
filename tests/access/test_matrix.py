"""F80: every route, asked by everybody, for what is theirs, another's, and nobody's."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hostpulse import door
from hostpulse.access.principal import Need
from hostpulse.api.people import MemberChange
from hostpulse.api.servers import ServerChange
from hostpulse.app import create_app
from hostpulse.control.servers import Server, Servers, UnknownServer

from tests.access.every_route import Route, routes
from tests.access.world import NO_LIMITS, REMOTE, ROLES, Organisation, World, of_key, of_session
from tests.backend.control_places import place_of
from tests.backend_under_test import Backend, Clock, report

VIEWER = {Need.READ, Need.SELF}
ADMIN = VIEWER | {Need.EDIT, Need.MANAGE, Need.PEOPLE}
MAY: dict[str, set[Need]] = {
    "viewer": VIEWER,
    "editor": VIEWER | {Need.EDIT},
    "admin": ADMIN,
    "owner": ADMIN | {Need.OWN},
    "operator": VIEWER | {Need.OPERATE},
    "looker": {Need.READ},
    "agent": {Need.INGEST, Need.ROTATE},
    "ingest": {Need.INGEST},
    "enrolment": {Need.ENROL},
    "token read": {Need.READ},
    "token edit": {Need.READ, Need.EDIT},
    "token manage": {Need.READ, Need.EDIT, Need.MANAGE},
    "this machine": {Need.INGEST},
}
"""What each may, as `reliability.md` 5.6 has it; whoever is not named may nothing."""

VALID = {MemberChange: {"role": "viewer"}, ServerChange: {"note": "seen"}}
OF_A_KEY = {Need.INGEST, Need.ENROL, Need.ROTATE}
FRESH = {("DELETE", "/api/session"), ("DELETE", "/api/sessions")}
OF_ROUTE = {"tokens": "token read", "enrolments": "enrolment"}
FOUND_BY_ALL = {"/static/<path:name>": "app.js", "/settings/<section>": "people"}
"""Path parameters that mean the same to everybody."""


@dataclass(frozen=True)
class Asker:
    """`holds` is what it shows: '' for nothing good, 'key' or 'session'."""

    name: str
    org: Organisation
    holds: str
    headers: dict[str, str]

    def may(self, need: Need) -> bool:
        if need is Need.OPEN:
            return True
        by_its_kind = self.holds == "key" or self.name == "this machine" or need not in OF_A_KEY
        return by_its_kind and need in MAY.get(self.name, set())


def askers(world: World, org: Organisation) -> Iterator[Asker]:
    yield Asker("nobody", org, "", REMOTE)
    yield Asker("this machine", org, "", {})
    for role in (*ROLES, "operator"):
        yield Asker(role, org, "session", org.people[role].headers | REMOTE)
    for name in ("agent", "ingest", "enrolment", "token read", "token edit", "token manage"):
        yield Asker(name, org, "key", of_key(org.keys[name]) | REMOTE)
    wrong = org.keys["token manage"]
    wrong = wrong[:-9] + ("A" if wrong[-9] != "A" else "B") + wrong[-8:]
    for name, text in (
        ("wrong key", wrong), ("no key at all", "x"), ("revoked key", org.keys["revoked"]),
        ("expired key", org.keys["expired"]),
    ):  # fmt: skip
        yield Asker(name, org, "", of_key(text) | REMOTE)
    for name in ("disabled", "ended"):
        yield Asker(name, org, "", org.people[name].headers | REMOTE)
    yield Asker("made-up session", org, "", of_session(secrets.token_urlsafe(32)) | REMOTE)
    yield Asker("looker", world.empty, "session", of_session(world.looker) | REMOTE)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    place = place_of(request, request.param, tmp_path / "data")
    clock = Clock()
    provider = {"oidc_issuer": "https://id.invalid", "oidc_client_id": "hostpulse"}
    with place.backend(clock, auth=True, **provider, **NO_LIMITS) as backend:
        issuer = backend.parts.issuer
        by = Organisation("default", "antelope").by
        old = issuer.make_personal(by, "old", ["manage"], 1)
        clock.advance(2 * 86_400_000)
        made = World(backend)
        made.home.keys["expired"] = made.other.keys["expired"] = old.text
        yield made


def reaches_all(asker: Asker, route: Route) -> bool:
    """Tell whether it is an operator's business which organisations there are."""
    return route.needs is Need.OPERATE and asker.may(Need.OPERATE)


class Matrix:
    """Asks everything, and keeps what was wrong."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.requests = 0
        self.wrong: list[str] = []
        self.leaks: list[str] = []
        self.statuses: Counter[int] = Counter()

    def own(self, asker: Asker, route: Route) -> str:
        """Return an id of what is theirs; where it would be gone afterwards, of something new."""
        org, kind = asker.org, route.parameter
        goes = route.method == "DELETE" and route.needs is not None and asker.may(route.needs)
        if goes and kind in ("server", "key", "tenant", "session", "link"):
            return self.new(asker, route)
        known = {
            "server": org.ids["server"],
            "key": org.ids[OF_ROUTE.get(route.rule.split("/")[2], "ingest")],
            "tenant": org.id,
            "person": org.people["target"].id if org.people else "usr_nobody",
            "session": "ses_nothing",
            "link": "lnk_nothing",
        }
        return known.get(kind) or FOUND_BY_ALL.get(route.rule) or self.wheel()

    def new(self, asker: Asker, route: Route) -> str:
        """Make something that is deleted then; return its id."""
        world, org, kind = self.world, asker.org, route.parameter
        if kind == "server":
            return world.add_server(org, f"{org.word}-{secrets.token_hex(4)}")
        if kind == "tenant":
            return world.make_tenant()
        if kind == "link":
            world.people.links.invite(org.by, "viewer")
            return world.people.links.open(org.by)[0].id
        if kind == "session":
            return world.sign_in(org, asker.name)[0]
        if route.rule.startswith("/api/tokens/"):
            return world.make_token(org, asker.name)
        return world.issuer.make_ingest(org.by, "short-lived").id

    def wheel(self) -> str:
        """Return the name of the agent's file, as the script for a new server has it."""
        script = self.world.backend.request("GET", "/install.sh").text
        FOUND_BY_ALL["/agent/<name>"] = re.findall(r"hostpulse_agent-[\w.-]+\.whl", script)[0]
        return FOUND_BY_ALL["/agent/<name>"]

    def theirs(self, asker: Asker, route: Route) -> list[str]:
        """Return ids of another organisation."""
        world = self.world
        org = world.other if asker.org is not world.other else world.home
        return {
            "server": [org.ids["server"], org.ids["agent server"], f"{org.word}-web"],
            "key": [org.ids["ingest"], org.ids["token read"]],
            "person": [org.people["target"].id],
            "tenant": [org.id],
            "session": [org.ids["owner session"]],
            "link": [org.ids["link"]],
            "name": [org.ids["server"]],
            "section": [org.ids["server"]],
        }[route.parameter]

    def ask(self, asker: Asker, route: Route, id_: str) -> tuple[int, str]:
        """Return status and body, with the id that was asked for taken out."""
        path = route.rule.replace(f"<{route.parameter}>", id_).replace("<path:name>", id_)
        headers = asker.headers
        if (route.method, route.rule) in FRESH and asker.holds == "session" and asker.org.people:
            _, session = self.world.sign_in(asker.org, f"{asker.name}-twin")
            headers = of_session(session) | REMOTE
        body: Any = None
        if route.rule == door.METRICS_PATH:
            body = report(f"{asker.org.word}-{asker.name}")
        elif route.takes:
            body = VALID.get(route.takes, {"nonsense": 1})
        query = {} if route.changes else {"metrics": "cpu_percent_total"}
        answer = self.world.backend.request(
            route.method, path, headers=headers, json=body, params=query
        )
        self.requests += 1
        self.statuses[answer.status_code] += 1
        text = "" if route.rule.startswith("/agent/") else answer.text  # a file of all, no text
        text = text.replace(id_, "<id>") if id_ else text
        whole = text + str(answer.headers).replace(id_ or "\0", "<id>")
        self._look_for_leaks(asker, route, whole)
        request_id = answer.headers.get("X-Request-Id", "\0")
        return answer.status_code, text.replace(request_id, "<request>")

    def _look_for_leaks(self, asker: Asker, route: Route, text: str) -> None:
        world = self.world
        if reaches_all(asker, route):
            return
        shown = set() if asker.holds or asker.name == "this machine" else asker.org.secrets()
        for org in (world.home, world.other, world.empty):
            if org is not asker.org:
                shown |= org.secrets()
        found = [secret for secret in shown if secret in text]
        if found:
            self.leaks.append(f"{asker.name} {route.method} {route.rule}: {found}")

    def check(self, asker: Asker, route: Route) -> None:
        assert route.needs is not None
        if route.method == "OPTIONS":
            self.check_options(asker, route)
            return
        wanted = self.expected(asker, route, route.needs)
        id_ = self.own(asker, route) if route.parameter else ""
        status, body = self.ask(asker, route, id_)
        has_none = id_ in ("usr_nobody", "ses_nothing")
        if status != (404 if has_none and wanted == 200 else wanted):
            said = f"{asker.name} {route.method} {route.rule}: {status}, not {wanted}: {body[:200]}"
            self.wrong.append(said)
        if route.parameter and route.method != "HEAD" and not reaches_all(asker, route):
            self.check_foreign(asker, route, wanted)

    def check_foreign(self, asker: Asker, route: Route, wanted: int) -> None:
        """What is another's is answered as what is nobody's."""
        length = len(self.theirs(asker, route)[0])
        nobody = self.ask(asker, route, "srv_" + secrets.token_hex(16)[: length - 4])
        is_there = route.rule.startswith("/settings")
        is_there |= route.rule.startswith("/servers/") and asker.holds != "session"
        if nobody[0] != (wanted if is_there or wanted != 200 else 404):
            self.wrong.append(f"{asker.name} {route.method} {route.rule} of nobody: {nobody[0]}")
        for id_ in self.theirs(asker, route):
            if self.ask(asker, route, id_) != nobody:
                self.wrong.append(f"{asker.name} {route.method} {route.rule} of another differs")

    def check_options(self, asker: Asker, route: Route) -> None:
        """It names the methods of a path, whatever each of them needs, and nothing else."""
        status, body = self.ask(asker, route, route.parameter and self.theirs(asker, route)[0])
        if body and status == 200:
            self.wrong.append(f"{asker.name} OPTIONS {route.rule} says {body[:200]}")

    @staticmethod
    def expected(asker: Asker, route: Route, needs: Need) -> int:
        if asker.may(needs):
            has_body = route.takes and route.takes not in VALID and route.changes
            return 422 if has_body else 200
        knows = asker.holds == "key" or (asker.holds == "session" and needs not in OF_A_KEY)
        return 403 if knows else 401


def is_sqlite(world: World) -> bool:
    return not world.backend.parts.config.control


def test_f80_everybody_gets_what_is_theirs_and_nothing_else(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    every = routes(create_app(world.backend.parts))
    undeclared = [f"{route.method} {route.rule}" for route in every if route.needs is None]
    assert undeclared == []
    matrix, kinds = Matrix(world), 0
    asking = world.home if is_sqlite(world) else world.other  # each store sees one direction
    for asker in askers(world, asking):
        kinds += 1
        for route in every:
            matrix.check(asker, route)
    with capsys.disabled():
        print(
            f"\n{len({(r.rule, r.method) for r in every})} routes x {kinds} principals: "
            f"{matrix.requests} requests, {len(matrix.leaks)} leaks; "
            f"answers {dict(sorted(matrix.statuses.items()))}"
        )
    assert matrix.leaks == []
    assert matrix.wrong == [], "\n".join(matrix.wrong)
    assert matrix.statuses.keys() <= {200, 400, 401, 403, 404, 405, 422}


def test_f80_a_route_that_does_not_say_who_may_use_it_is_used_by_nobody(backend: Backend) -> None:
    app = create_app(backend.parts)
    app.add_url_rule("/api/forgotten", "forgotten", lambda: "shown")
    assert [route.rule for route in routes(app) if route.needs is None] == ["/api/forgotten"] * 3
    answer = app.test_client().get("/api/forgotten", base_url="http://127.0.0.1")
    assert answer.status_code == 500
    assert "shown" not in answer.text


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_f80_the_matrix_would_see_a_leak(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_anywhere(servers: Servers, _tenant: str, name: str) -> Server:
        for _, one in servers.of_all_tenants():
            if name in (one.id, one.hostname):
                return one
        raise UnknownServer(name)

    monkeypatch.setattr(Servers, "find", find_anywhere)
    matrix = Matrix(world)
    viewer = next(one for one in askers(world, world.home) if one.name == "viewer")
    for route in routes(create_app(world.backend.parts)):
        if route.rule == "/api/servers/<server>" and route.method == "GET":
            matrix.check_foreign(viewer, route, 200)
    assert len(matrix.leaks) == len(matrix.wrong) == 3
