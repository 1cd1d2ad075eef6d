"""Who may ask for what, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend_under_test import Backend, report

KEY = "correct-horse-battery"
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
STRANGERS = {
    "another Host": {"Host": "monitor.example.org"},
    "an address as Host": {"Host": "192.0.2.7:5000"},
    "a Host that only begins like ours": {"Host": "127.0.0.1.example.org"},
    "a Host that rebinds": {"Host": "localhost.example.org:5000"},
    "no Host": {"Host": ""},
    "X-Forwarded-For": {"X-Forwarded-For": "127.0.0.1"},
    "X-Real-IP": {"X-Real-IP": "127.0.0.1"},
    "Forwarded": {"Forwarded": "for=127.0.0.1"},
    "Via": {"Via": "1.1 proxy"},
}


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Backend]:
    (tmp_path / "key").write_text(KEY + "\n")
    with Backend(host="0.0.0.0", ingest_key_file=str(tmp_path / "key")) as running:
        yield running


@pytest.mark.parametrize("why", STRANGERS)
def test_a_stranger_is_refused_everywhere_in_words(backend: Backend, why: str) -> None:
    for path in PATHS:
        answer = backend.request("GET", path, headers=STRANGERS[why])
        assert answer.status_code in (403, 400 if why == "no Host" else 403), path
        assert "localhost" in answer.json()["error"]
    assert backend.post(report(), headers=STRANGERS[why]).status_code == 403
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


GOOD = [{"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer  {KEY}"}, {"X-API-Key": KEY}]
BAD: list[dict[str, str]] = [
    {},
    {"Authorization": KEY},
    {"Authorization": "Bearer"},
    {"Authorization": f"Basic {KEY}"},
    {"Authorization": "Bearer wrong"},
    {"X-API-Key": KEY[:-1]},
    {"X-API-Key": KEY.upper()},
    {"X-API-Key": "schlüssel".encode("latin-1").decode("latin-1")},
    {"X-API-Key": ""},
    {"Authorization": "Bearer wrong", "X-API-Key": KEY},
]


@pytest.mark.parametrize("headers", GOOD)
def test_a_post_with_the_key_is_taken_from_anywhere(
    keyed: Backend, headers: dict[str, str]
) -> None:
    assert keyed.post(report(), headers=headers).status_code == 200
    elsewhere = {**headers, "Host": "monitor.example.org", "X-Forwarded-For": "192.0.2.7"}
    assert keyed.post(report(), headers=elsewhere).status_code == 200


@pytest.mark.parametrize("headers", BAD)
def test_a_post_without_the_right_key_is_refused_in_words(
    keyed: Backend, headers: dict[str, str]
) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = keyed.post(report(), headers=sent)
    assert answer.status_code == 401
    assert "key" in answer.json()["error"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert KEY not in answer.text
    assert keyed.json("/api/servers")["total"] == 0


def test_with_a_key_a_stranger_may_post_reports_and_nothing_else(keyed: Backend) -> None:
    headers = {"Host": "monitor.example.org", "Authorization": f"Bearer {KEY}"}
    for path in PATHS:
        assert keyed.request("GET", path, headers=headers).status_code == 403
    keyed.post(report(), headers=headers)
    assert keyed.request("DELETE", "/api/servers/web-1", headers=headers).status_code == 403
    assert keyed.json("/api/servers")["total"] == 1


def test_two_host_headers_are_no_way_in(backend: Backend) -> None:
    for hosts in (("127.0.0.1", "evil.example"), ("evil.example", "127.0.0.1")):
        with backend.connect() as connection:
            lines = "".join(f"Host: {host}\r\n" for host in hosts)
            connection.sendall(f"GET /api/servers HTTP/1.1\r\n{lines}\r\n".encode())
            status = connection.recv(65_536).split(b"\r\n")[0]
        assert re.match(rb"HTTP/1.1 (400|403)", status), hosts


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
