"""The law of time: roll-ups say what their samples say, retention ends what it should, no more."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from math import isnan, nan
from random import Random

import pytest
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Batch, History, Retention, Storage, Wanted, Window
from hostpulse.storage.series import build
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS

from tests.conformance.storages import Place, append

MIDNIGHT_MS = 1_795_392_000_000  # 2026-11-23T00:00:00Z
CPU, BYTES = Key("cpu_percent_total"), Key("bytes_sent", "eth0")
CUSTOM = Key("custom.orders", "a b,c=d\"'\\")
LAYOUT = Layout((CPU, BYTES, CUSTOM))
WANTED = Wanted((CPU.metric, BYTES.metric, CUSTOM.metric))
STEP_MS = 5000
MEAN_TOLERANCE = 0.002


@pytest.fixture
def place(lasting_place: Place) -> Place:
    return lasting_place


@pytest.fixture
def lasting(place: Place) -> Iterator[Storage]:
    """A storage that keeps roll-ups, at midnight."""
    place.clock.now_ms = MIDNIGHT_MS
    place.retention = Retention(3 * DAY_MS, 30 * DAY_MS, 365 * DAY_MS)
    opened = place.open()
    yield opened
    opened.close()


def make(chance: Random, time_ms: int, server: str = "srv_1") -> Sample:
    cpu = nan if chance.random() < 0.1 else round(chance.uniform(0, 100), 3)
    numbers = [cpu, float(chance.randrange(2**50)), chance.uniform(-1e9, 1e9)]
    return Sample(server, time_ms, LAYOUT, array("d", numbers))


def run(chance: Random, start_ms: int, end_ms: int, step_ms: int = STEP_MS) -> list[Sample]:
    """Make samples with a gap here and there, off the grid by some milliseconds."""
    made, gap_until = [], 0
    for time_ms in range(start_ms, end_ms, step_ms):
        if chance.random() < 0.01:
            gap_until = time_ms + chance.randrange(10 * MINUTE_MS)
        if time_ms >= gap_until:
            made.append(make(chance, time_ms + chance.randrange(1000)))
    return made


def send(storage: Storage, samples: Sequence[Sample]) -> None:
    for first in range(0, len(samples), 500):
        done = append(storage, samples[first : first + 500])
        assert done.too_old == 0


def expected(samples: Sequence[Sample], window: Window) -> History:
    """Return what a history is when it is folded from the samples themselves."""
    inside = sorted(
        (one for one in samples if window.start_ms <= one.time_ms < window.end_ms),
        key=lambda one: one.time_ms,
    )
    columns = {
        key: [one.values[i] for one in inside] for i, key in enumerate(LAYOUT.keys) if inside
    }
    return build([one.time_ms for one in inside], columns, window)


def check_same(found: History, wanted: History) -> None:
    assert (found.raw, found.times) == (wanted.raw, wanted.times)
    assert {one.key for one in found.series} == {one.key for one in wanted.series}
    by_key = {one.key: one.points for one in found.series}
    for series in wanted.series:
        points = by_key[series.key]
        assert points.count == series.points.count, series.key
        for name in ("min", "max", "last"):
            pairs = zip(getattr(points, name), getattr(series.points, name), strict=True)
            assert all(a == b or (isnan(a) and isnan(b)) for a, b in pairs), (series.key, name)
        for a, b in zip(points.mean, series.points.mean, strict=True):
            near = abs(a - b) <= max(MEAN_TOLERANCE, 1e-9 * abs(b))
            assert near or (isnan(a) and isnan(b)), (series.key, a, b)


def check_windows(storage: Storage, samples: Sequence[Sample], end_ms: int) -> None:
    """Compare the history of many windows with the pure fold; all begin with a bucket."""
    for length_ms in (HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, DAY_MS, 2 * DAY_MS):
        for points in (400, 100, 12):
            window = Window(0, length_ms, points)
            start_ms = (end_ms - length_ms) // window.step_ms * window.step_ms
            window = Window(start_ms, end_ms, points)
            found = storage.history("a", "srv_1", WANTED, window)
            if not found.raw:
                assert found.step_ms == window.step_ms
                window = Window(start_ms, end_ms, points, bucket_ms=window.step_ms)
            check_same(found, expected(samples, window))


def let_pass(place: Place, storage: Storage, until_ms: int, step_ms: int = HOUR_MS) -> None:
    """Let time go by, with the upkeep that goes on meanwhile."""
    while place.clock.now_ms < until_ms:
        place.clock.now_ms = min(place.clock.now_ms + step_ms, until_ms)
        storage.maintain()


def test_every_window_says_what_the_samples_say_however_old_they_are(
    place: Place, lasting: Storage
) -> None:
    chance = Random(1)
    samples: list[Sample] = []
    for hour in range(27):  # over midnight, in pieces that begin and end inside an hour
        start_ms = MIDNIGHT_MS + hour * HOUR_MS + 17 * MINUTE_MS
        piece = run(chance, start_ms, start_ms + HOUR_MS)
        place.clock.now_ms = start_ms + HOUR_MS
        send(lasting, piece)
        samples += piece
        lasting.maintain()
    check_windows(lasting, samples, place.clock.now_ms)


def test_late_samples_change_the_roll_ups_that_they_touch(place: Place, lasting: Storage) -> None:
    chance = Random(2)
    end_ms = MIDNIGHT_MS + 26 * HOUR_MS
    samples = run(chance, MIDNIGHT_MS, end_ms)
    late = [one for one in samples if MIDNIGHT_MS + 5 * HOUR_MS <= one.time_ms < end_ms - HOUR_MS]
    late = [one for one in late if one.time_ms % 7 == 0 or one.time_ms % (3 * HOUR_MS) < HOUR_MS]
    late_times = {one.time_ms for one in late}
    prompt = [one for one in samples if one.time_ms not in late_times]
    for hour in range(26):
        start_ms = MIDNIGHT_MS + hour * HOUR_MS
        place.clock.now_ms = start_ms + HOUR_MS
        send(lasting, [one for one in prompt if start_ms <= one.time_ms < start_ms + HOUR_MS])
        lasting.maintain()
    check_windows(lasting, prompt, end_ms)
    chance.shuffle(late)
    send(lasting, late)
    let_pass(place, lasting, end_ms + 2 * HOUR_MS, 10 * MINUTE_MS)
    check_windows(lasting, samples, end_ms)


def test_a_gap_stays_a_gap_in_every_tier(place: Place, lasting: Storage) -> None:
    chance = Random(3)
    samples = [
        *run(chance, MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS),
        *run(chance, MIDNIGHT_MS + 4 * HOUR_MS, MIDNIGHT_MS + 5 * HOUR_MS),
    ]
    place.clock.now_ms = MIDNIGHT_MS + 5 * HOUR_MS
    send(lasting, samples)
    let_pass(place, lasting, MIDNIGHT_MS + 26 * HOUR_MS)
    for points in (400, 20, 6):
        window = Window(MIDNIGHT_MS, MIDNIGHT_MS + 6 * HOUR_MS, points)
        found = lasting.history("a", "srv_1", WANTED, window)
        for series in found.series:
            for time_ms, count, mean in zip(
                found.times, series.points.count, series.points.mean, strict=True
            ):
                gap = MIDNIGHT_MS + HOUR_MS <= time_ms < MIDNIGHT_MS + 4 * HOUR_MS
                assert (count == 0) is isnan(mean)
                assert not gap or count == 0


def test_what_is_older_than_the_raw_retention_is_too_old(place: Place, lasting: Storage) -> None:
    chance = Random(4)
    now_ms = place.clock.now_ms
    old, new = make(chance, now_ms - 3 * DAY_MS - 1), make(chance, now_ms - 3 * DAY_MS + HOUR_MS)
    done = append(lasting, [old, new])
    assert (done.accepted, done.too_old) == (1, 1)
    assert list(raw_times(lasting)) == [new.time_ms]


def raw_times(storage: Storage, server: str = "srv_1") -> Iterator[int]:
    return (one.time_ms for one in storage.samples("a", server, 0, 2**53))


def test_raw_samples_go_by_the_day_and_their_roll_ups_stay(place: Place, lasting: Storage) -> None:
    chance = Random(5)
    samples = run(chance, MIDNIGHT_MS, MIDNIGHT_MS + 2 * DAY_MS, 30_000)
    for day in range(2):
        end_ms = MIDNIGHT_MS + (day + 1) * DAY_MS
        place.clock.now_ms = end_ms
        send(lasting, [one for one in samples if end_ms - DAY_MS <= one.time_ms < end_ms])
        lasting.maintain()
    let_pass(place, lasting, MIDNIGHT_MS + 7 * DAY_MS)
    assert list(raw_times(lasting)) == []
    window = Window(MIDNIGHT_MS, MIDNIGHT_MS + 6 * HOUR_MS)
    found = lasting.history("a", "srv_1", WANTED, window)
    assert (found.raw, found.step_ms) == (False, MINUTE_MS)
    check_same(found, expected(samples, Window(*edges(window), bucket_ms=MINUTE_MS)))
    let_pass(place, lasting, MIDNIGHT_MS + 34 * DAY_MS, DAY_MS)
    window = Window(MIDNIGHT_MS, MIDNIGHT_MS + 2 * DAY_MS)
    found = lasting.history("a", "srv_1", WANTED, window)
    assert (found.raw, found.step_ms) == (False, HOUR_MS)
    check_same(found, expected(samples, Window(*edges(window), bucket_ms=HOUR_MS)))


def edges(window: Window) -> tuple[int, int]:
    return window.start_ms, window.end_ms


def test_a_clock_that_jumps_ahead_costs_at_most_one_step(place: Place, lasting: Storage) -> None:
    chance = Random(6)
    samples = run(chance, MIDNIGHT_MS, MIDNIGHT_MS + 2 * DAY_MS, 60_000)
    place.clock.now_ms = MIDNIGHT_MS + 2 * DAY_MS
    send(lasting, samples)
    let_pass(place, lasting, MIDNIGHT_MS + 2 * DAY_MS + 2 * HOUR_MS, 10 * MINUTE_MS)
    before = set(raw_times(lasting))
    assert before == {one.time_ms for one in samples}
    place.clock.now_ms += 365 * DAY_MS
    for _ in range(10):
        lasting.maintain()
        place.clock.now_ms += 5000
    gone = before - set(raw_times(lasting))
    assert max(gone, default=0) < MIDNIGHT_MS + DAY_MS
    lasting.close()
    for _ in range(6):  # a restart does not make it forget
        again = place.open()
        again.series("a", "srv_1")  # returns once all is loaded
        again.maintain()
        assert set(raw_times(again)) == before - gone
        again.close()
        place.clock.now_ms += 5000
    place.clock.now_ms -= 365 * DAY_MS  # somebody saw it
    again = place.open()
    again.maintain()
    assert set(raw_times(again)) == before - gone
    again.close()


def test_a_reopened_storage_says_the_same(place: Place, lasting: Storage) -> None:
    chance = Random(7)
    samples = run(chance, MIDNIGHT_MS, MIDNIGHT_MS + 26 * HOUR_MS)
    place.clock.now_ms = MIDNIGHT_MS + 26 * HOUR_MS
    send(lasting, samples[: len(samples) // 2])
    lasting.maintain()
    send(lasting, samples[len(samples) // 2 :])
    lasting.close()
    again = place.open()
    assert list(raw_times(again)) == [one.time_ms for one in samples]
    check_windows(again, samples, place.clock.now_ms)
    let_pass(place, again, MIDNIGHT_MS + 28 * HOUR_MS, 10 * MINUTE_MS)
    again.close()
    third = place.open()
    check_windows(third, samples, MIDNIGHT_MS + 26 * HOUR_MS)
    assert set(third.series("a", "srv_1")) == set(LAYOUT.keys)
    again = append(third, samples[:300])
    if place.counts_duplicates:
        assert (again.accepted, again.duplicates) == (0, 300)
    assert list(raw_times(third)) == [one.time_ms for one in samples]
    third.close()


def test_a_forgotten_server_leaves_nothing_in_any_tier(place: Place, lasting: Storage) -> None:
    chance = Random(8)
    samples = run(chance, MIDNIGHT_MS, MIDNIGHT_MS + 3 * HOUR_MS)
    other = [make(chance, one.time_ms, "srv_2") for one in samples]
    place.clock.now_ms = MIDNIGHT_MS + 3 * HOUR_MS
    lasting.append([Batch("a", samples), Batch("a", other), Batch("b", samples)])
    let_pass(place, lasting, MIDNIGHT_MS + 5 * HOUR_MS, 10 * MINUTE_MS)
    lasting.forget("a", "srv_1")
    window = Window(MIDNIGHT_MS, MIDNIGHT_MS + 3 * HOUR_MS, 20)
    for _ in range(2):
        assert lasting.history("a", "srv_1", WANTED, window).series == []
        assert list(raw_times(lasting)) == []
        assert lasting.series("a", "srv_1") == []
        assert list(raw_times(lasting, "srv_2")) == [one.time_ms for one in other]
        assert len(lasting.history("b", "srv_1", WANTED, window).series) == 3
        let_pass(place, lasting, place.clock.now_ms + 2 * HOUR_MS, 10 * MINUTE_MS)


def test_the_usage_is_said_by_tier_and_server(place: Place, lasting: Storage) -> None:
    chance = Random(9)
    samples = run(chance, MIDNIGHT_MS, MIDNIGHT_MS + 2 * HOUR_MS)
    place.clock.now_ms = MIDNIGHT_MS + 2 * HOUR_MS
    send(lasting, samples)
    let_pass(place, lasting, MIDNIGHT_MS + 25 * HOUR_MS, 10 * MINUTE_MS)
    usage = lasting.usage()
    tiers = [tier for tier in usage.tiers if tier.name != "journal"]
    assert [tier.name for tier in tiers] == ["raw", "1m", "1h"]
    sizes = [tier.size_bytes for tier in tiers]
    assert all(size is None or size > 0 for size in sizes)


def test_raw_samples_come_in_order_and_inside_their_window(place: Place, lasting: Storage) -> None:
    chance = Random(10)
    samples = run(chance, MIDNIGHT_MS, MIDNIGHT_MS + 26 * HOUR_MS)
    place.clock.now_ms = MIDNIGHT_MS + 26 * HOUR_MS
    mixed = list(samples)
    chance.shuffle(mixed)
    send(lasting, mixed)
    let_pass(place, lasting, MIDNIGHT_MS + 27 * HOUR_MS, 10 * MINUTE_MS)
    start_ms, end_ms = samples[100].time_ms, samples[-100].time_ms
    found = list(lasting.samples("a", "srv_1", start_ms, end_ms))
    assert [one.time_ms for one in found] == [one.time_ms for one in samples[100:-100]]
    for one, sent in zip(found, samples[100:-100], strict=True):
        assert dict(one.items()) == dict(sent.items())
