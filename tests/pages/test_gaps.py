"""A gap in the data is a gap on the screen."""

from __future__ import annotations

from collections.abc import Callable

from tests.backend_under_test import NOW_MS, Backend
from tests.pages import charts
from tests.pages.browser import Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times

HOLE_START = NOW_MS - 8 * MINUTE_MS
HOLE_END = HOLE_START + MINUTE_MS
HOLE = HOLE_START + MINUTE_MS // 2
AREA = 0.55  # how dense the areas of a stack are


def open_with_hole(backend: Backend, open_tab: Callable[..., Tab], query: str) -> Tab:
    at = [one for one in times(45 * MINUTE_MS) if not HOLE_START < one < HOLE_END]
    feed(backend, Machine(cpu=50), at)
    tab = open_tab()
    tab.go_to_server(query=query)
    return tab


def test_in_a_minute_without_samples_nothing_is_drawn(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_with_hole(backend, open_tab, "?range=15m")
    user = charts.read(tab, "charts.cpu.chart.data.datasets.find((one) => one.label === 'user')")
    in_hole = [point for point in user["data"] if HOLE_START < point["x"] < HOLE_END]
    assert in_hole
    assert all(point["y"] is None for point in in_hole)
    assert user["spanGaps"] is False
    assert charts.pixels(tab, "cpu", HOLE, "s1", AREA) == 0
    assert charts.pixels(tab, "cpu", HOLE_START - 20_000, "s1", AREA) > 10
    assert charts.pixels(tab, "cpu", HOLE_END + 20_000, "s1", AREA) > 10


def test_a_gap_is_hatched_and_its_legend_says_no_data(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_with_hole(backend, open_tab, "?range=15m")
    height = charts.read(tab, "charts.cpu.chart.chartArea.height")
    assert charts.pixels(tab, "cpu", HOLE, "surface") < height / 2
    assert charts.pixels(tab, "load", HOLE_START - 20_000, "surface") > height / 2
    tab.page.mouse.move(*charts.place(tab, "cpu", HOLE))
    tab.until("() => hostpulse.charts.cpu.cursorTime !== null")
    for key in ("cpu", "memory", "network"):
        said = set(charts.legend(tab, key).values())
        assert "no data" in said
        assert said <= {"no data", "–"}


def test_averages_over_longer_windows_keep_the_gap(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_with_hole(backend, open_tab, "?range=1h")
    subtitle = tab.text("#chart-load .panel__subtitle")
    assert "avg per 10 s, band = min–max" in subtitle
    assert charts.pixels(tab, "cpu", HOLE, "s1", AREA) == 0
    assert charts.pixels(tab, "cpu", HOLE_START - 30_000, "s1", AREA) > 10
    label = tab.page.get_attribute("#chart-cpu canvas", "aria-label") or ""
    assert "gap" in label
    assert "no gaps" not in label
