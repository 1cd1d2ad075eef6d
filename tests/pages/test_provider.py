"""Sign-in by a certified OpenID provider, through its own pages, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostpulse.access.principal import DEFAULT_TENANT, Principal
from hostpulse.access.provider import CALLBACK_PATH

from tests.backend.control_places import Place
from tests.backend_under_test import Backend
from tests.openid.client import client_of
from tests.openid.real import RealProvider
from tests.pages.browser import LIST_READY, NARROW, WIDE, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times
from tests.pages.people import PASSWORD, SIGN_IN_READY, go_signed_in, make_owner
from tests.pages.test_accessibility import serious
from tests.programs import free_port

CONTINUE = "text=Continue with Acme"
PROBLEM = ".gate [role=alert]:not(:empty)"


@pytest.fixture
def backend(tmp_path: Path, needs_program: Callable[..., str]) -> Iterator[Backend]:
    """A backend that ada owns, with one server and a real provider."""
    provider = RealProvider(needs_program("node"))
    try:
        with client_of(Place(tmp_path / "data", ""), provider.issuer) as running:
            provider.register(running.url + CALLBACK_PATH)
            make_owner(running)
            feed(running, Machine(), times(10 * MINUTE_MS))
            yield running
    finally:
        provider.close()


def sign_in_there(tab: Tab, name: str) -> None:
    """Go through the provider's pages."""
    tab.page.wait_for_selector("[name=login]")
    assert not tab.page.url.startswith(tab.url)
    tab.page.fill("[name=login]", name)
    tab.page.fill("[name=password]", "any")
    tab.page.keyboard.press("Enter")
    tab.page.click("button:has-text('Continue')")


def invite(backend: Backend, role: str = "viewer") -> str:
    links = backend.parts.people.links
    return f"{backend.url}/welcome#{links.invite(Principal(DEFAULT_TENANT), role)}"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_an_invitation_through_the_provider_and_then_back_to_where_one_was(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    tab = open_tab(width=width)
    tab.page.goto(invite(backend))
    tab.page.click(CONTINUE)
    sign_in_there(tab, "grace@example.com")
    tab.page.wait_for_selector(LIST_READY)
    assert tab.page.url == tab.url + "/"
    assert tab.run("() => hostpulse.store.get().servers.size") == 1
    tab.page.click(".account-menu summary")
    assert "grace" in tab.text(".account-menu")
    tab.page.click("text=Sign out")

    path = f"/servers/{backend.parts.servers.all('default')[0].id}?range=15m"
    tab.page.goto(tab.url + path)
    tab.page.wait_for_selector(SIGN_IN_READY)
    assert tab.run("() => document.documentElement.scrollWidth - innerWidth") <= 0
    tab.page.click(CONTINUE)  # it knows her still
    tab.page.wait_for_selector("h1:has-text('web-1')")
    assert tab.page.url == tab.url + path


def test_whoever_nobody_knows_reads_why_and_what_to_do(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(bypass_csp=True)
    tab.page.goto(tab.url)
    tab.page.click(CONTINUE)
    sign_in_there(tab, "mallory")
    tab.page.wait_for_selector(PROBLEM)
    assert "Ask an admin for an invitation" in tab.text(PROBLEM)
    assert tab.page.url == tab.url + CALLBACK_PATH
    assert serious(tab) == []
    tab.page.reload()
    tab.page.wait_for_selector(PROBLEM)
    assert "begin again" in tab.text(PROBLEM)
    tab.page.click("text=Back")
    tab.page.wait_for_selector(SIGN_IN_READY)


def test_an_account_is_linked_and_unlinked_in_its_settings(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, "/settings/account", "text=Link with Acme")
    tab.page.fill("[name=proof]", "not this one")
    tab.page.click("text=Link with Acme")
    tab.page.wait_for_selector("#proof-problem")
    assert tab.text("#proof-problem") == "Is not your password."
    tab.page.fill("[name=proof]", PASSWORD)
    tab.page.click("text=Link with Acme")
    sign_in_there(tab, "ada-at-acme")
    tab.page.wait_for_selector("text=Your account is linked.")
    assert tab.page.url == tab.url + "/settings/account"
    tab.page.click("text=Unlink…")
    tab.page.click(".ask .btn--danger")
    tab.page.wait_for_selector("text=Link with Acme")


def test_whoever_has_no_password_is_told_so_and_offered_none(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(bypass_csp=True)
    tab.page.goto(invite(backend))
    tab.page.click(CONTINUE)
    sign_in_there(tab, "grace@example.com")
    tab.page.wait_for_selector(LIST_READY)
    tab.go("/settings/account", "text=only way in")
    assert "Your account has none." in tab.text(".settings__content")
    assert not tab.page.locator(".settings__content input[type=password]").count()
    assert not tab.page.locator("text=Unlink").count()
    assert serious(tab) == []


def test_a_provider_that_is_away_is_said_and_the_password_works(
    tmp_path: Path, open_tab: Callable[..., Tab]
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with client_of(Place(tmp_path / "lonely", ""), nowhere) as lonely:
        make_owner(lonely)
        feed(lonely, Machine(), times(10 * MINUTE_MS))
        tab = open_tab()
        tab.url = lonely.url
        tab.page.goto(tab.url)
        tab.page.click(CONTINUE)
        tab.page.wait_for_selector(PROBLEM)
        assert "You cannot sign in with Acme now" in tab.text(PROBLEM)
        go_signed_in(tab)
