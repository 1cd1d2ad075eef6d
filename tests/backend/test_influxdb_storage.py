"""What only the storage in an InfluxDB promises: its databases, its marks, its own retention."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Batch, Options, Retention, StorageError, Wanted, Window, open_storage
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS

from tests.backend_under_test import Clock

MIDNIGHT_MS = 1_795_392_000_000  # 2026-11-23T00:00:00Z
CPU = Key("cpu_percent_total")
LAYOUT = Layout((CPU,))


class Store:
    """A storage with a clock at midnight, and its database from the other side."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.url = server.url("own")
        self.clock = Clock(MIDNIGHT_MS)
        self.retention = Retention(2 * DAY_MS, 30 * DAY_MS, 365 * DAY_MS)
        self.storage = self.open()

    def open(self) -> Any:
        return open_storage(self.url, Options(self.clock, self.folder, self.retention))

    @property
    def database(self) -> str:
        (name,) = self.server.databases(self.url.partition("?")[0].rpartition("/")[2] + "_")
        return str(name)

    def send(self, samples: Sequence[Sample], tenant: str = "a") -> None:
        (done,) = self.storage.append([Batch(tenant, samples)])
        assert (done.accepted, done.too_old) == (len(samples), 0)

    def rolled(self, tier: str, server: str = "srv_1") -> dict[int, tuple[float, ...]]:
        """Return time -> (mean, min, max, last, count) of a server's CPU as the engine has it."""
        names = [f"{fold}_{CPU.metric}" for fold in ("mean", "min", "max", "last", "count")]
        fields = ", ".join(f'"{name}"' for name in names)
        statement = f'SELECT {fields} FROM "{tier}"."cpu" WHERE "server" = \'{server}\''
        found = self.server.query(statement, self.database)
        return {row[0]: tuple(row[1:]) for series in found for row in series["values"]}

    def shards(self, policy: str) -> list[str]:
        """Return where the shards of a policy begin."""
        found = self.server.query("SHOW SHARDS")
        rows = [
            row for series in found if series["name"] == self.database for row in series["values"]
        ]
        return sorted(row[4] for row in rows if row[2] == policy)


@pytest.fixture
def store(influxdb: Any, tmp_path: Path) -> Any:
    made = Store(influxdb, tmp_path)
    yield made
    made.storage.close()


def samples(start_ms: int, end_ms: int, server: str = "srv_1", step_ms: int = 5000) -> list[Sample]:
    return [
        Sample(server, time_ms, LAYOUT, array("d", [value(time_ms)]))
        for time_ms in range(start_ms, end_ms, step_ms)
    ]


def value(time_ms: int) -> float:
    return float(time_ms // 1000 * 7919 % 1000) / 8


def folds(times: Sequence[int], step_ms: int) -> dict[int, tuple[float, ...]]:
    """Fold the values of these times, plainly."""
    buckets: dict[int, list[float]] = {}
    for time_ms in sorted(times):
        buckets.setdefault(time_ms // step_ms * step_ms, []).append(value(time_ms))
    return {
        start: (pytest.approx(sum(v) / len(v)), min(v), max(v), v[-1], len(v))
        for start, v in buckets.items()
    }


def test_a_tenant_has_policies_that_never_end_by_the_engines_clock(store: Store) -> None:
    store.send(samples(MIDNIGHT_MS, MIDNIGHT_MS + 1))
    (found,) = store.server.query(f'SHOW RETENTION POLICIES ON "{store.database}"')
    policies = {row[0]: (row[1], row[2], row[4]) for row in found["values"]}
    assert policies == {
        "raw": ("0s", "24h0m0s", True),
        "1m": ("0s", "168h0m0s", False),
        "1h": ("0s", "672h0m0s", False),
        "state": ("0s", "672h0m0s", False),
    }


def test_reading_makes_no_database(store: Store) -> None:
    assert store.storage.series("a", "srv_1") == []
    wanted = Wanted((CPU.metric,))
    for window in (Window(0, MIDNIGHT_MS), Window(MIDNIGHT_MS - HOUR_MS, MIDNIGHT_MS)):
        assert store.storage.history("a", "srv_1", wanted, window).series == []
    assert list(store.storage.samples("a", "srv_1", 0, 2**53)) == []
    store.storage.forget("a", "srv_1")
    store.storage.maintain()
    assert store.storage.usage().servers == {}
    assert store.server.databases(store.url.rpartition("/")[2]) == []


def test_a_database_that_somebody_dropped_is_made_again(store: Store) -> None:
    store.send(samples(MIDNIGHT_MS, MIDNIGHT_MS + 1))
    store.server.query(f'DROP DATABASE "{store.database}"')
    store.send(samples(MIDNIGHT_MS + 5000, MIDNIGHT_MS + 5001))
    kept = store.storage.samples("a", "srv_1", 0, 2**53)
    assert [one.time_ms for one in kept] == [MIDNIGHT_MS + 5000]


def test_a_database_of_a_newer_schema_is_refused(store: Store) -> None:
    store.send(samples(MIDNIGHT_MS, MIDNIGHT_MS + 1))
    store.server.write("hostpulse version=2i 0", store.database, "state")
    newer = store.open()
    for ask in (lambda: newer.append([Batch("a", samples(0, 1))]), newer.maintain):
        with pytest.raises(StorageError, match="newer Hostpulse; update"):
            ask()
    newer.close()


def test_roll_ups_in_the_engine_are_the_fold_of_the_samples(store: Store) -> None:
    sent = samples(MIDNIGHT_MS, MIDNIGHT_MS + 2 * HOUR_MS + 600_000)
    store.send(sent)
    store.clock.now_ms = MIDNIGHT_MS + 2 * HOUR_MS + 600_000
    store.storage.maintain()
    settled = [one.time_ms for one in sent if one.time_ms < MIDNIGHT_MS + 2 * HOUR_MS + 480_000]
    assert store.rolled("1m") == folds(settled, MINUTE_MS)
    whole = [time_ms for time_ms in settled if time_ms < MIDNIGHT_MS + 2 * HOUR_MS]
    assert store.rolled("1h") == folds(whole, HOUR_MS)


def test_a_mark_outlives_a_crash_and_touches_only_its_server_and_hour(store: Store) -> None:
    sent = [
        one
        for server in ("srv_1", "srv_2")
        for one in samples(MIDNIGHT_MS, MIDNIGHT_MS + 2 * HOUR_MS, server)
    ]
    missing = [one for one in sent if one.server == "srv_1" and one.time_ms % 60_000 < 20_000]
    missing = [one for one in missing if one.time_ms < MIDNIGHT_MS + HOUR_MS]
    store.send([one for one in sent if one not in missing])
    store.clock.now_ms = MIDNIGHT_MS + 3 * HOUR_MS
    store.storage.maintain()
    store.clock.advance(10 * MINUTE_MS)
    store.storage.maintain()
    before = store.rolled("1h")
    # A roll-up that is not touched would show it, were it made again.
    store.server.write(
        f"cpu,server=srv_2 mean_{CPU.metric}=-1 {MIDNIGHT_MS}\n"
        f"cpu,server=srv_1 mean_{CPU.metric}=-2 {MIDNIGHT_MS + HOUR_MS}",
        store.database, "1h",
    )  # fmt: skip
    store.send(missing)
    store.storage.close()  # as if it had died now
    store.storage = store.open()
    store.clock.advance(10 * MINUTE_MS)
    store.storage.maintain()
    every = [one.time_ms for one in sent if one.server == "srv_1"]
    assert before != folds(every, HOUR_MS)
    assert store.rolled("1m") == folds(every, MINUTE_MS)
    assert store.rolled("1h")[MIDNIGHT_MS] == folds(every, HOUR_MS)[MIDNIGHT_MS]
    assert store.rolled("1h")[MIDNIGHT_MS + HOUR_MS][0] == -2
    assert store.rolled("1h", "srv_2")[MIDNIGHT_MS][0] == -1


def test_an_hour_is_rolled_up_again_once_its_backlog_is_in(store: Store) -> None:
    store.send(samples(MIDNIGHT_MS + 2 * HOUR_MS, MIDNIGHT_MS + 3 * HOUR_MS))
    store.clock.now_ms = MIDNIGHT_MS + 4 * HOUR_MS
    store.storage.maintain()
    store.clock.advance(10 * MINUTE_MS)
    store.storage.maintain()
    late = samples(MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS)
    window = Window(MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS, 60)
    for first in range(0, len(late), 240):
        store.send(late[first : first + 240])
        store.clock.advance(MINUTE_MS)
        store.storage.maintain()
        assert MIDNIGHT_MS not in store.rolled("1h")
        # Meanwhile charts are made of the samples.
        history = store.storage.history("a", "srv_1", Wanted((CPU.metric,)), window)
        assert sum(history.series[0].points.count) == first + 240
    store.clock.advance(2 * MINUTE_MS)
    store.storage.maintain()
    assert store.rolled("1h")[MIDNIGHT_MS][-1] == len(late)


class Cut(Exception):
    """The process ends here."""


def cut_after(storage: Any, count: int) -> Callable[[], int]:
    """Let the storage die before the next but `count` exchange with the engine."""
    engine, done = storage._engine, [0]
    for name in ("query", "write"):
        whole = getattr(engine, name)

        def exchange(*args: Any, whole: Any = whole, **more: Any) -> Any:
            if done[0] == count:
                raise Cut
            done[0] += 1
            return whole(*args, **more)

        setattr(engine, name, exchange)
    return lambda: done[0]


def test_upkeep_that_dies_anywhere_is_made_good_by_the_next(store: Store) -> None:
    start_ms = MIDNIGHT_MS - DAY_MS
    sent = samples(start_ms + 22 * HOUR_MS, start_ms + 26 * HOUR_MS, step_ms=60_000)
    late = [one for one in sent if one.time_ms % 7 == 0]
    store.send([one for one in sent if one not in late])
    store.clock.now_ms = MIDNIGHT_MS + HOUR_MS
    store.storage.maintain()
    store.send(late)
    store.clock.now_ms = MIDNIGHT_MS + 2 * DAY_MS + 2 * HOUR_MS  # a day of raw samples is due
    assert len(store.shards("raw")) == 2
    cuts = 0
    while True:
        dying = store.open()
        told = cut_after(dying, cuts)
        try:
            dying.maintain()
        except Cut:
            assert told() == cuts
            cuts += 1
            dying.close()
            continue
        dying.close()
        break
    assert cuts > 20
    assert len(store.shards("raw")) == 1
    every = [one.time_ms for one in sent]
    assert store.rolled("1m") == folds(every, MINUTE_MS)
    assert store.rolled("1h") == folds(every, HOUR_MS)


def test_nothing_is_dropped_before_it_is_rolled_up(store: Store) -> None:
    sent = samples(MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS)
    store.send(sent)
    store.clock.now_ms = MIDNIGHT_MS + 5 * DAY_MS  # nobody cared for five days
    store.storage.maintain()
    assert store.shards("raw") == []
    assert store.rolled("1h") == folds([one.time_ms for one in sent], HOUR_MS)


def test_restarts_under_a_clock_that_leapt_ahead_drop_no_more_than_one_step(
    store: Store,
) -> None:
    for day in range(4):
        store.clock.now_ms = MIDNIGHT_MS + day * DAY_MS
        store.send(samples(store.clock.now_ms - 60_000, store.clock.now_ms))
    store.clock.now_ms += 3650 * DAY_MS
    left = []
    for _ in range(4):
        store.storage.close()
        store.storage = store.open()
        store.storage.maintain()
        left.append(len(store.shards("raw")))
        store.clock.now_ms += MINUTE_MS
    assert left == [3, 3, 3, 3]
    store.clock.now_ms += HOUR_MS
    store.storage.maintain()
    assert len(store.shards("raw")) == 2  # and then it goes on


def test_a_day_that_lost_its_samples_is_never_rolled_up_from_what_comes_late(store: Store) -> None:
    sent = samples(MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS)
    store.send(sent)
    store.clock.now_ms = MIDNIGHT_MS + 10 * DAY_MS
    store.storage.maintain()
    assert store.shards("raw") == []
    store.clock.now_ms = MIDNIGHT_MS + DAY_MS  # somebody saw it
    for storage in (store.storage, store.open()):
        (done,) = storage.append([Batch("a", samples(MIDNIGHT_MS + 1, MIDNIGHT_MS + 2))])
        assert (done.accepted, done.too_old) == (0, 1)
        storage.maintain()
    storage.close()
    assert store.rolled("1h") == folds([one.time_ms for one in sent], HOUR_MS)


def test_two_processes_may_keep_up_the_same_databases(store: Store) -> None:
    other = store.open()
    sent = samples(MIDNIGHT_MS, MIDNIGHT_MS + 3 * HOUR_MS, step_ms=60_000)
    for hour in range(3):
        start_ms = MIDNIGHT_MS + hour * HOUR_MS
        store.clock.now_ms = start_ms + HOUR_MS
        part = [one for one in sent if start_ms <= one.time_ms < start_ms + HOUR_MS]
        store.send(part[::2])
        other.append([Batch("a", part[1::2])])
        store.storage.maintain()
        other.maintain()
    store.clock.advance(10 * MINUTE_MS)
    other.maintain()
    store.storage.maintain()
    other.close()
    every = [one.time_ms for one in sent]
    assert store.rolled("1m") == folds(every, MINUTE_MS)
    assert store.rolled("1h") == folds(every, HOUR_MS)


def test_another_prefix_is_another_hostpulse(store: Store) -> None:
    store.send(samples(MIDNIGHT_MS, MIDNIGHT_MS + HOUR_MS))
    beside = open_storage(store.server.url("own"), Options(store.clock, store.folder))
    assert list(beside.samples("a", "srv_1", 0, 2**53)) == []
    store.clock.now_ms = MIDNIGHT_MS + 40 * DAY_MS
    beside.maintain()
    assert len(store.shards("raw")) == 1
    assert beside.usage().servers == {}
    beside.close()
