"""The law of Storage: what every storage does, whatever it is made of."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import isnan, nan
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Batch, Options, Storage, StorageError, Wanted, Window, open_storage
from hostpulse.storage.memory import CAPACITY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.backend_under_test import eventually
from tests.conformance.storages import CAN_BE_AWAY, Place, append, is_well
from tests.pace import slowness

CPU, MEMORY = Key("cpu_percent_total"), Key("memory_percent")
DISK = Key("disk_percent", "/")
LAYOUT = Layout((CPU, MEMORY))
WIDE = Layout((DISK, CPU))
ALL = Window(0, 2**53)
WHAT_TO_DO = "; (see that it runs|start it|bring it back)"
CHECK_SECONDS = 3


def sample(time_ms: int, cpu: float = 1.0, server: str = "srv_1") -> Sample:
    return Sample(server, time_ms, LAYOUT, array("d", [cpu, 50.0]))


def kept(storage: Storage, server: str = "srv_1", tenant: str = "a") -> dict[int, float]:
    """Return time -> CPU of what the storage kept, a second at a time so that all are raw."""
    found: dict[int, float] = {}
    for start in range(0, 3_000_000, 300_000):  # fewer than a window may have points
        window = Window(start, start + 300_000)
        history = storage.history(tenant, server, Wanted(("cpu_percent_total",)), window)
        for series in history.series:
            assert history.raw
            pairs = zip(history.times, series.points.mean, strict=True)
            found.update((time, value) for time, value in pairs if not isnan(value))
    return found


def fates(place: Place, storage: Storage, *samples: Sample) -> tuple[int, int]:
    """Append and return (accepted, duplicates); an engine that cannot tell accepts both."""
    done = append(storage, samples)
    assert (done.expired, done.too_old) == (0, 0)
    if place.counts_duplicates:
        assert done.duplicates is not None
        return done.accepted, done.duplicates
    assert done.duplicates is None
    assert done.accepted == len(samples)
    new = {(one.server, one.time_ms) for one in samples}
    return len(new), len(samples) - len(new)


def test_what_is_appended_is_read_again(place: Place, storage: Storage) -> None:
    assert fates(place, storage, sample(1000, 5.0), sample(2000, 6.0)) == (2, 0)
    assert kept(storage) == {1000: 5.0, 2000: 6.0}


def test_a_sample_sent_again_changes_nothing(place: Place, storage: Storage) -> None:
    append(storage, [sample(1000, 5.0)])
    again = append(storage, [sample(1000, 5.0), sample(1000, 5.0)])
    assert (again.accepted, again.duplicates) == ((0, 2) if place.counts_duplicates else (2, None))
    assert kept(storage) == {1000: 5.0}


def test_the_first_of_two_values_for_a_time_stays(place: Place, storage: Storage) -> None:
    if not place.counts_duplicates:
        pytest.skip("this engine keeps the last one")
    assert fates(place, storage, sample(1000, 5.0), sample(1000, 6.0)) == (1, 1)
    assert fates(place, storage, sample(1000, 9.0)) == (0, 1)
    assert kept(storage) == {1000: 5.0}


def test_the_batches_of_one_append_are_judged_one_by_one(place: Place, storage: Storage) -> None:
    again = Batch("a", [sample(1000, 5.0), sample(2000, 6.0)])
    done = storage.append([Batch("a", [sample(1000, 5.0)]), Batch("b", [sample(1000, 7.0)]), again])
    if place.counts_duplicates:
        counts = [(one.accepted, one.duplicates) for one in done]
        assert counts == [(1, 0), (1, 0), (1, 1)]
    assert kept(storage) == {1000: 5.0, 2000: 6.0}
    assert kept(storage, tenant="b") == {1000: 7.0}


def test_one_replayed_sample_among_many_new_ones_costs_none_of_them(
    place: Place, storage: Storage
) -> None:
    sent = {time * 1000: float(time % 100) for time in range(500)}
    append(storage, [sample(250_000, sent[250_000])])
    done = append(storage, [sample(time_ms, cpu) for time_ms, cpu in sent.items()])
    if place.counts_duplicates:
        assert (done.accepted, done.duplicates) == (499, 1)
    assert kept(storage) == sent
    assert [one.time_ms for one in storage.samples("a", "srv_1", 0, 2**53)] == list(sent)


def test_samples_may_come_in_any_order(place: Place, storage: Storage) -> None:
    assert fates(place, storage, *(sample(t) for t in (3000, 1000, 2000, 4000))) == (4, 0)
    assert list(kept(storage)) == [1000, 2000, 3000, 4000]


def test_appending_nothing_is_nothing(storage: Storage) -> None:
    assert append(storage, []).accepted == 0
    assert storage.append([]) == []


def test_at_least_the_newest_thousand_are_kept(storage: Storage) -> None:
    append(storage, [sample(t * 1000) for t in range(1, CAPACITY + 501)])
    assert set(kept(storage)) >= {t * 1000 for t in range(501, CAPACITY + 501)}


def test_servers_know_nothing_of_each_other(storage: Storage) -> None:
    append(storage, [sample(1000), sample(1000, 7.0, "srv_2")])
    assert (kept(storage), kept(storage, "srv_2")) == ({1000: 1.0}, {1000: 7.0})


def test_tenants_know_nothing_of_each_other(storage: Storage) -> None:
    append(storage, [sample(1000)])
    append(storage, [sample(2000)], tenant="b")
    assert list(kept(storage)) == [1000]
    assert list(kept(storage, tenant="b")) == [2000]
    storage.forget("b", "srv_1")
    assert list(kept(storage)) == [1000]
    assert kept(storage, tenant="b") == {}


def test_a_forgotten_server_may_come_back(place: Place, storage: Storage) -> None:
    append(storage, [sample(1000)])
    storage.forget("a", "srv_1")
    assert kept(storage) == {}
    assert storage.series("a", "srv_1") == []
    assert fates(place, storage, sample(1000, 3.0)) == (1, 0)
    assert kept(storage) == {1000: 3.0}


def test_a_forgotten_tenant_leaves_no_other_behind_and_may_come_back(
    place: Place, storage: Storage
) -> None:
    storage.append([Batch(tenant, [sample(1000)]) for tenant in ("a", "b")])
    storage.forget("a", "srv_1")
    for _ in range(2):  # it may be interrupted, and done again
        storage.forget_tenant("a")
    assert kept(storage) == {}
    assert kept(storage, tenant="b") == {1000: 1.0}
    assert fates(place, storage, sample(1000, 3.0)) == (1, 0)
    assert kept(storage) == {1000: 3.0}


def test_a_server_that_is_not_known_has_no_history(storage: Storage) -> None:
    assert storage.history("a", "nobody", Wanted(("cpu_percent_total",)), ALL).series == []
    assert storage.series("a", "nobody") == []
    storage.forget("a", "nobody")


def test_the_start_belongs_to_a_window_and_the_end_does_not(storage: Storage) -> None:
    append(storage, [sample(t) for t in (1000, 2000, 3000)])
    history = storage.history("a", "srv_1", Wanted(("cpu_percent_total",)), Window(1000, 3000))
    assert history.times == [1000, 2000]


def test_a_key_with_no_value_in_the_window_is_left_out(storage: Storage) -> None:
    append(storage, [sample(1000, nan), sample(2000, 1.0)])
    wanted = Wanted(("cpu_percent_total", "memory_percent", "swap_percent"))
    history = storage.history("a", "srv_1", wanted, Window(0, 2000))
    assert [series.key for series in history.series] == [MEMORY]
    assert storage.series("a", "srv_1") == [CPU, MEMORY]


def test_one_instance_can_be_asked_for(storage: Storage) -> None:
    layout = Layout((Key("disk_percent", "/"), Key("disk_percent", "/srv")))
    append(storage, [Sample("srv_1", 1000, layout, array("d", [1.0, 2.0]))])
    for instance, values in {"/": [1.0], "/srv": [2.0], "/x": []}.items():
        history = storage.history("a", "srv_1", Wanted(("disk_percent",), instance), ALL)
        assert [series.points.mean[0] for series in history.series] == values


def test_a_server_may_change_its_shape(storage: Storage) -> None:
    wide = Sample("srv_1", 2000, WIDE, array("d", [70.0, 2.0]))
    append(storage, [sample(1000), wide, sample(3000, 3.0)])
    history = storage.history("a", "srv_1", Wanted(("cpu_percent_total", "disk_percent")), ALL)
    columns = {series.key: series.points.mean for series in history.series}
    assert columns[CPU] == [1.0, 2.0, 3.0]
    assert [isnan(value) for value in columns[DISK]] == [True, False, True]
    assert set(storage.series("a", "srv_1")) == {CPU, MEMORY, DISK}


def test_an_open_storage_can_take_samples(storage: Storage) -> None:
    storage.check()
    assert storage.durability


@pytest.mark.parametrize("place", CAN_BE_AWAY, indirect=True)
def test_a_check_says_what_to_do_until_samples_can_be_kept_again(place: Place) -> None:
    storage = place.open()
    append(storage, [sample(1000, 5.0)])
    storage.check()
    place.leave()
    try:
        for _ in range(2):
            began = monotonic()
            with pytest.raises(StorageError, match=WHAT_TO_DO):
                storage.check()
            assert monotonic() - began < CHECK_SECONDS * slowness(monotonic)
    finally:
        place.come_back()
    eventually(lambda: is_well(storage))
    append(storage, [sample(2000, 6.0)])
    assert kept(storage) == {1000: 5.0, 2000: 6.0}
    storage.close()


def test_an_unknown_storage_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="memory:"):
        open_storage("tape://", Options(lambda: 0, tmp_path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(posts=st.lists(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=8)))
def test_each_time_is_kept_once(
    place: Place, storage: Storage, posts: list[list[tuple[int, int]]]
) -> None:
    model: dict[int, float] = {}
    for post in posts:
        fresh = {time * 1000 for time, _ in post} - set(model)
        done = append(storage, [sample(time * 1000, value) for time, value in post])
        for time, value in post:
            if place.counts_duplicates:
                model.setdefault(time * 1000, value)
            else:
                model[time * 1000] = value
        if place.counts_duplicates:
            assert (done.accepted, done.duplicates) == (len(fresh), len(post) - len(fresh))
    assert kept(storage) == model
    storage.forget("a", "srv_1")


class Attempt(Thread):
    """Runs `work` and remembers what went wrong."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - told by the test
            self.failure = error


def read_on(storage: Storage, count: int) -> None:
    for _ in range(count):
        history = storage.history("a", "srv_1", Wanted(("cpu_percent_total",)), ALL)
        assert all(len(one.points.mean) == len(history.times) for one in history.series)
        times = [one.time_ms for one in storage.samples("a", "srv_1", 0, 2**53)]
        assert times == sorted(set(times))
        storage.series("a", "srv_1")


def write_on(storage: Storage, count: int) -> None:
    for i in range(count):
        append(storage, [sample(i * 1000), sample(i * 1000, server="srv_2")])
        if i % 100 == 99:
            storage.forget("a", "srv_1")


def tidy_on(storage: Storage, count: int) -> None:
    for _ in range(count):
        storage.maintain()
        storage.usage()


def test_nobody_fails_while_eight_threads_read_write_and_tidy(
    storage: Storage, rounds: int
) -> None:
    count = 50 * rounds
    attempts = [Attempt(lambda: read_on(storage, 2 * rounds)) for _ in range(6)]
    attempts.append(Attempt(lambda: write_on(storage, count)))
    attempts.append(Attempt(lambda: tidy_on(storage, rounds)))
    for attempt in attempts:
        attempt.start()
    for attempt in attempts:
        attempt.join()
    assert [attempt.failure for attempt in attempts] == [None] * 8
    kept_times = [one.time_ms for one in storage.samples("a", "srv_2", 0, 2**53)]
    assert kept_times == [i * 1000 for i in range(count)][-len(kept_times) :]
    assert len(kept_times) >= min(count, CAPACITY)


def test_what_was_appended_is_there_when_opened_again(lasting_place: Place) -> None:
    for number in range(3):
        storage = lasting_place.open()
        assert sorted(kept(storage)) == [time * 1000 for time in range(number)]
        append(storage, [sample(number * 1000)])
        storage.close()
