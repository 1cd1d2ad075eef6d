"""People and keys are managed on the settings pages; what is secret is shown once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import LIST_READY, NARROW, THEMES, WIDE, Tab
from tests.pages.machines import Machine, feed_once
from tests.pages.people import (
    PASSWORD,
    SIGN_IN_READY,
    go_signed_in,
    make_member,
    make_owner,
    sign_in,
)
from tests.pages.test_accessibility import serious
from tests.programs import free_port

SECTIONS = (
    "general",
    "account",
    "tokens",
    "users",
    "keys",
    "retention",
    "organisations",
    "audit",
    "about",
)
SECRET = "dialog[open] .command code"


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend that ada owns, with a viewer and a server."""
    with Backend(auth=True, port=free_port()) as running:
        make_owner(running)
        make_member(running, "vic", "viewer")
        feed_once(running, [Machine()])
        yield running


def open_section(tab: Tab, section: str) -> None:
    tab.go(f"/settings/{section}", ".settings h1")
    tab.until("() => !document.querySelector('.settings [role=status]')")


def test_an_invited_person_makes_an_account_of_that_role(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, "/settings/users", "text=Invite somebody")
    tab.page.select_option("[name=role]", "admin")
    tab.page.click("text=Make a link")
    link = tab.page.locator(SECRET).text_content()
    assert link
    tab.page.keyboard.press("Escape")
    tab.until("() => !document.querySelector('dialog')")
    assert link not in tab.page.content(), "it is shown once"
    other = open_tab(width=NARROW)
    other.page.goto(link)
    other.page.wait_for_selector("text=You are invited")
    for name, text in (("name", "Vic"), ("password", PASSWORD), ("again", PASSWORD)):
        other.page.fill(f"[name={name}]", text)
    other.page.keyboard.press("Enter")
    other.page.wait_for_selector("#name-problem")
    assert other.text("#name-problem") == "Vic is taken; choose another."
    other.page.fill("[name=name]", "eve")
    other.page.keyboard.press("Enter")
    other.page.wait_for_selector(LIST_READY)
    open_section(tab, "users")
    assert "eve" in " ".join(tab.texts(".data td"))


def test_a_disabled_person_is_out_at_once_and_a_reset_link_lets_them_in(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    theirs, tab = open_tab(running=True), open_tab()
    go_signed_in(theirs, name="vic")
    go_signed_in(tab, "/settings/users", "text=Invite somebody")
    line = tab.page.locator(".data tbody tr", has_text="vic")
    line.locator("text=Disable").click()
    tab.page.wait_for_selector("#toast:has-text('vic is disabled')")
    theirs.page.wait_for_timeout(600)  # what another process would take to hear of it
    theirs.pass_seconds(6)
    theirs.page.wait_for_selector(SIGN_IN_READY)
    line.locator("text=Enable").click()
    tab.page.wait_for_selector("#toast:has-text('vic may sign in again')")
    line.locator("text=New password").click()
    link = tab.page.locator(SECRET).text_content()
    assert link
    theirs.page.goto(link)
    theirs.page.wait_for_selector("text=New password")
    theirs.page.fill("[name=password]", "one more long sentence")
    theirs.page.fill("[name=again]", "one more long sentence")
    theirs.page.keyboard.press("Enter")
    theirs.page.wait_for_selector(LIST_READY)


def test_a_role_is_saved_when_somebody_says_so(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, "/settings/users", "text=Invite somebody")
    line = tab.page.locator(".data tbody tr", has_text="vic")
    line.locator("select").select_option("editor")
    line.locator("text=Save").click()
    tab.page.wait_for_selector("#toast:has-text('Saved')")
    open_section(tab, "users")
    assert line.locator("select").input_value() == "editor"
    mine = tab.page.locator(".data tbody tr", has_text="ada")
    mine.locator("select").select_option("viewer")
    mine.locator("text=Save").click()
    tab.page.wait_for_selector("#toast:has-text('last owner')")


def test_a_removed_person_belongs_here_no_more(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, "/settings/users", "text=Invite somebody")
    line = tab.page.locator(".data tbody tr", has_text="vic")
    line.locator("text=Remove").click()
    tab.page.click("dialog .btn--danger")
    tab.page.wait_for_selector("dialog .problem:has-text('Type vic')")
    tab.page.fill("#typed", "vic")
    tab.page.click("dialog .btn--danger")
    tab.page.wait_for_selector("#toast:has-text('vic is removed')")
    line.wait_for(state="detached")


def test_keys_are_shown_once_listed_and_revoked(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, "/settings/keys", "text=Make an ingest key")
    keys: list[str] = []
    for section, label in (("keys", "cron"), ("tokens", "ci")):
        open_section(tab, section)
        tab.page.fill("[name=label]", label)
        tab.page.click("form .btn--main")
        keys.append(tab.page.locator(SECRET).text_content() or "")
        tab.page.click("dialog button:has-text('Done')")
        tab.page.wait_for_selector(f".data tbody tr:has-text('{label}')")
    assert [key[:6] for key in keys] == ["hp_in_", "hp_pa_"]
    ingest, personal = keys
    assert not any(key in tab.page.content() for key in keys)
    asked = {"Authorization": f"Bearer {personal}"}
    assert backend.request("GET", "/api/servers", headers=asked).status_code == 200
    report = Machine("by-curl").report(backend.clock.now_ms)
    assert backend.post(report, headers={"Authorization": f"Bearer {ingest}"}).status_code == 200
    open_section(tab, "keys")
    for label in ("cron", "ci"):
        tab.page.locator(".data tbody tr", has_text=label).locator("button").click()
        tab.page.click("dialog .btn--danger")
        tab.until("(label) => !document.querySelector('.data')?.textContent.includes(label)", label)
    assert backend.request("GET", "/api/servers", headers=asked).status_code == 401
    assert backend.post(report, headers={"Authorization": f"Bearer {ingest}"}).status_code == 401


def test_the_audit_log_goes_back_to_the_first_deed(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, "/settings/audit", ".data")
    deeds = tab.texts(".data tbody td:nth-child(3)")
    assert deeds[0] == "sign in"
    assert deeds[-1] == "make a setup link"
    tab.page.click("text=Older")
    tab.page.wait_for_selector("text=That is all.")


def test_preferences_are_kept_in_the_browser(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(timezone_id="America/New_York")
    go_signed_in(tab, "/settings/general", ".settings form")
    tab.page.select_option("[name=theme]", "dark")
    tab.page.select_option("[name=zone]", "utc")
    assert tab.run("() => document.documentElement.dataset.theme") == "light", "not yet"
    tab.page.click("text=Save")
    tab.page.wait_for_selector("#toast:has-text('Saved')")
    assert tab.run("() => document.documentElement.dataset.theme") == "dark"
    tab.page.reload()
    tab.page.wait_for_selector(".settings form")
    assert tab.page.input_value("[name=zone]") == "utc"


def test_who_belongs_to_two_organisations_sees_one_at_a_time(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    from hostpulse.control import people_rows
    from hostpulse.control.people_rows import TenantRow

    parts = backend.parts
    with parts.people.members._store.system_transaction() as connection:
        people_rows.add_tenant(connection, TenantRow("second", "Second & Sons", 0))
        ada = people_rows.user_named(connection, "ada")
        assert ada
        people_rows.set_role(connection, "second", ada.id, "viewer")
    tab = open_tab()
    go_signed_in(tab)
    tab.page.click(".account-menu summary")
    tab.page.click("text=Second & Sons")
    tab.page.wait_for_selector("text=No servers yet")
    assert tab.run("() => hostpulse.store.get().servers.size") == 0
    assert not tab.page.locator(".tools__add").count(), "only a viewer there"


@pytest.mark.parametrize(
    ("theme", "width"), [(theme, width) for theme in THEMES for width in (WIDE, NARROW)]
)
def test_sign_in_and_settings_are_accessible(
    backend: Backend, open_tab: Callable[..., Tab], theme: str, width: int
) -> None:
    tab = open_tab(theme=theme, width=width, bypass_csp=True)
    tab.page.goto(tab.url)
    sign_in(tab, password="wrong password")
    tab.page.wait_for_selector(".gate [role=alert]:not(:empty)")
    assert serious(tab) == []
    sign_in(tab)
    tab.page.wait_for_selector(LIST_READY)
    tab.page.click(".account-menu summary")
    assert serious(tab) == []
    for section in SECTIONS:
        open_section(tab, section)
        assert serious(tab) == [], section
        assert tab.run("() => document.documentElement.scrollWidth - innerWidth") <= 0, section
    open_section(tab, "users")
    tab.page.click("text=Make a link")
    tab.page.wait_for_selector(SECRET)
    assert serious(tab) == []
