"""Each moment of a window is told by one tier, once."""

from __future__ import annotations

from hostpulse.storage.influxdb.reading import RAW, Span
from hostpulse.storage.influxdb.state import State
from hostpulse.storage.influxdb.stretches import stretches_of
from hostpulse.storage.tiers import HOUR_MS, MINUTE_MS, Retention
from hypothesis import given
from hypothesis import strategies as st

TIERS = Retention().tiers(48 * HOUR_MS)
STEPS = {tier.name: tier.step_ms for tier in TIERS}
times = st.integers(0, 12 * HOUR_MS)


@given(
    start_ms=times,
    length_ms=st.integers(1, 12 * HOUR_MS),
    tier=st.sampled_from(TIERS),
    rolled=st.none() | st.integers(0, 24 * 60),
    late=st.sets(st.integers(0, 24)),
)
def test_stretches_follow_each_other_without_a_hole_or_an_overlap(
    start_ms: int, length_ms: int, tier: object, rolled: int | None, late: set[int]
) -> None:
    span = Span("s", start_ms, start_ms + length_ms)
    rolled_ms = None if rolled is None else rolled * MINUTE_MS
    hours = [hour * HOUR_MS for hour in sorted(late)]
    state = State("db", "t", rolled_ms)
    found = list(stretches_of(span, tier, state, hours))  # type: ignore[arg-type]
    edge = found[0][1].start_ms
    assert start_ms - HOUR_MS < edge <= start_ms
    for name, stretch in found:
        assert stretch.start_ms == edge < stretch.end_ms
        edge = stretch.end_ms
        assert STEPS[name] <= tier.step_ms  # type: ignore[attr-defined]
        if name != RAW:  # what is rolled up, and has not got anything since
            assert stretch.start_ms % STEPS[name] == 0
            assert stretch.end_ms <= (rolled_ms or 0)
            assert not any(h < stretch.end_ms and stretch.start_ms < h + HOUR_MS for h in hours)
    assert edge == span.end_ms


def test_old_hours_come_from_hours_new_ones_from_minutes_and_the_rest_from_samples() -> None:
    state = State("db", "t", rolled_ms=5 * HOUR_MS + 7 * MINUTE_MS)
    span = Span("s", 2 * HOUR_MS, 6 * HOUR_MS)
    told = [
        (name, stretch.start_ms / HOUR_MS)
        for name, stretch in stretches_of(span, TIERS[2], state, [3 * HOUR_MS])
    ]
    assert told == [("1h", 2), ("raw", 3), ("1h", 4), ("1m", 5), ("raw", 5 + 7 / 60)]
