"""The second factor at the pages, by keyboard: on with an app, the second step, recovery, off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import LIST_READY, NARROW, SERVER_READY, THEMES, WIDE, Tab
from tests.pages.people import (
    PASSWORD,
    SIGN_IN_READY,
    go_signed_in,
    make_member,
    owned,
    sign_in,
)
from tests.pages.test_accessibility import serious

STEP_MS = 30_000
CODE, RECOVERY = ".gate [name=code][inputmode=numeric]", ".gate [name=code]:not([inputmode])"
PROBLEM = "#code-problem"


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend that ada owns, with one server."""
    with owned() as running:
        yield running


class Phone:
    """The app of somebody, which took the key from the page."""

    def __init__(self, backend: Backend, key: str) -> None:
        self._clock, self._app = backend.clock, pyotp.TOTP(key)
        self.recovery: list[str] = []

    def code(self) -> str:
        return self._app.at(self._clock.now_ms // 1000)

    def next_code(self) -> str:
        self._clock.advance(STEP_MS)
        return self.code()


def press(tab: Tab, *keys: str) -> None:
    for key in keys:
        tab.page.keyboard.press(key)


def focused(tab: Tab) -> str:
    script = "() => document.activeElement.name || document.activeElement.textContent.trim()"
    return str(tab.run(script))


def switch_on(backend: Backend, tab: Tab) -> Phone:
    """Do it by the keyboard alone, from the settings that are open."""
    tab.page.focus("text=Switch on…")
    press(tab, "Enter")
    tab.page.wait_for_selector("dialog[open] [name=password]")
    assert focused(tab) == "password"
    tab.page.keyboard.type("not this one")
    press(tab, "Enter")
    tab.page.wait_for_selector("#password-problem")
    assert tab.text("#password-problem") == "Is not your password."
    assert focused(tab) == "password"
    press(tab, "Control+a")
    tab.page.keyboard.type(PASSWORD)
    press(tab, "Enter")
    tab.page.wait_for_selector("dialog[open] .qr")
    assert focused(tab) == "code"
    assert tab.page.input_value("dialog[open] [name=code]") == "", "the password went into it"
    phone = Phone(backend, tab.text("dialog[open] .command code"))
    tab.page.keyboard.type("000000")
    press(tab, "Enter")
    tab.page.wait_for_selector(PROBLEM)
    press(tab, "Control+a")
    tab.page.keyboard.type(phone.code())
    press(tab, "Enter")
    tab.page.wait_for_selector(".codes")
    phone.recovery = tab.texts(".codes li")
    assert focused(tab) == "I have kept them"
    return phone


def sign_out(tab: Tab) -> None:
    tab.page.click(".account-menu summary")
    tab.page.click("text=Sign out")
    tab.page.wait_for_selector(SIGN_IN_READY)


def shown_in_whole(tab: Tab) -> bool:
    """Nothing is wider than the page, and no button sticks out of the dialog on either side."""
    script = """() => {
        const dialog = document.querySelector("dialog[open]");
        const edge = dialog?.getBoundingClientRect();
        const buttons = [...(dialog?.querySelectorAll("button, a") ?? [])];
        return document.documentElement.scrollWidth <= innerWidth && buttons.every((button) => {
            const { left, right } = button.getBoundingClientRect();
            return left >= edge.left && right <= edge.right;
        });
    }"""
    return bool(tab.run(script))


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_by_keyboard_it_is_switched_on_and_signs_in_where_one_wanted_to(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    tab = open_tab(width=width)
    go_signed_in(tab, "/settings/account", "text=Switch on…")
    phone = switch_on(backend, tab)
    assert len(set(phone.recovery)) == 10
    assert tab.run("() => document.querySelector('.qr') === null"), "it is shown once"
    press(tab, "Enter")
    tab.page.wait_for_selector("text=10 recovery codes are left")
    assert len(tab.texts(".data tbody tr")) == 1, "the sessions that ended are not shown"
    assert not any(code in tab.page.content() for code in phone.recovery)
    sign_out(tab)
    path = f"/servers/{backend.parts.servers.all('default')[0].id}?range=15m"
    tab.page.goto(tab.url + path)
    sign_in(tab)
    tab.page.wait_for_selector(CODE)
    assert focused(tab) == "code"
    assert tab.page.get_attribute(CODE, "autocomplete") == "one-time-code"
    assert shown_in_whole(tab)
    assert "web-1" not in tab.page.content()
    tab.page.keyboard.type(phone.code())
    press(tab, "Enter")
    tab.page.wait_for_selector(PROBLEM)
    assert tab.text(PROBLEM) == "Is wrong, was used or is too old; wait for the next one."
    assert focused(tab) == "code"
    tab.page.keyboard.type(phone.next_code())
    press(tab, "Enter")
    tab.page.wait_for_selector(SERVER_READY)
    assert tab.page.url == tab.url + path
    assert tab.violations() == []
    assert tab.errors == []


def with_factor(backend: Backend, tab: Tab) -> Phone:
    """Switch it on and sign out again."""
    go_signed_in(tab, "/settings/account", "text=Switch on…")
    phone = switch_on(backend, tab)
    press(tab, "Enter")
    sign_out(tab)
    return phone


def test_a_page_that_is_loaded_anew_goes_on_with_the_code(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    """A phone drops the page while its owner looks at the app."""
    tab = open_tab(width=NARROW)
    phone = with_factor(backend, tab)
    sign_in(tab)
    tab.page.wait_for_selector(CODE)
    tab.page.reload()
    tab.page.wait_for_selector(CODE)
    assert focused(tab) == "code"
    tab.page.fill("[name=code]", phone.next_code())
    press(tab, "Enter")
    tab.page.wait_for_selector(LIST_READY)


def test_a_recovery_code_signs_in_once_and_the_settings_say_how_many_are_left(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    phone = with_factor(backend, tab)
    for attempt in ("good", "used"):
        tab.page.goto(tab.url + "/settings/account")
        sign_in(tab)
        tab.page.wait_for_selector(CODE)
        tab.page.focus("text=Use a recovery code")
        press(tab, "Enter")
        tab.page.wait_for_selector(RECOVERY)
        assert focused(tab) == "code"
        tab.page.keyboard.type(phone.recovery[0])
        press(tab, "Enter")
        if attempt == "good":
            tab.page.wait_for_selector("text=9 recovery codes are left")
            sign_out(tab)
    tab.page.wait_for_selector(PROBLEM)
    tab.page.click("text=Use the app")
    tab.page.wait_for_selector(CODE)
    assert not tab.page.locator(PROBLEM).count(), "it was about another code"
    assert tab.page.input_value(CODE) == ""


def test_who_took_too_long_begins_again_with_the_password(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    phone = with_factor(backend, tab)
    sign_in(tab)
    tab.page.wait_for_selector(CODE)
    backend.clock.advance(6 * 60_000)
    tab.page.keyboard.type(phone.code())
    press(tab, "Enter")
    tab.page.wait_for_selector(SIGN_IN_READY)
    assert "took too long" in tab.text(".gate [role=alert]:not(:empty)")
    assert focused(tab) == "name"


def test_recovery_codes_are_copied_and_kept_in_a_file(
    backend: Backend, open_tab: Callable[..., Tab], tmp_path: Path
) -> None:
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    go_signed_in(tab, "/settings/account", "text=Switch on…")
    phone = switch_on(backend, tab)
    with tab.page.expect_download() as download:
        tab.page.click("text=Download")
    file = tmp_path / "codes"
    download.value.save_as(file)
    assert download.value.suggested_filename == "hostpulse-recovery-codes.txt"
    assert file.read_text().split("\n\n")[1].split() == phone.recovery
    tab.page.click("dialog[open] button:has-text('Copy')")
    tab.page.wait_for_selector("text=Copied")
    assert tab.run("() => navigator.clipboard.readText()") == "\n".join(phone.recovery)


def test_recovery_codes_are_made_anew_and_the_second_factor_is_switched_off(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    go_signed_in(tab, "/settings/account", "text=Switch on…")
    phone = switch_on(backend, tab)
    press(tab, "Enter")
    tab.page.click("text=New recovery codes…")
    tab.page.fill("dialog[open] [name=password]", PASSWORD)
    tab.page.fill("dialog[open] [name=code]", phone.recovery[0])
    press(tab, "Enter")
    tab.page.wait_for_selector(".codes")
    new = tab.texts(".codes li")
    assert set(new).isdisjoint(phone.recovery)
    press(tab, "Enter")
    tab.page.click("text=Switch off…")
    tab.page.fill("dialog[open] [name=password]", PASSWORD)
    tab.page.fill("dialog[open] [name=code]", phone.recovery[1])
    press(tab, "Enter")
    tab.page.wait_for_selector(PROBLEM)
    tab.page.fill("dialog[open] [name=code]", phone.next_code())
    press(tab, "Enter")
    tab.page.wait_for_selector("#toast:has-text('The second factor is off')")
    tab.page.wait_for_selector("text=Switch on…")
    sign_out(tab)
    sign_in(tab)
    tab.page.wait_for_selector(LIST_READY)


def test_an_owner_sees_who_has_it_and_switches_it_off_for_one_who_lost_it(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    make_member(backend, "vic", "viewer")
    theirs, tab = open_tab(), open_tab()
    go_signed_in(theirs, "/settings/account", "text=Switch on…", name="vic")
    switch_on(backend, theirs)
    go_signed_in(tab, "/settings/users", "text=Invite somebody")
    line = tab.page.locator(".data tbody tr", has_text="vic")
    assert line.locator("td:nth-child(4)").inner_text() == "On"
    line.locator("text=Second factor off…").click()
    tab.page.click("dialog .btn--danger")
    tab.page.wait_for_selector("#toast:has-text('The second factor of vic is off')")
    assert line.locator("td:nth-child(4)").inner_text() == "Off"
    theirs.page.goto(theirs.url)
    sign_in(theirs, "vic")
    theirs.page.wait_for_selector(LIST_READY)


def test_a_link_for_a_new_password_asks_for_the_code(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    from tests.access.test_second_factor import BY

    tab = open_tab()
    phone = with_factor(backend, tab)
    people = backend.parts.people
    link = people.links.make_reset(BY, people.members.list(BY)[0].user.id)
    tab.page.goto(f"{tab.url}/welcome#{link}")
    tab.page.wait_for_selector("text=New password")
    tab.page.fill("[name=password]", "one more long sentence")
    tab.page.fill("[name=again]", "one more long sentence")
    press(tab, "Enter")
    tab.page.wait_for_selector(CODE)
    tab.page.fill("[name=code]", phone.next_code())
    press(tab, "Enter")
    tab.page.wait_for_selector(LIST_READY)


def check(tab: Tab, step: str) -> None:
    assert serious(tab) == [], step
    assert shown_in_whole(tab), step


@pytest.mark.parametrize(
    ("theme", "width"), [(theme, width) for theme in THEMES for width in (WIDE, NARROW)]
)
def test_each_step_of_it_is_accessible(
    backend: Backend, open_tab: Callable[..., Tab], theme: str, width: int
) -> None:
    tab = open_tab(theme=theme, width=width, bypass_csp=True)

    def fill(field: str, text: str, next_: str) -> None:
        tab.page.fill(f"form:has([name=code], .ask__answers) [name={field}]", text)
        press(tab, "Enter")
        tab.page.wait_for_selector(next_)

    go_signed_in(tab, "/settings/account", "text=Switch on…")
    check(tab, "off")
    tab.page.click("text=Switch on…")
    check(tab, "password")
    fill("password", PASSWORD, ".qr")
    check(tab, "app")
    phone = Phone(backend, tab.text("dialog[open] .command code"))
    fill("code", phone.code(), ".codes")
    check(tab, "recovery codes")
    press(tab, "Enter")
    tab.page.wait_for_selector("text=10 recovery codes are left")
    check(tab, "on")
    tab.page.click("text=Switch off…")
    check(tab, "switch off")
    press(tab, "Escape")
    sign_out(tab)
    sign_in(tab)
    tab.page.wait_for_selector(CODE)
    check(tab, "code")
    fill("code", "000000", PROBLEM)
    check(tab, "wrong code")
    tab.page.click("text=Use a recovery code")
    check(tab, "recovery code")
