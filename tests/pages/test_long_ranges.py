"""Days and weeks on one page: averages with their extremes, dates, and a pace that fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.backend_under_test import NOW_MS, Backend, eventually
from tests.pages import charts
from tests.pages.browser import Tab
from tests.pages.machines import GIB, HOUR_MS, MINUTE_MS, Machine, feed, times
from tests.pages.test_zoom import drag, wait_for_zoom

DAY_MS = 24 * HOUR_MS
MONTH_MS = 30 * DAY_MS
NEW_MS = 20_000  # so long a page asks each second for what a new server sends
KEYS = {"4": "6h", "5": "24h", "6": "7d", "7": "30d", "8": "90d"}
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"
LAYER = """([key, label]) => hostpulse.charts[key].chart.data.datasets
  .find((one) => one.label === label).data.filter((point) => point.y !== null)"""


@dataclass(frozen=True)
class Peaked(Machine):
    """A quiet server with one sample of 100 %."""

    cpu: float = 20.0
    peak_ms: int = 0

    def cpu_at(self, time_ms: int) -> float:
        return 100.0 if time_ms == self.peak_ms else super().cpu_at(time_ms)


@dataclass(frozen=True)
class Filling(Machine):
    """A server whose `mount` takes 10 GiB a day and has 34 GiB left now."""

    def report(self, time_ms: int) -> dict[str, Any]:
        made = super().report(time_ms)
        disk = next(one for one in made["disk"]["partitions"] if one["mountpoint"] == self.mount)
        disk["free"] = 34 * GIB + (NOW_MS - time_ms) * 10 * GIB // DAY_MS
        disk["used"] = disk["total"] - disk["free"]
        disk["percent"] = round(100 * disk["used"] / disk["total"], 1)
        return made


def month_with_peak(backend: Backend) -> int:
    """Feed a month of samples 45 minutes apart, one of them at 100 %; return its bucket."""
    at = times(MONTH_MS, step_ms=45 * MINUTE_MS)
    peak_ms = at[len(at) // 2]
    feed(backend, Peaked(peak_ms=peak_ms), at)
    return peak_ms // (2 * HOUR_MS) * 2 * HOUR_MS


def layer(tab: Tab, key: str, label: str) -> dict[int, float]:
    """Return what a chart draws under this label, value by time."""
    return {one["x"]: one["y"] for one in tab.run(LAYER, [key, label])}


def wait_for_range(tab: Tab, key: str) -> None:
    tab.until("(range) => new URLSearchParams(location.search).get('range') === range", key)
    tab.until("() => !document.querySelector('[data-loading]')")


def span_of(tab: Tab) -> float:
    start, end = charts.windows(tab)["cpu"]
    return end - start


def asked_histories(tab: Tab) -> list[str]:
    """Return the windows that the charts were asked for."""
    queries = [parse_qs(urlsplit(url).query) for url in tab.requested if "/history?" in url]
    return [one["start"][0] for one in queries if "cpu_percent_total" in one["metrics"][0]]


def test_one_full_sample_of_a_month_is_the_top_of_its_band(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    bucket = month_with_peak(backend)
    tab = open_tab()
    tab.go_to_server(query="?range=30d")
    assert "avg per 2 h, band = min–max" in tab.text("#chart-cpu .panel__subtitle")
    top, stack = layer(tab, "cpu", "total:max"), layer(tab, "cpu", "system")
    assert top[bucket] == 100
    assert sorted(top.values())[-2] < 30
    assert 40 < stack[bucket] < 80, "the line stays the average"
    height = charts.read(tab, "charts.cpu.chart.chartArea.height")
    free = [
        charts.pixels(tab, "cpu", bucket + steps * 2 * HOUR_MS, "surface") for steps in (0, -20)
    ]
    assert free[0] < height / 4, "the band is seen up to the top"
    assert free[1] > height / 2


def test_the_words_around_a_peak_tell_its_true_height(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    bucket = month_with_peak(backend)
    tab = open_tab()
    tab.go_to_server(query="?range=30d")
    assert "max 100%" in tab.text("[data-kpi=cpu]")
    assert "max 100% at" in (tab.page.get_attribute("#chart-cpu canvas", "aria-label") or "")
    tab.page.mouse.move(*charts.place(tab, "cpu", bucket))
    tab.until("(time) => hostpulse.charts.cpu.cursorTime === time", bucket)
    assert charts.legend(tab, "cpu")["total"].endswith("–100%)")
    assert charts.legend(tab, "load")["1m"].endswith("–4.00)")
    day = datetime.fromtimestamp(bucket / 1000).astimezone()
    assert f"{day.day} {day:%b}" in tab.text("#chart-cpu .plot__time")


def test_the_subtitle_says_what_a_point_is(backend: Backend, open_tab: Callable[..., Tab]) -> None:
    feed(backend, Machine(), times(20 * MINUTE_MS))
    tab = open_tab()
    tab.go_to_server(query="?range=15m")
    assert "every 5 s" in tab.text("#chart-load .panel__subtitle")
    month_with_peak(backend)
    for name, words in (("24h", "every 5 s"), ("90d", "avg per 6 h, band = min–max")):
        tab.go_to_server(query=f"?range={name}")
        assert words in tab.text("#chart-load .panel__subtitle"), name


def test_keys_and_addresses_choose_long_ranges(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    month_with_peak(backend)
    tab = open_tab()
    tab.go_to_server()
    spans = {}
    for key, name in KEYS.items():
        tab.page.keyboard.press(key)
        wait_for_range(tab, name)
        assert tab.texts(".range-presets [aria-pressed=true]") == [name]
        spans[name] = span_of(tab)
    hours = {name: span / HOUR_MS for name, span in spans.items()}
    assert hours == {"6h": 6, "24h": 24, "7d": 168, "30d": 720, "90d": 2160}
    tab.page.reload()
    tab.page.wait_for_selector("#chart-cpu canvas")
    tab.until("() => !document.querySelector('[data-loading]')")
    assert span_of(tab) == spans["90d"]
    tab.page.go_back()
    wait_for_range(tab, "30d")
    assert span_of(tab) == spans["30d"]


def test_days_are_named_by_their_dates_in_the_time_zone_of_the_reader(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    feed(backend, Machine(), times(7 * DAY_MS, step_ms=12 * MINUTE_MS))
    tab = open_tab(timezone_id="Asia/Tokyo")
    tab.go_to_server(query="?range=7d")
    ticks = charts.read(tab, "charts.cpu.chart.scales.x.ticks.map((one) => [one.value, one.label])")
    days = [f"{day} Nov" for day in range(17, 24)]
    assert [label for _value, label in ticks] == days
    assert {value % DAY_MS for value, _label in ticks} == {15 * HOUR_MS}, "midnight in Tokyo"


def test_long_ranges_fit_a_phone(backend: Backend, open_tab: Callable[..., Tab]) -> None:
    month_with_peak(backend)
    tab = open_tab(width=390)
    tab.go_to_server()
    for name in KEYS.values():
        tab.page.select_option(".range-select", name)
        wait_for_range(tab, name)
        assert tab.run(OVERFLOW) == 0, name
        assert tab.page.input_value(".range-select") == name
    tab.page.mouse.move(*charts.place(tab, "load", NOW_MS - DAY_MS))
    tab.until("() => hostpulse.charts.load.cursorTime !== null")
    assert tab.run(OVERFLOW) == 0


def test_a_week_is_zoomed_down_to_the_samples_of_an_hour(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    hour_start = NOW_MS - 3 * DAY_MS
    coarse = times(7 * DAY_MS, step_ms=20 * MINUTE_MS)
    fine = times(HOUR_MS, hour_start + HOUR_MS, 10_000)
    feed(backend, Machine(), sorted({*coarse, *fine}))
    tab = open_tab()
    tab.go_to_server(query="?range=7d")
    assert "avg per 30 min" in tab.text("#chart-load .panel__subtitle")
    drag(tab, "cpu", hour_start - 3 * HOUR_MS, hour_start + 4 * HOUR_MS)
    wait_for_zoom(tab)
    first = tab.query()
    drag(tab, "cpu", hour_start, hour_start + HOUR_MS)
    tab.until("(before) => location.search.slice(1) !== before", first)
    tab.until("() => !document.querySelector('[data-loading]')")
    assert span_of(tab) == pytest.approx(HOUR_MS, abs=5 * MINUTE_MS)
    assert "every 5 s" in tab.text("#chart-load .panel__subtitle")
    assert len(charts.read(tab, "charts.cpu.times")) > 300
    tab.page.go_back()
    tab.page.go_back()
    wait_for_range(tab, "7d")


def test_a_long_range_is_asked_for_again_when_a_bucket_can_have_come(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    month_with_peak(backend)
    tab = open_tab(running=True)
    tab.go_to_server(query="?range=30d")

    def second() -> None:
        backend.clock.advance(1000)

    tab.pass_seconds(60, second)
    assert asked_histories(tab) == ["-30d"]
    rows = [url for url in tab.requested if url.rpartition("/")[0].endswith("/api/servers")]
    assert len(rows) >= 8, "the server itself goes on being asked"
    to_edge_ms = 2 * HOUR_MS - backend.clock.now_ms % (2 * HOUR_MS)
    backend.clock.advance(to_edge_ms)
    tab.page.clock.fast_forward(to_edge_ms)
    tab.pass_seconds(60, second)
    assert asked_histories(tab) == ["-30d", "-30d"]


def test_a_short_range_goes_on_being_asked_for_every_5_s(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    feed(backend, Machine(), times(HOUR_MS))
    backend.clock.advance(NEW_MS)
    tab = open_tab(running=True)

    def second() -> None:
        backend.clock.advance(1000)

    tab.go_to_server(query="?range=1h")
    tab.pass_seconds(30, second)
    assert 5 <= len(asked_histories(tab)) <= 8


def test_a_range_that_reaches_back_too_far_says_since_when_there_is_history(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    feed(backend, Machine(), times(HOUR_MS))
    tab = open_tab()
    tab.go_to_server(query="?range=6h")
    words = tab.text("[data-state=since]")
    assert "history since about 2026-11-23 07:43" in words
    user = layer(tab, "cpu", "user")
    assert min(user) >= NOW_MS - HOUR_MS - MINUTE_MS
    assert min(user.values()) > 0, "what is missing is no zero"
    assert charts.pixels(tab, "cpu", NOW_MS - 3 * HOUR_MS, "s1", 0.55) == 0
    assert "gap" in (tab.page.get_attribute("#chart-cpu canvas", "aria-label") or "")
    tab.go_to_server(query="?range=90d")
    assert "history since 2026-11-23." in tab.text("[data-state=since]")
    tab.go_to_server(query="?range=1h")
    assert tab.page.locator("[data-state=since]").count() == 0


def test_a_disk_that_fills_steadily_says_when_it_is_full(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    feed(backend, Filling(), times(3 * DAY_MS, step_ms=10 * MINUTE_MS))
    tab = open_tab(running=True)
    tab.go_to_server()
    tab.pass_seconds(6)
    cell = "section[aria-label=Disks] tbody tr:has-text('{}') td:nth-child(8)"
    eventually(lambda: tab.text(cell.format("/srv")) == "3.4 d")
    assert tab.text(cell.format("sda1") + " >> nth=1") == "not growing"
    assert "/srv · full in 3.4 d" in tab.text("[data-kpi=disk_space]")


def test_an_hour_of_history_forecasts_nothing(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    feed(backend, Filling(), times(HOUR_MS))
    tab = open_tab(running=True)
    tab.go_to_server()
    tab.pass_seconds(6)
    eventually(lambda: "learning (1 h of 24 h)" in tab.text("section[aria-label=Disks]"))
    assert "full in" not in tab.text("[data-kpi=disk_space]")
