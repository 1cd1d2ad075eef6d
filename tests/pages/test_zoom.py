"""A drag over one chart chooses the window of all charts, and the address keeps it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs

import pytest

from tests.backend_under_test import NOW_MS, Backend, eventually
from tests.pages import charts
from tests.pages.browser import Tab
from tests.pages.machines import HOUR_MS, MINUTE_MS, Machine, feed, times

STEP_MS = 10_000  # of a window of an hour
FROM, TO = NOW_MS - 35 * MINUTE_MS, NOW_MS - 20 * MINUTE_MS


@pytest.fixture
def tab(backend: Backend, open_tab: Callable[..., Tab]) -> Tab:
    """An hour of one server."""
    feed(backend, Machine(), times(HOUR_MS))
    tab = open_tab()
    tab.go_to_server()
    return tab


def drag(tab: Tab, key: str, start_ms: int, end_ms: int) -> None:
    """Drag with the mouse over a chart from one time to the other."""
    (x, y), (end_x, _y) = charts.place(tab, key, start_ms), charts.place(tab, key, end_ms)
    tab.page.mouse.move(x, y)
    tab.page.mouse.down()
    tab.page.mouse.move((x + end_x) / 2, y, steps=4)
    tab.page.mouse.move(end_x, y, steps=4)
    tab.page.mouse.up()


def wait_for_zoom(tab: Tab) -> None:
    tab.page.wait_for_url("**?*from=*")
    tab.until("() => !document.querySelector('[data-loading]')")


def address_window(tab: Tab) -> list[float]:
    """Return the window in the address as epoch ms."""
    query = parse_qs(tab.query())
    return [datetime.fromisoformat(query[name][0]).timestamp() * 1000 for name in ("from", "to")]


def test_a_drag_zooms_every_chart_to_the_same_window(tab: Tab) -> None:
    drag(tab, "cpu", FROM, TO)
    wait_for_zoom(tab)
    shown = charts.windows(tab)
    assert set(shown) >= set(charts.KEYS)
    assert len({tuple(window) for window in shown.values()}) == 1
    start, end = shown["cpu"]
    assert start == pytest.approx(FROM, abs=STEP_MS)
    assert end == pytest.approx(TO, abs=STEP_MS)
    assert address_window(tab) == [start, end]


def test_a_reload_shows_the_zoomed_window_again(tab: Tab) -> None:
    drag(tab, "memory", FROM, TO)
    wait_for_zoom(tab)
    before = charts.windows(tab)
    tab.page.reload()
    tab.page.wait_for_selector("#chart-cpu canvas")
    tab.until("() => !document.querySelector('[data-loading]')")
    assert charts.windows(tab) == before
    assert tab.text("#freshness").startswith("Paused · 08:")


def test_back_restores_the_window_before(tab: Tab) -> None:
    live = charts.windows(tab)
    drag(tab, "network", FROM, TO)
    wait_for_zoom(tab)
    assert charts.windows(tab) != live
    tab.page.go_back()
    eventually(lambda: charts.windows(tab) == live)
    assert tab.query() == ""


def test_a_key_changes_the_window_under_the_pointer(tab: Tab) -> None:
    before = charts.windows(tab)
    tab.page.mouse.move(*charts.place(tab, "cpu", (FROM + TO) / 2))
    tab.until("() => document.querySelector('#freshness').textContent.includes('hovering')")
    tab.page.keyboard.press("1")
    eventually(lambda: charts.windows(tab) != before)
    assert charts.read(tab, "charts.cpu.cursorTime") is None


def test_escape_and_a_double_click_go_back_too(tab: Tab) -> None:
    drag(tab, "load", FROM, TO)
    wait_for_zoom(tab)
    tab.page.keyboard.press("Escape")
    tab.until("() => !location.search")
    drag(tab, "load", FROM, TO)
    wait_for_zoom(tab)
    tab.page.mouse.dblclick(*charts.place(tab, "cpu", (FROM + TO) / 2))
    tab.until("() => !location.search")


def test_a_drag_that_is_too_short_changes_nothing(tab: Tab) -> None:
    before = charts.windows(tab)
    drag(tab, "cpu", FROM, FROM + 3 * STEP_MS)
    tab.page.wait_for_timeout(200)
    assert tab.query() == ""
    assert charts.windows(tab) == before


def test_a_window_of_the_past_is_asked_for_once(tab: Tab) -> None:
    drag(tab, "cpu", FROM, TO)
    wait_for_zoom(tab)
    tab.until("() => document.querySelector('#freshness').textContent.includes('Paused')")
    asked = len(tab.requested)
    tab.page.wait_for_timeout(6000)
    assert len(tab.requested) == asked
    tab.page.keyboard.press("l")
    tab.until("() => !location.search")
    tab.until("() => document.querySelector('#freshness').textContent.includes('Live')")
