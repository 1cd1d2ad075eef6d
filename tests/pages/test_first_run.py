"""From `hostpulse up` to a signed-in page with a moving chart, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend_under_test import eventually
from tests.pages.browser import NARROW, SERVER_READY, WIDE, Tab, Tabs
from tests.pages.people import PASSWORD
from tests.pages.test_accessibility import serious
from tests.programs import START_SECONDS, Program, command, environment, free_port

MOVING = "() => hostpulse.charts.cpu?.chart?.data.datasets[0].data.length ?? 0"


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    """The link that a first start leaves for whoever started it."""
    port, data = free_port(), tmp_path / "data"
    line = command("hostpulse", "up", "--auth", "--port", str(port))
    running = Program(line, tmp_path / "log", environment(HOSTPULSE_DATA_DIR=str(data)))
    left = data / "setup-link"
    try:
        eventually(lambda: left.exists() and left.read_text().endswith("\n"), START_SECONDS)
        yield left.read_text().strip()
    finally:
        running.kill()


def focused(tab: Tab) -> str:
    return tab.run("() => document.activeElement?.name ?? ''")  # type: ignore[no-any-return]


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_first_minute_needs_a_link_and_a_keyboard(tabs: Tabs, link: str, width: int) -> None:
    url, _, token = link.partition("/welcome#")
    tab = tabs.open(url, width=width, bypass_csp=True)
    tab.page.goto(link)
    tab.page.wait_for_selector("dialog[open] [name=name]")
    assert token not in tab.page.url
    tab.page.wait_for_selector(
        SERVER_READY, timeout=20_000
    )  # behind the dialog, before any account
    tab.until(f"() => ({MOVING})() > 2", seconds=20)
    seen = tab.run(MOVING)
    tab.until(f"(seen) => ({MOVING})() > seen", seen, seconds=20)
    assert serious(tab) == []
    make_account(tab)
    assert "/servers/" in tab.page.url
    seen = tab.run(MOVING)
    tab.until(f"(seen) => ({MOVING})() > seen", seen, seconds=20)
    assert serious(tab) == []
    assert tab.run("() => document.documentElement.scrollWidth - innerWidth") <= 0


def make_account(tab: Tab) -> None:
    """Type a name and a password, at first one that is too short."""
    assert focused(tab) == "name"
    tab.page.keyboard.press("Escape")  # there is nothing to go back to
    keys = tab.page.keyboard
    for text in ("ada", "short", "short"):
        keys.type(text)
        keys.press("Tab")
    assert tab.run("() => document.activeElement.textContent.trim()") == "Create the account"
    keys.press("Enter")
    tab.page.wait_for_selector("#password-problem")
    assert "at least 10 characters" in tab.text("#password-problem")
    assert focused(tab) == "password"
    assert serious(tab) == []
    for _ in range(2):
        keys.press("Control+A")
        keys.type(PASSWORD)
        keys.press("Tab")
    keys.press("Enter")
    tab.page.wait_for_selector(".account-menu")
    tab.page.wait_for_selector(SERVER_READY)


def test_a_link_is_good_once(tabs: Tabs, link: str) -> None:
    tab = tabs.open(link.partition("/welcome")[0])
    tab.page.goto(link)
    tab.page.wait_for_selector("dialog[open] [name=name]")
    for name, text in (("name", "ada"), ("password", PASSWORD), ("again", PASSWORD)):
        tab.page.fill(f"[name={name}]", text)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector(".account-menu")
    again = tabs.open(tab.url)
    again.page.goto(link)
    again.page.wait_for_selector("text=This link does not work")
    assert "was used or is too old" in again.text(".gate")
    again.page.click("text=Sign in")
    again.page.wait_for_selector(".gate [name=password]")


def test_two_passwords_that_differ_make_no_account(tabs: Tabs, link: str) -> None:
    tab = tabs.open(link.partition("/welcome")[0])
    tab.page.goto(link)
    tab.page.wait_for_selector("dialog[open] [name=name]")
    for name, text in (("name", "ada"), ("password", PASSWORD), ("again", PASSWORD + "!")):
        tab.page.fill(f"[name={name}]", text)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#again-problem")
    assert not tab.page.locator(".account-menu").count()
