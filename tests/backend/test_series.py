"""Buckets, gaps and steps against a reference too simple to be wrong."""

from __future__ import annotations

from math import isnan, nan

import pytest
from hostpulse.report import Key
from hostpulse.storage.series import MAX_POINTS, STEPS_MS, History, Window, build
from hypothesis import given
from hypothesis import strategies as st

KEY = Key("cpu_percent_total")
TIMES = st.lists(st.integers(0, 2_000_000), unique=True, max_size=60).map(sorted)
VALUES = st.floats(-1e9, 1e9) | st.just(nan)


def fitting(start_ms: int, end_ms: int, points: int) -> list[int]:
    """Return the steps of which few enough, end to end, are as long as the window."""
    return [s for s in STEPS_MS if len(range(start_ms, end_ms, s)) <= points]


@st.composite
def windows(draw: st.DrawFn, points: st.SearchStrategy[int]) -> tuple[Window, list[int]]:
    times = draw(TIMES)
    start = draw(st.integers(0, 1_000_000))
    end = draw(st.integers(start + 1, start + 40_000_000))
    times = [time for time in times if start <= time < end]
    return Window(start, end, draw(points)), times


def same(found: float, expected: float) -> bool:
    if isnan(expected):
        return isnan(found)
    return abs(found - expected) <= 1e-9 * max(1.0, abs(expected))


def check_buckets(history: History, times: list[int], column: list[float], window: Window) -> None:
    assert all(time % history.step_ms == 0 for time in history.times)
    assert history.times[0] <= window.start_ms < history.times[0] + history.step_ms
    assert history.times[-1] < window.end_ms <= history.times[-1] + history.step_ms
    for series in history.series:
        for i, start in enumerate(history.times):
            inside = [
                value
                for time, value in zip(times, column, strict=True)
                if start <= time < start + history.step_ms and not isnan(value)
            ]
            assert same(series.points.mean[i], sum(inside) / len(inside) if inside else nan)
            assert same(series.points.min[i], min(inside, default=nan))
            assert same(series.points.max[i], max(inside, default=nan))


@given(windows(st.integers(2, 60)), st.data())
def test_a_bucket_holds_the_mean_least_and_most_of_its_samples(
    made: tuple[Window, list[int]], data: st.DataObject
) -> None:
    window, times = made
    column = [data.draw(VALUES) for _ in times]
    history = build(times, {KEY: column}, window)
    assert bool(history.series) == any(not isnan(value) for value in column)
    assert history.raw == (len(times) <= window.points)
    if not history.raw:
        check_buckets(history, times, column, window)


@given(windows(st.integers(1, MAX_POINTS)))
def test_the_step_is_the_smallest_of_the_list_that_fits(made: tuple[Window, list[int]]) -> None:
    window, _ = made
    assert window.step_ms == fitting(window.start_ms, window.end_ms, window.points)[0]


@given(st.integers(0, 4_000_000_000_000), st.floats(0, 1), st.integers(1, MAX_POINTS))
def test_there_are_never_more_buckets_than_points_and_the_one_that_begins_early(
    start: int, share: float, points: int
) -> None:
    length = max(1, round(share * points * STEPS_MS[-1]))
    times = list(range(start, start + min(length, points + 1)))
    history = build(times, {KEY: [1.0] * len(times)}, Window(start, start + length, points))
    if not history.raw:
        assert len(history.times) <= points + 1
        assert sum(time >= start for time in history.times) <= points


@given(windows(st.just(MAX_POINTS)), st.data())
def test_raw_series_hold_the_samples_and_one_null_in_each_gap(
    made: tuple[Window, list[int]], data: st.DataObject
) -> None:
    window, times = made
    column = [data.draw(VALUES) for _ in times]
    history = build(times, {KEY: column}, window)
    expected: list[tuple[int, float]] = []
    for time, value in zip(times, column, strict=True):
        if expected and time - expected[-1][0] > 2 * window.interval_ms:
            expected.append((expected[-1][0] + window.interval_ms, nan))
        expected.append((time, value))
    assert history.step_ms == window.interval_ms
    assert history.times == [time for time, _ in expected]
    for series in history.series:
        for shown in (series.points.mean, series.points.min, series.points.max):
            assert all(same(a, b) for a, (_, b) in zip(shown, expected, strict=True))


@given(st.floats(0, 1e12), st.integers(1, 500))
def test_the_mean_of_equal_values_is_that_value(value: float, count: int) -> None:
    (series,) = build(
        list(range(count)), {KEY: [value] * count}, Window(0, 5000, bucket_ms=5000)
    ).series
    assert series.points.min[0] <= series.points.mean[0] <= series.points.max[0]


def test_samples_two_intervals_apart_are_no_gap() -> None:
    history = build([0, 10_000, 20_001], {KEY: [1.0, 2.0, 3.0]}, Window(0, 30_000))
    assert history.times == [0, 10_000, 15_000, 20_001]


def test_a_window_asked_in_minutes_is_answered_in_minutes() -> None:
    history = build([1, 61_000], {KEY: [1.0, 2.0]}, Window(0, 180_000, bucket_ms=60_000))
    assert (history.raw, history.times) == (False, [0, 60_000, 120_000])
    assert [v for v in history.series[0].points.mean if not isnan(v)] == [1.0, 2.0]


@pytest.mark.parametrize("hours", [1, 6, 24, 24 * 7, 24 * 30, 24 * 365 * 2])
def test_a_long_window_is_answered_coarsely(hours: int) -> None:
    window = Window(0, hours * 3_600_000)
    assert MAX_POINTS / 6 <= window.end_ms / window.step_ms <= MAX_POINTS
