"""Counters become rates only when both readings belong together."""

from __future__ import annotations

from hostpulse_agent.rates import Rates, growth
from hypothesis import given
from hypothesis import strategies as st

counters = st.dictionaries(
    st.sampled_from(["bytes", "packets", "errors"]), st.integers(0, 2**64), min_size=1
)
seconds = st.floats(0.001, 1e6)


@given(counters, counters, seconds)
def test_no_rate_is_ever_negative(
    before: dict[str, int], after: dict[str, int], passed: float
) -> None:
    grown = growth(before, after, passed)
    assert grown is None or all(rate >= 0 for rate in grown.per_second().values())


@given(counters, seconds, st.integers(0, 2**40))
def test_a_rate_times_its_time_is_what_the_counter_grew_by(
    before: dict[str, int], passed: float, more: int
) -> None:
    grown = growth(before, {name: value + more for name, value in before.items()}, passed)
    assert grown is not None
    assert grown.by == dict.fromkeys(before, more)
    assert grown.seconds == passed


@given(counters, counters)
def test_without_time_between_there_is_no_rate(
    before: dict[str, int], after: dict[str, int]
) -> None:
    assert growth(before, after, 0.0) is None
    assert growth(before, after, -1.0) is None


def test_one_counter_that_fell_takes_the_rates_of_the_others_with_it() -> None:
    assert growth({"bytes": 900, "packets": 5}, {"bytes": 10, "packets": 7}, 5.0) is None


def test_the_first_reading_has_no_rate_and_the_second_has() -> None:
    rates = Rates()
    assert rates.growth({"eth0": {"bytes": 100}}, 10.0) == {}
    grown = rates.growth({"eth0": {"bytes": 600}}, 15.0)["eth0"]
    assert grown.per_second() == {"bytes_per_sec": 100.0}


def test_an_interface_that_was_away_starts_anew() -> None:
    rates = Rates()
    rates.growth({"eth0": {"bytes": 100}}, 10.0)
    rates.growth({}, 15.0)
    assert rates.growth({"eth0": {"bytes": 600}}, 20.0) == {}


def test_after_a_reset_the_next_interval_has_a_rate_again() -> None:
    rates = Rates()
    rates.growth({"eth0": {"bytes": 1000}}, 10.0)
    assert rates.growth({"eth0": {"bytes": 5}}, 15.0) == {}
    assert rates.growth({"eth0": {"bytes": 15}}, 20.0)["eth0"].per_second() == {
        "bytes_per_sec": 2.0
    }
