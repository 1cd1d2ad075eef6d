"""Who may ask for what, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hostpulse.access.keys import mint
from hostpulse.access.principal import Principal
from hostpulse.parts import Parts

from tests.backend_under_test import Backend, report

PATHS = [
    "/",
    "/servers/web-1",
    "/static/app.js",
    "/api/servers",
    "/api/health",
    "/api/catalogue",
    "/api/openapi.json",
    "/api/docs",
    "/nothing",
]
GUARDED = ["/api/servers", "/api/servers/web-1", "/api/keys", "/api/people", "/api/audit"]
NOT_OURS = {
    "another": "monitor.example.org",
    "one that only begins like ours": "127.0.0.1.example.org",
    "one that rebinds": "localhost.example.org:5000",
    "one of digits that is no address": "127.1.example",
}
ELSEWHERE = {
    "an address as Host": {"Host": "192.0.2.7:5000"},
    "X-Forwarded-For": {"X-Forwarded-For": "127.0.0.1"},
    "X-Real-IP": {"X-Real-IP": "127.0.0.1"},
    "Forwarded": {"Forwarded": "for=127.0.0.1"},
    "Via": {"Via": "1.1 proxy"},
}
"""A program that connects from this machine, but asks as others do."""


@pytest.fixture
def guarded() -> Iterator[Backend]:
    with Backend(auth=True) as running:
        yield running


def keys_of(parts: Parts) -> dict[str, str]:
    """Make a key of each kind; return their texts."""
    by, issuer = Principal(), parts.issuer
    return {
        "ingest": issuer.make_ingest(by, "a program").text,
        "enrolment": issuer.make_enrolment(by, 60, 1).text,
        "personal": issuer.make_personal(by, "a script", ["read"], 1).text,
    }


@pytest.mark.parametrize("auth", [True, False])
@pytest.mark.parametrize("why", NOT_OURS)
def test_f98_a_name_that_is_not_ours_is_told_so_everywhere(why: str, auth: bool) -> None:
    with Backend(auth=auth) as backend:
        headers = {"Host": NOT_OURS[why]}
        for path in PATHS:
            answer = backend.request("GET", path, headers=headers)
            assert answer.status_code == 421, path
            assert answer.json()["error"].startswith("Host: ")
        key = {"Authorization": f"Bearer {keys_of(backend.parts)['ingest']}"}
        assert backend.post(report(), headers=headers).status_code == 421
        assert backend.post(report(), headers=headers | key).status_code == 421
        assert backend.parts.servers.count("default") == 0


def test_f98_the_names_of_the_settings_are_ours() -> None:
    with Backend(auth=True, public_url="https://monitor.example.org:8443/") as backend:
        for host in ("monitor.example.org", "Monitor.Example.org.:8443", "monitor.example.org:1"):
            answer = backend.request("GET", "/api/health", headers={"Host": host})
            assert answer.status_code == 200, host


@pytest.mark.parametrize("why", ELSEWHERE)
def test_with_no_auth_only_this_machine_may_do_anything(backend: Backend, why: str) -> None:
    for path in GUARDED:
        answer = backend.request("GET", path, headers=ELSEWHERE[why])
        assert answer.status_code == 403, path
        assert "localhost" in answer.json()["error"]
    assert (
        backend.request("DELETE", "/api/servers/web-1", headers=ELSEWHERE[why]).status_code == 403
    )
    assert backend.post(report(), headers=ELSEWHERE[why]).status_code == 401
    assert backend.json("/api/servers")["total"] == 0


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:5000",
        "LocalHost",
        "127.0.0.1",
        "127.0.0.2:80",
        "[::1]:5000",
        "[::1]",
    ],
)
def test_every_loopback_name_is_this_machine(backend: Backend, host: str) -> None:
    assert backend.request("GET", "/api/servers", headers={"Host": host}).status_code == 200
    assert backend.post(report(), headers={"Host": host}).status_code == 200


def test_a_program_on_this_machine_may_only_send_samples(guarded: Backend) -> None:
    assert guarded.post(report()).status_code == 200
    for path in GUARDED:
        answer = guarded.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert guarded.request("DELETE", "/api/servers/web-1").status_code == 401
    assert guarded.json("/api/health") == {"status": "ok"}


@pytest.mark.parametrize("why", ELSEWHERE)
def test_whoever_is_not_this_machine_needs_a_key(guarded: Backend, why: str) -> None:
    refused = guarded.post(report(), headers=ELSEWHERE[why])
    assert refused.status_code == 401
    assert "hostpulse-agent enrol" in refused.json()["error"]
    key = {"Authorization": f"Bearer {keys_of(guarded.parts)['ingest']}"}
    assert guarded.post(report(), headers=ELSEWHERE[why] | key).status_code == 200


def test_behind_a_proxy_nobody_is_this_machine() -> None:
    with Backend(auth=True, behind_proxy="127.0.0.1") as backend:
        assert backend.post(report()).status_code == 401
        key = {"Authorization": f"Bearer {keys_of(backend.parts)['ingest']}"}
        assert backend.post(report(), headers=key).status_code == 200


def test_a_page_in_a_browser_here_sends_no_samples(guarded: Backend) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert guarded.post(report(), headers=headers).status_code == 401
    assert guarded.parts.servers.count("default") == 0


@pytest.mark.parametrize(
    "form", ["Authorization: Bearer {}", "authorization: bearer  {}", "X-API-Key: {}"]
)
def test_a_key_is_read_from_either_header(guarded: Backend, form: str) -> None:
    name, _, value = form.format(keys_of(guarded.parts)["ingest"]).partition(": ")
    remote = {"Host": "192.0.2.7"}
    assert guarded.post(report(), headers={name: value} | remote).status_code == 200


def bad_keys(key: str) -> dict[str, dict[str, str]]:
    mine = mint("in", bytes).text
    return {
        "no scheme": {"Authorization": key},
        "no key": {"Authorization": "Bearer"},
        "another scheme": {"Authorization": f"Basic {key}"},
        "a word": {"Authorization": "Bearer wrong"},
        "too short": {"X-API-Key": key[:-1]},
        "too long": {"X-API-Key": key + "0"},
        "capitals": {"X-API-Key": key.upper()},
        "not ASCII": {"X-API-Key": "hp_in_schlüssel"},
        "another check": {"X-API-Key": key[:-1] + ("0" if key[-1] != "0" else "1")},
        "nobody's": {"X-API-Key": mine},
        "an id of ours with another secret": {
            "X-API-Key": "_".join([*key.split("_")[:3], mine[20:]])
        },
        "empty": {"X-API-Key": ""},
        "the wrong one first": {"Authorization": "Bearer wrong", "X-API-Key": key},
        "in the query": {},
    }


@pytest.mark.parametrize("why", bad_keys("x" * 80))
def test_f93_a_wrong_key_is_refused_in_words_even_here(guarded: Backend, why: str) -> None:
    key = keys_of(guarded.parts)["ingest"]
    headers = {name: value.encode("latin-1") for name, value in bad_keys(key)[why].items()}
    if why in ("empty", "no scheme", "no key", "another scheme", "in the query"):
        headers["Host"] = b"192.0.2.7"  # no key at all: only this machine needs none
    path = "/api/metrics" + (f"?key={key}&api_key={key}" if why == "in the query" else "")
    answer = guarded.request("POST", path, json=report(), headers=headers)
    assert answer.status_code == 401
    assert "key" in answer.json()["error"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert key not in answer.text
    assert guarded.parts.servers.count("default") == 0


def test_f84_a_key_does_what_it_is_for_and_nothing_else(guarded: Backend) -> None:
    keys = keys_of(guarded.parts)
    guarded.post(report())
    may = {"ingest": ["POST"], "enrolment": [], "personal": ["GET"]}
    for kind, methods in may.items():
        headers = {"Authorization": f"Bearer {keys[kind]}", "Host": "192.0.2.7"}
        posted = guarded.post(report(), headers=headers).status_code
        read = guarded.request("GET", "/api/servers", headers=headers).status_code
        deleted = guarded.request("DELETE", "/api/servers/web-1", headers=headers).status_code
        assert posted == (200 if "POST" in methods else 403), kind
        assert read == (200 if "GET" in methods else 403), kind
        assert deleted == 403, kind


def test_two_host_headers_are_no_way_in(backend: Backend) -> None:
    for hosts in (("127.0.0.1", "evil.example"), ("evil.example", "127.0.0.1")):
        with backend.connect() as connection:
            lines = "".join(f"Host: {host}\r\n" for host in hosts)
            connection.sendall(f"GET /api/servers HTTP/1.1\r\n{lines}\r\n".encode())
            status = connection.recv(65_536).split(b"\r\n")[0]
        assert re.match(rb"HTTP/1.1 400", status), hosts


def test_a_delete_of_another_page_is_refused(backend: Backend) -> None:
    backend.accept(report())
    kind = {"Content-Type": "text/plain"}
    answer = backend.request("DELETE", "/api/servers/web-1", data=b"x", headers=kind)
    assert answer.status_code == 415
    assert backend.json("/api/servers")["total"] == 1


FOREIGN = {
    "another server": {"Origin": "https://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "a name that only begins like ours": {"Origin": "http://{host}.evil.example"},
    "a page without an address": {"Origin": "null"},
    "a browser that says so": {"Sec-Fetch-Site": "cross-site"},
    "a browser that says so beside our own address": {
        "Origin": "http://{host}",
        "Sec-Fetch-Site": "cross-site",
    },
}
OWN = {
    "no browser": {},
    "our page": {"Origin": "http://{host}", "Sec-Fetch-Site": "same-origin"},
    "our page, in capitals": {"Origin": "HTTP://{host}"},
}


def of_page(backend: Backend, headers: dict[str, str]) -> dict[str, str]:
    return {name: value.format(host=backend.host) for name, value in headers.items()}


@pytest.mark.parametrize("why", FOREIGN)
def test_a_foreign_page_may_delete_nothing_even_if_it_may_read(why: str) -> None:
    with Backend(cors_origins="https://evil.example") as backend:
        backend.accept(report())
        headers = of_page(backend, FOREIGN[why])
        for path in ("/api/servers/web-1", "/api/servers/nobody"):
            answer = backend.request("DELETE", path, headers=headers)
            assert answer.status_code == 403, path
            assert answer.json()["error"].startswith("Origin: ")
        assert backend.request("GET", "/api/servers", headers=headers).json()["total"] == 1


@pytest.mark.parametrize("why", OWN)
def test_our_own_page_and_a_command_may_delete(backend: Backend, why: str) -> None:
    backend.accept(report())
    headers = of_page(backend, OWN[why])
    assert backend.request("DELETE", "/api/servers/web-1", headers=headers).status_code == 200
    assert backend.json("/api/servers")["total"] == 0
