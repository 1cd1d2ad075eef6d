"""What every request and answer obeys with sign-in on: headers, framing, fields."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hostpulse.access.principal import ADMIN, Principal
from hostpulse.api.answers import SECURITY_HEADERS
from hostpulse.app import create_app

from tests.access.every_route import routes
from tests.access.world import NO_LIMITS, PASSWORD, REMOTE, of_session
from tests.backend.control_places import PLACES, place_of
from tests.backend_under_test import Backend, report

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


# -- F89 ---------------------------------------------------------------------------------------

ELSEWHERE = [
    "//evil.example", "//evil.example/%2e%2e", "/%2f%2fevil.example", "/\\evil.example",
    "/%5cevil.example",
    "/servers//evil.example", "/servers/%2f%2fevil.example", "/servers/https:%2f%2fevil.example",
    "/servers/web-1?next=//evil.example", "/?next=https://evil.example", "/?url=//evil.example",
    "/servers/web-1/?x=%0d%0aLocation:%20//evil.example", "/settings//evil.example/",
    "/.//evil.example", "/api//evil.example", "/https://evil.example",
]  # fmt: skip


def test_f89_no_address_here_leads_to_another_server(backend: Backend) -> None:
    owner = owner_of(backend)
    backend.accept(report())
    for path, headers in itertools.product(ELSEWHERE, ({}, owner)):
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        with backend.connect() as connection:
            connection.sendall((head + lines + "\r\n").encode())
            said = b"".join(iter(lambda: connection.recv(65_536), b""))
        fields = said.partition(b"\r\n\r\n")[0].decode().lower()
        for place in re.findall(r"^(?:location|refresh|link): *(.*?)\r?$", fields, re.MULTILINE):
            assert re.match(r"/servers/[^/\\]", place), place


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
    ("POST", "/api/keys", {"label": "x"}, "server"),
    ("POST", "/api/keys", {"label": "x"}, "tenant"),
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
                ("POST", "/api/keys", {"label": text}),
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


ODD = [b"/api/servers?x=\xff", b"/api/servers/\xff", b"/\xff?\xff=%ff"]


@pytest.mark.parametrize("target", ODD)
def test_f98_odd_bytes_in_an_address_are_no_error_of_ours(backend: Backend, target: bytes) -> None:
    with backend.connect() as connection:
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert re.match(rb"HTTP/1\.1 4\d\d ", connection.recv(65_536))
