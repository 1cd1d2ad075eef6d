"""What only the memory storage promises: a thousand samples each, and little memory."""

from __future__ import annotations

import tracemalloc
from array import array
from collections.abc import Sequence

from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Wanted, Window
from hostpulse.storage.memory import CAPACITY, MemoryStorage
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.storages import append

LAYOUT = Layout((Key("cpu_percent_total"),))
CPU = Wanted(("cpu_percent_total",))


def samples(times: Sequence[int]) -> list[Sample]:
    return [Sample("srv_1", time, LAYOUT, array("d", [1.0])) for time in times]


@given(
    st.integers(1, 10),
    st.lists(st.lists(st.integers(0, 40), max_size=6), max_size=20),
)
def test_the_newest_are_kept_by_time_and_older_ones_are_expired(
    capacity: int, posts: list[list[int]]
) -> None:
    storage, model = MemoryStorage(capacity), set[int]()
    for post in posts:
        expected = {"accepted": 0, "duplicates": 0, "expired": 0}
        for time in post:
            if time in model:
                expected["duplicates"] += 1
            elif len(model) == capacity and time < min(model):
                expected["expired"] += 1
            else:
                expected["accepted"] += 1
                model = set(sorted({*model, time})[-capacity:])
        done = append(storage, samples(post))
        assert (done.accepted, done.duplicates, done.expired) == tuple(expected.values())
    history = storage.history("a", "srv_1", CPU, Window(0, 100, interval_ms=1000))
    assert set(history.times) == model


def test_a_thousand_samples_are_kept() -> None:
    storage = MemoryStorage()
    assert CAPACITY == 1000
    done = append(storage, samples(range(5000, 6001)))
    assert (done.accepted, done.expired) == (1001, 0)
    done = append(storage, samples([4000, 5000, 5001]))
    assert (done.accepted, done.duplicates, done.expired) == (0, 1, 2)


def test_a_sample_costs_hardly_more_than_its_numbers() -> None:
    count = 100
    layout = Layout(tuple(Key("cpu_percent_per_core", str(i)) for i in range(count)))
    storage = MemoryStorage()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for time in range(CAPACITY):
        values = array("d", [float(i) for i in range(count)])
        append(storage, [Sample("srv_1", time, layout, values)])
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used / CAPACITY < 8 * count * 1.3
