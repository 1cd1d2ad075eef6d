"""Nobody sees anything before they signed in, nor after; the address stays what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import LIST_READY, NARROW, SERVER_READY, WIDE, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times
from tests.pages.people import (
    NAME,
    PASSWORD,
    SIGN_IN_READY,
    go_signed_in,
    make_member,
    owned,
    sign_in,
)

IDLE_MS = 31 * MINUTE_MS
PROBLEM = ".gate [role=alert]:not(:empty)"


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend that ada owns, with one server."""
    with owned() as running:
        yield running


def server_path(backend: Backend) -> str:
    return f"/servers/{backend.parts.servers.all('default')[0].id}"


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_who_signs_in_goes_on_where_they_wanted_to(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    tab = open_tab(width=width)
    path = f"{server_path(backend)}?range=15m"
    tab.page.goto(tab.url + path)
    tab.page.wait_for_selector(SIGN_IN_READY)
    assert tab.run("() => document.activeElement.name") == "name"
    assert not tab.page.locator("#account *").count()
    assert "web-1" not in tab.page.content()
    assert tab.run("() => document.documentElement.scrollWidth - innerWidth") <= 0
    sign_in(tab)
    tab.page.wait_for_selector(SERVER_READY)
    assert tab.page.url == tab.url + path
    assert tab.text("h1") == "web-1"


def test_a_wrong_password_is_said_and_the_name_stays(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.page.goto(tab.url)
    sign_in(tab, password="something else")
    tab.page.wait_for_selector(PROBLEM)
    assert tab.text(PROBLEM) == "The name or the password is wrong."
    assert tab.page.input_value("[name=name]") == NAME
    assert tab.run("() => document.activeElement.name") == "password"


def test_signing_out_leaves_nothing_on_the_page(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab)
    tab.page.click(".account-menu summary")
    tab.page.click("text=Sign out")
    tab.page.wait_for_selector(SIGN_IN_READY)
    assert "web-1" not in tab.page.content()
    assert tab.run("() => hostpulse.store.get().servers.size") == 0
    assert "over" not in tab.text(".gate")
    tab.page.reload()
    tab.page.wait_for_selector(SIGN_IN_READY)


def test_a_session_that_ends_meanwhile_asks_to_sign_in_and_goes_on(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(running=True)
    path = f"{server_path(backend)}?range=6h"
    go_signed_in(tab, path, SERVER_READY)
    backend.clock.advance(IDLE_MS)
    tab.pass_seconds(6)
    tab.page.wait_for_selector(SIGN_IN_READY)
    assert "Your session is over" in tab.text(".gate")
    assert tab.page.is_hidden("#banner")
    assert "web-1" not in tab.page.content()
    sign_in(tab)
    tab.page.wait_for_selector(SERVER_READY)
    assert tab.page.url == tab.url + path


def test_a_page_that_refreshes_by_itself_does_not_keep_a_session_awake(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(running=True)
    go_signed_in(tab)
    for _ in range(4):
        backend.clock.advance(8 * MINUTE_MS)
        tab.pass_seconds(6)
    tab.page.wait_for_selector(SIGN_IN_READY)


def test_a_session_ended_elsewhere_ends_here(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    here, there = open_tab(running=True), open_tab()
    go_signed_in(here)
    go_signed_in(there, "/settings/account", "text=Sign out everywhere else")
    assert there.texts(".data tbody tr >> nth=0")
    there.page.click("text=Sign out everywhere else")
    there.until("() => document.querySelectorAll('.data tbody tr').length === 1")
    backend.clock.advance(1000)
    here.page.wait_for_timeout(600)  # what another process would take to hear of it
    here.pass_seconds(6)
    here.page.wait_for_selector(SIGN_IN_READY)


def test_a_new_password_is_the_one_that_counts(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, "/settings/account", "text=Where you are signed in")
    tab.page.fill("[name=old]", "not this one")
    tab.page.fill("[name=new]", "another long sentence")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#old-problem")
    assert tab.text("#old-problem") == "Is not your password."
    tab.page.fill("[name=old]", PASSWORD)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#toast:has-text('Saved')")
    tab.page.click(".account-menu summary")
    tab.page.click("text=Sign out")
    sign_in(tab)
    tab.page.wait_for_selector(PROBLEM)
    backend.clock.advance(10_000)
    sign_in(tab, password="another long sentence")
    tab.page.wait_for_selector(LIST_READY)


def test_a_viewer_is_offered_only_what_a_viewer_may(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    make_member(backend, "vic", "viewer")
    tab = open_tab()
    go_signed_in(tab, name="vic")
    assert not tab.page.locator("text=Add server").count()
    tab.go_to_server()
    assert not tab.page.locator(".more-menu").count()
    tab.go("/settings", ".settings h1")
    assert tab.texts(".settings__nav a") == ["General", "My account", "My tokens", "About"]
    tab.go("/settings/users", ".settings h1")
    assert "Your role may not see this section" in tab.text(".settings__content")


def test_without_sign_in_there_is_nothing_about_people(open_tab: Callable[..., Tab]) -> None:
    with Backend() as open_to_all:
        feed(open_to_all, Machine(), times(10 * MINUTE_MS))
        tab = open_tab()
        tab.url = open_to_all.url
        tab.go_to_list()
        assert not tab.page.locator(".account-menu, .tools__add").count()
        tab.go("/settings", ".settings h1")
        assert tab.texts(".settings__nav a") == ["General", "Retention", "About"]
        tab.go("/sign-in", LIST_READY)
