"""A month on files: what the pages show long after the samples themselves are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.backend_under_test import NOW_MS, Backend
from tests.pages.browser import Tab
from tests.pages.machines import HOUR_MS, MINUTE_MS, feed
from tests.pages.test_long_ranges import DAY_MS, Peaked, layer

STEP_MS = 5 * MINUTE_MS
DAYS = 30
PEAK_MS = NOW_MS - 20 * DAY_MS


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    """A backend that has lived through a month, day by day."""
    with Backend(storage="file:") as running:
        running.parts.storage_upkeep.close()  # its rounds are made here, by the clock
        machine = Peaked(peak_ms=PEAK_MS)
        for day in range(DAYS):
            start_ms = NOW_MS - (DAYS - day) * DAY_MS
            running.clock.now_ms = start_ms + DAY_MS
            feed(running, machine, list(range(start_ms, start_ms + DAY_MS, STEP_MS)))
            running.parts.storage.maintain()
        yield running


def test_the_samples_are_gone_and_their_roll_ups_are_not(backend: Backend) -> None:
    tiers = {tier.name: tier for tier in backend.parts.storage.usage().tiers}
    raw, hours = tiers["raw"], tiers["1h"]
    assert raw.oldest_ms is not None
    assert hours.oldest_ms is not None
    assert raw.oldest_ms > PEAK_MS + DAY_MS
    assert hours.oldest_ms <= NOW_MS - (DAYS - 1) * DAY_MS


def test_thirty_days_show_the_one_full_sample_of_weeks_ago(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go_to_server(query="?range=30d")
    assert "avg per 2 h, band = min–max" in tab.text("#chart-cpu .panel__subtitle")
    top = layer(tab, "cpu", "total:max")
    bucket = PEAK_MS // (2 * HOUR_MS) * 2 * HOUR_MS
    assert top[bucket] == 100
    assert sorted(top.values())[-2] < 30
    assert len(top) >= 12 * (DAYS - 1)
    assert "max 100%" in tab.text("[data-kpi=cpu]")


def test_a_week_is_made_of_half_hours(backend: Backend, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.go_to_server(query="?range=7d")
    assert "avg per 30 min" in tab.text("#chart-cpu .panel__subtitle")
    assert len(layer(tab, "cpu", "system")) >= 7 * 48
