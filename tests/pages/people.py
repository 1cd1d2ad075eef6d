"""People at the pages: accounts made without a browser, and what they type into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from hostpulse.access.principal import DEFAULT_TENANT, Principal
from hostpulse.access.sessions import Client

from tests.backend_under_test import Backend
from tests.pages.browser import LIST_READY, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times

NAME, PASSWORD = "ada", "a rather long sentence"
SIGN_IN_READY = ".gate form [name=password]"
ELSEWHERE = Client("192.0.2.1", "a test")


def make_owner(backend: Backend) -> None:
    """Make the account of the first owner."""
    people = backend.parts.people
    people.links.use(people.links.make_setup(), NAME, PASSWORD, ELSEWHERE)


def make_member(backend: Backend, name: str, role: str) -> None:
    """Make an account of this role, with the same password."""
    people = backend.parts.people
    token = people.links.invite(Principal(DEFAULT_TENANT), role)
    people.links.use(token, name, PASSWORD, ELSEWHERE)


def claim(url: str, data: Path) -> None:
    """Make the first owner of a running `hostpulse serve`, with the link that it left."""
    token = (data / "setup-link").read_text().strip().partition("#")[2]
    given = {"token": token, "name": NAME, "password": PASSWORD}
    answer = requests.post(f"{url}/api/links/use", json=given, timeout=20)
    assert answer.ok, answer.text


def sign_in(tab: Tab, name: str = NAME, password: str = PASSWORD) -> None:
    """Fill in the form that is on the page."""
    tab.page.wait_for_selector(SIGN_IN_READY)
    tab.page.fill("[name=name]", name)
    tab.page.fill("[name=password]", password)
    tab.page.keyboard.press("Enter")


def go_signed_in(tab: Tab, path: str = "/", ready: str = LIST_READY, name: str = NAME) -> None:
    """Open a path, sign in, and wait for what one wanted to see."""
    tab.page.goto(tab.url + path)
    sign_in(tab, name)
    tab.page.wait_for_selector(ready)


@contextmanager
def owned() -> Iterator[Backend]:
    """Run a backend that ada owns, with one server."""
    with Backend(auth=True) as running:
        make_owner(running)
        feed(running, Machine(), times(10 * MINUTE_MS))
        yield running
