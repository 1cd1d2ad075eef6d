"""What every request and answer obeys with sign-in on: headers, framing, fields, limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hostpulse.access.principal import ADMIN, Principal
from hostpulse.api.answers import SECURITY_HEADERS
from hostpulse.app import create_app
from hostpulse.config import Config
from hostpulse_agent.delivery import BATCH_REPORTS

from tests.access.every_route import routes
from tests.access.world import NO_LIMITS, PASSWORD, REMOTE, of_key, of_session
from tests.backend.control_places import PLACES, place_of
from tests.backend_under_test import NOW_MS, Backend, report

BY = Principal(name="test", grants=ADMIN, role="owner")


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend(auth=True, **NO_LIMITS) as running:
        yield running


def owner_of(backend: Backend) -> dict[str, str]:
    """Make the first owner; return the headers of their browser."""
    link = {"token": backend.parts.people.links.make_setup(), "name": "ann", "password": PASSWORD}
    answer = backend.request("POST", "/api/links/use", json=link)
    backend.http.cookies.clear()
    return of_session(answer.cookies["hostpulse"])


# -- F97 ---------------------------------------------------------------------------------------


def test_f97_every_route_answers_with_the_headers_to_nobody_and_to_the_owner(
    backend: Backend,
) -> None:
    owner, count = owner_of(backend), 0
    backend.accept(report())
    for route in routes(create_app(backend.parts)):
        if (route.method, route.rule) in (("DELETE", "/api/session"), ("DELETE", "/api/sessions")):
            continue  # the owner stays
        path = re.sub("<.*>", "x", route.rule)
        for headers in (REMOTE, owner | REMOTE):
            answer = backend.request(route.method, path, headers=headers)
            count += 1
            for name, value in SECURITY_HEADERS:
                assert answer.headers[name] == value, (route, name)
            assert answer.headers["X-Request-Id"]
            assert "Server" not in answer.headers
            if path.startswith("/api/") and "docs" not in path and route.method != "OPTIONS":
                assert answer.headers["Cache-Control"] == "no-store", route
    assert count > 200


def test_f97_what_is_no_http_or_too_large_is_answered_with_the_headers_too(
    backend: Backend,
) -> None:
    for sent in (b"what\r\n\r\n", b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n"):
        with backend.connect() as connection:
            connection.sendall(sent)
            said = connection.recv(65_536).lower()
        for name, value in SECURITY_HEADERS:
            assert f"{name}: {value}".lower().encode() in said


# -- F98 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/metrics", "/api/session"])
def test_f98_a_body_of_two_lengths_is_refused_and_what_follows_is_not_read(
    backend: Backend, path: str
) -> None:
    inner = b"POST /api/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
    for lengths in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
    ):
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
        kind = b"Content-Type: application/json\r\n"
        with backend.connect() as connection:
            connection.sendall(head + kind + lengths + b"\r\n0\r\n\r\n" + inner)
            said = b""
            while piece := connection.recv(65_536):
                said += piece
        assert said.startswith(b"HTTP/1.1 400"), lengths
        assert len(re.findall(rb"HTTP/1\.1 \d", said)) == 1, lengths


def test_a_body_in_chunks_is_read_in_both_lanes(backend: Backend) -> None:
    owner_of(backend)
    right = msgspec.json.encode({"name": "ann", "password": PASSWORD})
    kind = {"Content-Type": "application/json"}
    answer = backend.request(
        "POST", "/api/session", data=iter([right[:9], right[9:]]), headers=kind
    )
    assert answer.status_code == 200, answer.text
    wrong = {"Content-Type": "text/plain"}
    answer = backend.request("POST", "/api/session", data=iter([right]), headers=wrong)
    assert answer.status_code == 415


# -- F100 --------------------------------------------------------------------------------------


def test_f100_no_body_may_have_a_field_that_is_not_described(backend: Backend) -> None:
    kinds = {route.takes for route in routes(create_app(backend.parts)) if route.takes}
    assert len(kinds) >= 10
    for kind in kinds:
        assert kind.__struct_config__.forbid_unknown_fields, kind


EXTRA: list[tuple[str, str, dict[str, Any], str]] = [
    ("PATCH", "/api/people/{me}", {"role": "viewer"}, "tenant"),
    ("PATCH", "/api/people/{me}", {"disabled": False}, "name"),
    ("POST", "/api/people", {"role": "viewer"}, "tenant"),
    ("POST", "/api/keys", {"kind": "ingest", "label": "x"}, "server"),
    ("POST", "/api/keys", {"kind": "ingest", "label": "x"}, "tenant"),
    ("POST", "/api/enrolments", {}, "kind"),
    ("PATCH", "/api/servers/web-1", {"note": "x"}, "id"),
    ("PATCH", "/api/servers/web-1", {"note": "x"}, "hostname"),
    ("PUT", "/api/session/tenant", {"tenant": "default"}, "role"),
    ("POST", "/api/session", {"name": "ann", "password": PASSWORD}, "role"),
]


@pytest.mark.parametrize("case", EXTRA, ids=lambda case: f"{case[1]} {case[3]}")
def test_f100_a_field_that_is_not_theirs_to_set_is_a_422_that_names_it(
    backend: Backend, case: Any
) -> None:
    method, path, body, field = case
    owner = owner_of(backend)
    backend.accept(report())
    me = backend.parts.people.members.list(BY)[0].user.id
    before = len(backend.parts.people.log.newest(BY, 0, 99))
    path = path.format(me=me)
    answer = backend.request(method, path, json=body | {field: "x"}, headers=owner)
    assert answer.status_code == 422
    assert field in answer.json()["error"]
    assert len(backend.parts.people.log.newest(BY, 0, 99)) == before


@pytest.mark.parametrize("kind", PLACES)
def test_f100_text_that_a_database_does_not_take_is_told_and_never_a_5xx(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    with place_of(request, kind, tmp_path / "data").backend(auth=True, **NO_LIMITS) as backend:
        owner = owner_of(backend)
        backend.accept(report())
        for text in ("a\0b", "\0", "\\\0"):
            for method, path, body in (
                ("POST", "/api/session", {"name": text, "password": "x"}),
                ("POST", "/api/session", {"name": "x", "password": text}),
                ("POST", "/api/keys", {"kind": "ingest", "label": text}),
                ("POST", "/api/enrolments", {"tags": [text], "label": text}),
                ("PATCH", "/api/servers/web-1", {"note": text}),
                ("PUT", "/api/session/tenant", {"tenant": text}),
                ("POST", "/api/links/about", {"token": text}),
            ):
                answer = backend.request(method, path, json=body, headers=owner)
                assert answer.status_code == 422, (path, answer.text)
        for path in ("/api/keys/a%00b", "/api/sessions/%00", "/api/servers/a%00", "/api/keys/%FF"):
            answer = backend.request("DELETE", path, headers=owner)
            assert answer.status_code == 404, (path, answer.text)
        literal = {"note": "a backslash, \\u0000, is text"}
        assert backend.request("PATCH", "/api/servers/web-1", json=literal, headers=owner).ok


# -- limits ------------------------------------------------------------------------------------


def statuses(backend: Backend, count: int, **headers: str) -> list[int]:
    named = {name.replace("_", "-"): value for name, value in headers.items()} | REMOTE
    return [
        backend.post(report(time_ms=NOW_MS + i), headers=named).status_code for i in range(count)
    ]


def test_a_key_has_a_budget_of_its_own_and_is_told_when_there_is_more() -> None:
    with Backend(auth=True, key_requests_per_minute=5) as backend:
        token = backend.parts.issuer.make_enrolment(BY, 60, 2).text
        agents = []
        for name in ("web-1", "web-2"):
            body = {"hostname": name, "machine": name.encode().hex().ljust(64, "0")}
            made = backend.request("POST", "/api/enrol", json=body, headers=of_key(token))
            agents.append(of_key(made.json()["key"]))
        assert statuses(backend, 7, **agents[0]) == [200] * 5 + [429] * 2
        refused = backend.post(report(), headers=agents[0])
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.json()["error"] == "Too many requests with this key; wait a little."
        assert statuses(backend, 5, **agents[1]) == [200] * 5
        reader = of_key(backend.parts.issuer.make_personal(BY, "r", ["read"], 1).text)
        read = [
            backend.request("GET", "/api/servers", headers=reader).status_code for _ in "1234567"
        ]
        assert read == [200] * 5 + [429] * 2


def test_a_key_that_many_share_has_what_its_organisation_has_and_leaves_others_alone() -> None:
    limits = {"key_requests_per_minute": 2, "tenant_requests_per_minute": 8}
    with Backend(auth=True, **limits) as backend:
        backend.parts.people.tenants.make(BY, "second", "Second")
        other = Principal("second", "test", ADMIN)
        mine = of_key(backend.parts.issuer.make_ingest(BY, "x").text)
        theirs = of_key(backend.parts.issuer.make_ingest(other, "x").text)
        assert statuses(backend, 10, **mine) == [200] * 8 + [429] * 2
        assert statuses(backend, 8, **theirs) == [200] * 8


def test_an_address_counts_only_while_nobody_knows_who_asks() -> None:
    with Backend(auth=True, stranger_requests_per_minute=30) as backend:
        owner = owner_of(backend)
        good = of_key(backend.parts.issuer.make_ingest(BY, "x").text)
        assert statuses(backend, 4, X_API_Key="wrong")[-1] == 429
        refused = backend.request("GET", "/api/servers", headers=REMOTE | of_key("wrong"))
        assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
        assert statuses(backend, 40, **good) == [200] * 40
        for _ in range(40):
            assert backend.request("GET", "/api/servers", headers=owner).status_code == 200


def test_live_reports_and_a_day_that_waited_fit_into_ten_minutes_of_a_keys_budget() -> None:
    live, waited = 10 * 60, 86_400 / BATCH_REPORTS  # of the shortest interval, 1 s
    assert live + waited <= 10 * Config().key_requests_per_minute / 2
    fleet = 500 * (10 * 12 + 86_400 / 5 / BATCH_REPORTS)  # of the usual 5 s
    assert fleet <= 10 * Config().tenant_requests_per_minute / 2


def test_a_fleet_behind_one_address_that_comes_back_with_a_backlog_is_refused_nothing() -> None:
    with Backend(auth=True) as backend:
        token = of_key(backend.parts.issuer.make_enrolment(BY, 60, 20).text)
        for number in range(20):
            body = {"hostname": f"web-{number}", "machine": f"{number:064x}"}
            made = backend.request("POST", "/api/enrol", json=body, headers=token | REMOTE)
            key = of_key(made.json()["key"]) | REMOTE
            backlog = [report(time_ms=NOW_MS - 1000 * i) for i in range(1, BATCH_REPORTS)]
            for i in range(20):
                assert backend.post(report(time_ms=NOW_MS + i), headers=key).status_code == 200
                if i % 5 == 0:
                    assert backend.post(backlog, headers=key).status_code == 200


ODD = [b"/api/servers?x=\xff", b"/api/servers/\xff", b"/\xff?\xff=%ff"]


@pytest.mark.parametrize("target", ODD)
def test_f98_odd_bytes_in_an_address_are_no_error_of_ours(backend: Backend, target: bytes) -> None:
    with backend.connect() as connection:
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert re.match(rb"HTTP/1\.1 4\d\d ", connection.recv(65_536))
