"""Whatever a server calls itself and its parts is text on the pages, never markup."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times

EVIL = "<img src=x onerror=window.__xss=1>"
MACHINE = Machine(
    name=EVIL,
    tags=(EVIL, f"tag:{EVIL}"),
    os=f"os {EVIL}",
    kernel=f"kernel {EVIL}",
    mount=f"/mount {EVIL}",
    nic=f"nic {EVIL}",
    disk=f"disk {EVIL}",
    sensor=f"sensor {EVIL}",
    custom=f"custom {EVIL}",
)
SHOWN = "(text) => document.body.textContent.includes(text)"
HARM = "() => [window.__xss, document.querySelectorAll('img, [onerror]').length]"


@pytest.fixture
def hostile(backend: Backend) -> Backend:
    feed(backend, MACHINE, times(10 * MINUTE_MS))
    return backend


def test_f85_the_list_shows_a_hostile_name_as_text(
    hostile: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go_to_list(f"?q={quote(EVIL)}&group=tag:tag")
    tab.go_to_list("?cols=status,name,os,kernel,cpu,disk,temperature,agent")
    assert tab.text(".name__link") == EVIL
    assert EVIL in tab.texts(".tag")
    assert tab.run(SHOWN, MACHINE.mount)
    assert tab.run(HARM) == [None, 0]
    assert tab.violations() == []


def test_f85_the_page_of_a_server_shows_hostile_parts_as_text(
    hostile: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go_to_server(quote(EVIL, safe=""))
    for text in (MACHINE.os, MACHINE.kernel, MACHINE.mount, MACHINE.nic, MACHINE.disk):
        assert tab.run(SHOWN, text), text
    assert tab.text("h1") == EVIL
    for key in ("network", "disk_space", "temperature"):
        tab.page.click(f"#chart-{key} button[title='Show as table']")
    assert tab.run(SHOWN, MACHINE.sensor)
    tab.page.select_option("#chart-network select", label=MACHINE.nic)
    assert tab.run(HARM) == [None, 0]
    assert tab.violations() == []


def test_f85_an_address_that_names_no_server_is_shown_as_text(
    hostile: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go("/servers/" + quote(f"no {EVIL}", safe=""), ".notice")
    assert f"no {EVIL}" in tab.text(".notice")
    tab.go("/?q=" + quote(f"nothing {EVIL}"), ".stage .empty, .stage .notice")
    assert tab.run(SHOWN, f"nothing {EVIL}")
    assert tab.run(HARM) == [None, 0]


def test_f85_the_policy_would_have_stopped_a_script(
    hostile: Backend, open_tab: Callable[..., Tab]
) -> None:
    """Proves that this test would see a violation."""
    tab = open_tab()
    tab.go_to_list()
    tab.run(
        "() => { document.body.insertAdjacentHTML('beforeend', '<b style=\"color:red\">b</b>'); }"
    )
    tab.until("() => __violations.length === 1")
    tab.run("() => { __violations.length = 0; }")
