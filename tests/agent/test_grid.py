"""When reports are due."""

from __future__ import annotations

import pytest
from hostpulse_agent.loop import Grid, grid_offset, next_on_grid, run
from hostpulse_agent.report import stamp
from hypothesis import given
from hypothesis import strategies as st

intervals = st.integers(1, 300)
instants = st.floats(1.6e9, 2.0e9)


@given(instants, intervals, st.text(min_size=1))
def test_the_next_instant_is_on_the_host_s_grid_and_within_one_interval(
    now: float, interval: int, identity: str
) -> None:
    offset = grid_offset(identity, interval)
    planned = next_on_grid(now, interval, offset)
    assert now - 0.001 <= planned <= now + interval + 0.002
    steps = (planned - offset) / interval
    assert abs(steps - round(steps)) < 0.001


def test_hosts_are_spread_over_the_interval_and_each_keeps_its_place() -> None:
    offsets = [grid_offset(f"host-{number}", 5) for number in range(500)]
    assert offsets == [grid_offset(f"host-{number}", 5) for number in range(500)]
    for second in range(5):
        assert 60 < sum(second <= offset < second + 1 for offset in offsets) < 140


def test_the_first_reports_come_after_one_and_two_seconds_and_then_on_the_grid() -> None:
    grid = Grid(5, offset=0.25, started_at=1000.0)
    now, planned = 1000.0, []
    for _ in range(5):
        now = grid.plan(now)
        planned.append(now)
    assert planned == [1001.0, 1002.0, 1005.25, 1010.25, 1015.25]


def test_a_late_tick_skips_what_it_missed_and_never_makes_up_for_it() -> None:
    grid = Grid(5, offset=0.0, started_at=1000.0)
    for now in (1000.0, 1001.0, 1002.0):
        grid.plan(now)
    assert grid.plan(1017.3) == 1020.0
    assert grid.plan(1020.0) == 1025.0


def test_a_clock_set_back_an_hour_does_not_stop_the_reports_for_an_hour() -> None:
    grid = Grid(5, offset=0.0, started_at=10_000.0)
    for now in (10_000.0, 10_001.0, 10_002.0, 10_005.0):
        grid.plan(now)
    assert grid.plan(6_405.0) == 6_410.0


def test_the_instant_of_a_tick_that_was_slept_through_is_not_reported() -> None:
    wall = 1000.0
    ticks: list[float] = []
    sleeps = 0

    def is_stopped_in(seconds: float) -> bool:
        nonlocal wall, sleeps
        sleeps += 1
        wall += seconds + (3600.0 if sleeps == 4 else 0.0)  # suspended in the fourth sleep
        return sleeps > 6

    run(Grid(5, 0.0, 1000.0), lambda: wall, is_stopped_in, ticks.append)
    assert ticks == [1001.0, 1002.0, 1005.0, 4615.0, 4620.0]


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (1795423385.0, "2026-11-23T08:43:05.000Z"),
        (1795423385.217, "2026-11-23T08:43:05.217Z"),
        (1795423385.9999, "2026-11-23T08:43:06.000Z"),
    ],
)
def test_a_timestamp_is_utc_with_milliseconds(instant: float, text: str) -> None:
    assert stamp(instant) == text
