"""The backend goes away and comes back: the page says so, keeps what it knows, and recovers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend_under_test import INTERVAL_MS
from tests.pages import charts
from tests.pages.browser import Tab, Tabs
from tests.pages.machines import MINUTE_MS, Machine, times
from tests.programs import Server, now_ms

MOST_REQUESTS_A_MINUTE = 12
MOST_CONSOLE_ERRORS = 20
CELLS = "tr.line .value"
BANNER = "#banner:not([hidden])"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "log")
    yield running
    running.kill()


def open_tab(tabs: Tabs, server: Server) -> Tab:
    tab = tabs.open(server.url)
    tab.page.clock.install(time=now_ms() / 1000)
    return tab


def outage(tab: Tab, server: Server) -> int:
    """Kill the backend, wait for the banner; return how much was asked in the next minute."""
    server.kill()
    tab.pass_seconds(15)
    assert tab.page.locator(BANNER).count() == 1
    before = len(tab.requested)
    tab.pass_seconds(60)
    return len(tab.requested) - before


def wait_for_return(tab: Tab) -> None:
    """Let at most 16 s pass until the banner is gone."""
    for _ in range(16):
        tab.pass_seconds(1)
        if not tab.page.locator(BANNER).count():
            return
    raise AssertionError("the banner stays")


def test_the_list_keeps_its_values_and_says_from_when_they_are(
    tabs: Tabs, server: Server, tmp_path: Path
) -> None:
    machine = Machine()
    server.accept(machine.report(now_ms()))
    tab = open_tab(tabs, server)
    tab.go_to_list()
    values = tab.texts(CELLS)[:4]
    asked = outage(tab, server)
    assert 3 <= asked <= MOST_REQUESTS_A_MINUTE
    words = tab.text("#banner")
    assert re.search(r"Cannot reach the server\. Showing data from \d\d:\d\d:\d\d\.", words)
    assert "Retry now" in words
    assert tab.texts(CELLS)[:4] == values
    errors = [message.text for message in tab.console if message.type == "error"]
    assert len(errors) <= MOST_CONSOLE_ERRORS
    assert all("Failed to load resource" in text for text in errors), errors
    again = Server(tmp_path / "log-2", server.port)
    try:
        again.accept(machine.report(now_ms()))
        wait_for_return(tab)
        assert tab.texts("tr.line .name__link") == [machine.name]
        assert tab.text("#freshness").startswith("Live")
    finally:
        again.kill()


def test_after_a_restart_that_forgot_all_the_list_shows_only_what_is_true(
    tabs: Tabs, server: Server, tmp_path: Path
) -> None:
    server.accept([Machine("old-1").report(now_ms()), Machine("old-2").report(now_ms())])
    tab = open_tab(tabs, server)
    tab.go_to_list()
    assert tab.texts("tr.line .name__link") == ["old-1", "old-2"]
    outage(tab, server)
    again = Server(tmp_path / "log-2", server.port)
    try:
        again.accept([Machine("new-1").report(now_ms()), Machine("old-2").report(now_ms())])
        wait_for_return(tab)
        assert sorted(tab.texts("tr.line .name__link")) == ["new-1", "old-2"]
        assert "2" in tab.text(".chips .chip")
    finally:
        again.kill()


def test_the_charts_recover_and_show_the_time_without_samples_as_a_gap(
    tabs: Tabs, server: Server, tmp_path: Path
) -> None:
    machine = Machine()
    start = now_ms()
    server.accept([machine.report(at) for at in times(4 * MINUTE_MS, start - 2 * MINUTE_MS)])
    tab = open_tab(tabs, server)
    tab.go_to_server(query="?range=15m")
    drawn = charts.read(tab, "charts.cpu.times.length")
    outage(tab, server)
    assert charts.read(tab, "charts.cpu.times.length") == drawn
    again = Server(tmp_path / "log-2", server.port)
    try:
        newest = now_ms() - INTERVAL_MS
        again.accept([machine.report(at) for at in times(20_000, newest)])
        wait_for_return(tab)
        tab.until("(newest) => hostpulse.charts.cpu.times.includes(newest)", newest)
        points = charts.read(tab, "charts.cpu.chart.data.datasets[0].data")
        hole = [one for one in points if start - 2 * MINUTE_MS < one["x"] < newest - 20_000]
        assert all(one["y"] is None for one in hole)
        assert charts.pixels(tab, "cpu", start - MINUTE_MS, "s1", 0.55) == 0
    finally:
        again.kill()
