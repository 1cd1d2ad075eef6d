"""Who the client is when a reverse proxy stands in front, and when somebody only says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hostpulse.config import ConfigError, load

from tests.backend_under_test import Backend, report

PASSWORD = "a long walk on the beach"
NAME = "monitor.example.com"
CLIENT = "198.51.100.7"
THROUGH = {"Host": NAME, "X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}


@pytest.fixture
def proxied() -> Iterator[Backend]:
    """A backend whose proxies are this machine and a network."""
    with Backend(
        auth=True, behind_proxy="127.0.0.1, 10.0.0.0/8", public_url=f"https://{NAME}"
    ) as backend:
        yield backend


def signed_in(backend: Backend, headers: dict[str, str]) -> tuple[str, requests.Response]:
    """Make the first account; return the cookie it got, and the answer."""
    content = {
        "token": backend.parts.people.links.make_setup(),
        "name": "eve",
        "password": PASSWORD,
    }
    answer = backend.request("POST", "/api/links/use", json=content, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["Set-Cookie"], answer


def address_seen(backend: Backend, headers: dict[str, str]) -> str:
    """Return from which address the first account was made."""
    cookie, _ = signed_in(backend, headers)
    backend.http.cookies.clear()  # requests would hold a Secure one back
    sent = {**headers, "Cookie": cookie.partition(";")[0]}
    sessions: Any = backend.request("GET", "/api/sessions", headers=sent).json()["sessions"]
    return str(sessions[0]["address"])


def test_behind_its_proxy_a_session_is_for_https_alone(proxied: Backend) -> None:
    cookie, answer = signed_in(proxied, THROUGH)
    assert cookie.startswith("__Host-hostpulse=")
    assert {"Secure", "HttpOnly", "Path=/"} <= {word.strip() for word in cookie.split(";")}
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_over_plain_http_no_answer_speaks_of_tls(proxied: Backend) -> None:
    headers = {**THROUGH, "X-Forwarded-Proto": "http"}
    cookie, answer = signed_in(proxied, headers)
    assert cookie.startswith("hostpulse=")
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize(
    "said",
    [
        CLIENT,
        f"{CLIENT}, 10.1.2.3",
        f"127.0.0.1, 203.0.113.9, {CLIENT}",
        f"203.0.113.9, {CLIENT}, 10.9.9.9, 10.1.2.3",
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(proxied: Backend, said: str) -> None:
    assert address_seen(proxied, {**THROUGH, "X-Forwarded-For": said}) == CLIENT


@pytest.mark.parametrize("behind", ["", "192.0.2.1"], ids=["no proxy", "another proxy"])
def test_what_others_say_of_the_client_is_ignored(behind: str) -> None:
    with Backend(auth=True, behind_proxy=behind, public_url=f"https://{NAME}") as backend:
        cookie, answer = signed_in(backend, THROUGH)
        assert cookie.startswith("hostpulse=")
        assert "Secure" not in cookie
        assert "Strict-Transport-Security" not in answer.headers
    with Backend(auth=True, behind_proxy=behind, public_url=f"https://{NAME}") as backend:
        assert address_seen(backend, THROUGH) == "127.0.0.1"


def test_through_a_proxy_nobody_is_this_machine(proxied: Backend) -> None:
    local = {"Host": "localhost"}
    for headers in (local, {**local, "X-Forwarded-For": "127.0.0.1"}):
        answer = proxied.post(report(), headers=headers)
        assert answer.status_code == 401, answer.text


def test_a_host_named_by_a_header_of_the_proxy_is_nobody(proxied: Backend) -> None:
    headers = {**THROUGH, "Host": "evil.example", "X-Forwarded-Host": NAME}
    assert proxied.request("GET", "/", headers=headers).status_code == 421


@pytest.mark.parametrize("proxy", ["*", "localhost", "10.0.0.1/8", "0.0.0.0/0", "::/0", "a, b"])
def test_a_proxy_that_could_be_anybody_is_refused_in_words(proxy: str) -> None:
    with pytest.raises(ConfigError, match=r"^behind_proxy: "):
        load({"auth": True, "behind_proxy": proxy}, {})


def test_behind_a_proxy_people_have_to_sign_in() -> None:
    with pytest.raises(ConfigError, match=r"^auth: "):
        load({"auth": False, "behind_proxy": "127.0.0.1"}, {})
