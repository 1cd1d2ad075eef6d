"""What somebody wrote into the settings is not lost by a slip."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import Tab
from tests.pages.people import go_signed_in, make_owner
from tests.programs import free_port

ASKED = "dialog[open]:has-text('Leave without saving?')"


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend that ada owns."""
    with Backend(auth=True, port=free_port()) as running:
        make_owner(running)
        yield running


@pytest.fixture
def tab(backend: Backend, open_tab: Callable[..., Tab]) -> Tab:
    """A browser on the organisations' page, with Users before it in its history."""
    tab = open_tab()
    go_signed_in(tab, "/settings/users", "text=Invite somebody")
    tab.page.click("text=Organisations")
    tab.page.wait_for_selector("text=A new organisation")
    return tab


def test_a_link_asks_before_what_was_written_is_lost(tab: Tab) -> None:
    tab.page.fill("[name=name]", "Ant farm")
    tab.page.click("text=Audit log")
    tab.page.wait_for_selector(ASKED)
    tab.page.keyboard.press("Escape")
    assert tab.page.url.endswith("/settings/organisations")
    assert tab.page.input_value("[name=name]") == "Ant farm"
    tab.page.click("text=Audit log")
    tab.page.click(f"{ASKED} >> text=/^Leave$/")
    tab.page.wait_for_selector("h1:has-text('Audit log')")


def test_back_asks_too_and_goes_where_it_would_have_gone(tab: Tab) -> None:
    tab.page.fill("[name=name]", "Ant farm")
    tab.run("() => history.back()")
    tab.page.wait_for_selector(ASKED)
    assert tab.page.url.endswith("/settings/organisations")
    tab.page.click(f"{ASKED} >> text=/^Leave$/")
    tab.page.wait_for_selector("text=Invite somebody")
    assert tab.page.url.endswith("/settings/users")


def test_what_is_as_it_was_or_was_sent_is_left_without_a_question(tab: Tab) -> None:
    tab.page.fill("[name=name]", "Ant farm")
    tab.page.fill("[name=name]", "")
    tab.page.click("text=Audit log")
    tab.page.wait_for_selector("h1:has-text('Audit log')")
    tab.page.click("text=General")
    tab.page.select_option("[name=theme]", "dark")
    tab.page.click("button:has-text('Save')")
    tab.page.wait_for_selector("#toast:has-text('Saved')")
    tab.page.click("text=Audit log")
    tab.page.wait_for_selector("h1:has-text('Audit log')")
    assert tab.page.locator(ASKED).count() == 0


def test_the_browser_itself_asks_before_it_closes_the_page(tab: Tab) -> None:
    asked: list[str] = []
    tab.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    tab.page.reload()
    tab.page.wait_for_selector("text=A new organisation")
    assert asked == []
    tab.page.click("[name=name]")
    tab.page.keyboard.type("Ant farm")
    tab.page.reload()
    assert asked == ["beforeunload"]
