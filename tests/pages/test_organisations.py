"""Operators manage organisations on a page; who is in two goes from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hostpulse.access.principal import ADMIN, Principal

from tests.access.world import of_key
from tests.backend_under_test import Backend, report
from tests.pages.browser import LIST_READY, NARROW, THEMES, WIDE, Tab
from tests.pages.people import (
    ELSEWHERE,
    NAME,
    PASSWORD,
    SIGN_IN_READY,
    go_signed_in,
    make_owner,
    sign_in,
)
from tests.pages.test_accessibility import serious
from tests.programs import free_port

SECTION, ROWS = "/settings/organisations", ".data tbody tr"
REASON = "the owner asked for help with a disk"


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend that ada runs, with an organisation of zoe's that has a server."""
    with Backend(auth=True, port=free_port()) as running:
        make_owner(running)
        people = running.parts.people
        people.tenants.make(Principal(), "zoo", "Zoo & Sons")
        people.links.use(people.links.make_setup("zoo"), "zoe", PASSWORD, ELSEWHERE)
        by = Principal("zoo", "test", ADMIN, "owner")
        key = running.parts.issuer.make_ingest(by, "all").text
        assert running.post(report("zebra"), headers=of_key(key)).status_code == 200
        yield running


def row_of(tab: Tab, name: str) -> str:
    return f"{ROWS}:has-text('{name}')"


def press(tab: Tab, selector: str) -> None:
    """Reach a control and use it as somebody without a mouse does."""
    tab.page.focus(selector)
    tab.page.keyboard.press("Enter")


def type_in(tab: Tab, text: str) -> None:
    """Type into what has the focus, and send it."""
    tab.page.keyboard.type(text)
    tab.page.keyboard.press("Enter")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_an_organisation_is_made_suspended_and_deleted_by_keyboard(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    tab = open_tab(width=width)
    go_signed_in(tab, SECTION, ROWS)
    tab.page.focus("form [name=name]")
    tab.page.keyboard.type("Aquarium")
    tab.page.keyboard.press("Tab")
    type_in(tab, "Not an id")
    tab.page.wait_for_selector("#id-problem:has-text('Use 1 to 40 small letters')")
    assert tab.run("() => document.activeElement.name") == "id"
    tab.page.keyboard.press("Control+A")
    type_in(tab, "aquarium")
    link = tab.page.locator("dialog[open] .command code").text_content()
    assert link
    assert "/welcome#" in link
    tab.page.keyboard.press("Enter")
    row = row_of(tab, "Aquarium")
    tab.page.wait_for_selector(row)

    press(tab, f"{row} >> text=Suspend…")
    press(tab, "dialog[open] .btn--danger")
    tab.page.wait_for_selector(f"{row} >> text=Suspended")
    press(tab, f"{row} >> text=Resume")
    tab.page.wait_for_selector(f"{row} >> text=Active")

    press(tab, f"{row} >> text=Delete…")
    press(tab, "dialog[open] .btn--danger")
    tab.page.wait_for_selector("dialog[open] .problem:has-text('Type aquarium')")
    assert tab.run("() => document.activeElement.id") == "typed"
    tab.page.keyboard.type("aquarium")
    press(tab, "dialog[open] .btn--danger")
    tab.page.wait_for_selector(f"{row} >> text=Being deleted")


def test_who_looks_into_an_organisation_says_why_and_is_told_so_the_whole_time(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, SECTION, ROWS)
    press(tab, f"{row_of(tab, 'Zoo')} >> text=Look into…")
    type_in(tab, "short")
    tab.page.wait_for_selector("#reason-problem:has-text('Say in 10 to 200 characters why')")
    tab.page.keyboard.press("Control+A")
    type_in(tab, REASON)
    tab.page.wait_for_selector("#standing:has-text('You look into Zoo & Sons until')")
    tab.page.wait_for_selector("text=zebra")
    assert not tab.page.locator(".tools__add").count(), "nothing can be added"
    tab.page.click("text=zebra")
    tab.page.wait_for_selector("h1:has-text('zebra')")
    assert tab.page.is_visible("#standing")
    press(tab, "#standing button")
    tab.page.wait_for_selector("#standing", state="hidden")
    tab.page.wait_for_selector("text=zebra", state="detached")
    zoe = open_tab()
    go_signed_in(zoe, "/settings/audit", f"text={REASON}", "zoe")


def test_the_people_of_a_suspended_organisation_are_told_so(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    backend.parts.people.tenants.suspend(Principal(), "zoo", True)
    tab = open_tab()
    go_signed_in(tab, "/", "#standing:has-text('Zoo & Sons is suspended')", "zoe")
    assert not tab.page.locator("text=zebra").count()


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_who_has_an_account_joins_another_organisation_and_comes_back(
    backend: Backend, open_tab: Callable[..., Tab], is_signed_in: bool
) -> None:
    people = backend.parts.people
    token = people.links.invite(Principal("zoo", role="owner"), "viewer")
    tab = open_tab()
    if is_signed_in:
        go_signed_in(tab, "/", "text=No servers yet")
    tab.page.goto(f"{tab.url}/welcome#{token}")
    if not is_signed_in:
        tab.page.click("text=Sign in and join")
        tab.page.wait_for_selector(SIGN_IN_READY)
        sign_in(tab)
    tab.page.wait_for_selector("h1:has-text('Join Zoo & Sons?')")
    assert token not in tab.page.url
    press(tab, f"text=Join as {NAME}")
    tab.page.wait_for_selector("text=zebra")
    tab.page.click(".account-menu summary")
    tab.page.click(".account-menu .menu__choice:has-text('default')")
    tab.page.wait_for_selector("text=zebra", state="detached")
    assert [one.user.name for one in people.members.list(Principal("zoo"))] == [NAME, "zoe"]


@pytest.mark.parametrize(
    ("theme", "width"), [(theme, width) for theme in THEMES for width in (WIDE, NARROW)]
)
def test_organisations_are_accessible(
    backend: Backend, open_tab: Callable[..., Tab], theme: str, width: int
) -> None:
    tab = open_tab(theme=theme, width=width, bypass_csp=True)
    go_signed_in(tab, SECTION, ROWS)
    assert serious(tab) == []
    assert tab.run("() => document.documentElement.scrollWidth - innerWidth") <= 0
    for words in ("Rename…", "Look into…", "Suspend…", "Delete…"):
        tab.page.click(f"{row_of(tab, 'Zoo')} >> text={words}")
        assert serious(tab) == [], words
        tab.page.keyboard.press("Escape")
    tab.page.click(f"{row_of(tab, 'Zoo')} >> text=Look into…")
    type_in(tab, REASON)
    tab.page.wait_for_selector("#standing:not([hidden])")
    tab.page.wait_for_selector(LIST_READY)
    assert serious(tab) == []
    assert tab.run("() => document.documentElement.scrollWidth - innerWidth") <= 0
    token = backend.parts.people.links.invite(Principal("zoo", role="owner"), "viewer")
    tab.page.goto(f"{tab.url}/welcome#{token}")
    tab.page.wait_for_selector("#welcome-title")
    assert serious(tab) == []
