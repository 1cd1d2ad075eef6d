"""Everything can be done without a mouse, and one always sees where one is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.backend_under_test import Backend
from tests.pages import charts
from tests.pages.browser import SERVER_READY, Tab
from tests.pages.machines import HOUR_MS, Machine, feed, feed_once, times

FOCUS = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const edges = [node, node.closest("label")].filter(Boolean).map((one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
  });
  const name = node.getAttribute("aria-label") ?? node.textContent.trim().slice(0, 40);
  return { name, tag: node.tagName, edge: Math.max(...edges) };
}"""


@pytest.fixture
def fleet(backend: Backend) -> Backend:
    feed(backend, Machine(), times(HOUR_MS))
    feed_once(backend, [Machine("db-1", ("db",)), Machine("mail")])
    return backend


def tab_through(tab: Tab) -> list[dict[str, Any]]:
    """Press Tab until the focus leaves the page; return each place it was in."""
    places = []
    tab.run("() => { document.activeElement?.blur(); scrollTo(0, 0); }")
    for _ in range(200):
        tab.page.keyboard.press("Tab")
        place = tab.run(FOCUS)
        if place is None:
            return places
        places.append(place)
    raise AssertionError("the focus never leaves the page")


def test_a_server_is_found_opened_and_zoomed_without_a_mouse(
    fleet: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go_to_list()
    press = tab.page.keyboard.press
    press("/")
    tab.page.keyboard.type("web")
    tab.until("() => document.querySelectorAll('tr.line').length === 1")
    while tab.run(FOCUS)["name"] != "web-1":
        press("Tab")
    press("Enter")
    tab.page.wait_for_selector(SERVER_READY)
    assert tab.run(FOCUS)["tag"] == "H1"
    press("2")
    tab.page.wait_for_url("**?range=15m")
    tab.until("() => !document.querySelector('[data-loading]')")
    live = charts.windows(tab)["cpu"]
    tab.page.focus("#chart-cpu .plot")
    for _ in range(20):
        press("Shift+ArrowLeft")
    press("Enter")
    tab.page.wait_for_url("**?from=*")
    tab.until("() => !document.querySelector('[data-loading]')")
    start, end = charts.windows(tab)["cpu"]
    assert live[0] < start < end <= live[1]
    press("Escape")
    tab.page.wait_for_url("**?range=15m")


def test_arrow_keys_read_the_values_of_a_chart(
    fleet: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go_to_server(query="?range=5m")
    tab.page.focus("#chart-memory .plot")
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("ArrowLeft")
    first = charts.read(tab, "charts.cpu.cursorTime")
    tab.page.keyboard.press("ArrowLeft")
    assert charts.read(tab, "charts.cpu.cursorTime") == first - 5000


@pytest.mark.parametrize("path", ["/", "/servers/web-1"])
def test_the_focus_is_always_seen(fleet: Backend, open_tab: Callable[..., Tab], path: str) -> None:
    tab = open_tab()
    tab.go(path, "tr.line" if path == "/" else SERVER_READY)
    tab.page.wait_for_timeout(300)
    places = tab_through(tab)
    assert len(places) > 8
    assert [one for one in places if one["edge"] < 2] == []


def test_escape_closes_a_menu_and_gives_the_focus_back(
    fleet: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go_to_list()
    tab.page.focus(".columns-menu summary")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Tab")
    assert tab.run(FOCUS)["tag"] == "INPUT"
    tab.page.keyboard.press("Escape")
    assert tab.page.locator("details[open]").count() == 0
    assert tab.run(FOCUS)["tag"] == "SUMMARY"
    tab.go_to_server()
    tab.page.focus(".range-menu summary")
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Tab")
    assert tab.run(FOCUS)["tag"] == "INPUT"
    tab.page.keyboard.press("Escape")
    assert tab.page.locator("details[open]").count() == 0
    assert tab.run(FOCUS)["tag"] == "SUMMARY"


def test_with_reduced_motion_nothing_moves(fleet: Backend, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(reduced_motion="reduce")
    for path, ready in (("/", "tr.line"), ("/servers/web-1", SERVER_READY)):
        tab.go(path, ready)
        asked = len(tab.requested)
        tab.until("() => document.querySelector('#freshness').dataset.tone === 'live'")
        for _ in range(60):
            assert tab.run("() => document.getAnimations().length") == 0
            tab.page.wait_for_timeout(100)
        assert len(tab.requested) > asked, "no refresh came by"
