"""What only files promise: one writer, damage set aside, sealing in time, and a bounded disk."""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from threading import Event
from time import sleep

import pytest
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import (
    Batch,
    Lost,
    Options,
    Retention,
    StorageError,
    Wanted,
    Window,
    open_storage,
)
from hostpulse.storage.file import FileStorage
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS
from structlog.testing import capture_logs

from tests.backend_under_test import Clock

MIDNIGHT_MS = 1_795_392_000_000  # 2026-11-23T00:00:00Z
LAYOUT = Layout((Key("cpu_percent_total"), Key("memory_used")))
OTHER_LAYOUT = Layout((Key("custom.load"),))


def sample(time_ms: int, server: str = "srv_1") -> Sample:
    return Sample(server, time_ms, LAYOUT, array("d", [time_ms // 1000 % 101, 5.0]))


@dataclass
class Folder:
    """A folder of samples, and the clock of whoever opens it."""

    path: Path
    clock: Clock = field(default_factory=lambda: Clock(MIDNIGHT_MS))
    retention: Retention = field(default_factory=Retention)
    budget_bytes: int = 0

    def open(self, read_only: bool = False) -> FileStorage:
        options = Options(self.clock, self.path, self.retention, self.budget_bytes, read_only)
        storage = FileStorage(self.path, options)
        times(storage)  # returns once the journal is loaded
        return storage

    def segments(self) -> list[Path]:
        return sorted((self.path / "journal").iterdir())

    def files(self, tier: str, server: str = "srv_1") -> list[str]:
        return [path.stem for path in sorted(self.path.glob(f"tenants/*/{server}/{tier}/*"))]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "samples")


def append(storage: FileStorage, samples: Sequence[Sample]) -> int:
    (done,) = storage.append([Batch("a", samples)])
    return done.accepted


def times(storage: FileStorage, server: str = "srv_1") -> list[int]:
    return [one.time_ms for one in storage.samples("a", server, 0, 2**53)]


def hour(start_ms: int, server: str = "srv_1") -> list[Sample]:
    return [sample(start_ms + i * MINUTE_MS, server) for i in range(60)]


def live(folder: Folder, storage: FileStorage, hours: int, server: str = "srv_1") -> None:
    """Let hours pass with a sample a minute and the upkeep after each."""
    for _ in range(hours):
        start_ms = folder.clock.now_ms // HOUR_MS * HOUR_MS
        folder.clock.now_ms = start_ms + HOUR_MS + 6 * MINUTE_MS
        append(storage, hour(start_ms, server))
        storage.maintain()


# -- one writer ---------------------------------------------------------------


def test_a_second_process_is_refused_in_words_and_may_come_after_the_first(folder: Folder) -> None:
    first = folder.open()
    said = f"samples in the folder {folder.path}; .* --storage file:"
    with pytest.raises(StorageError, match=said):
        folder.open()
    first.close()
    folder.open().close()


def test_a_reader_beside_the_writer_sees_everything_and_writes_nothing(folder: Folder) -> None:
    writer = folder.open()
    live(folder, writer, 26)
    append(writer, [sample(folder.clock.now_ms)])
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    reader = folder.open(read_only=True)
    assert times(reader) == times(writer)
    window = Window(MIDNIGHT_MS, folder.clock.now_ms)
    wanted = Wanted(("cpu_percent_total",))
    shown = [one.history("a", "srv_1", wanted, window).series[0].points for one in (reader, writer)]
    assert shown[0].count == shown[1].count
    with pytest.raises(StorageError, match="reading only"):
        append(reader, [sample(1)])
    with pytest.raises(StorageError, match="reading only"):
        reader.forget("a", "srv_1")
    reader.maintain()
    reader.check()
    assert before == {p: p.read_bytes() for p in folder.path.rglob("*") if p.is_file()}
    live(folder, writer, 24)  # what the reader knew of is replaced meanwhile
    assert len(times(reader)) >= 26 * 60
    reader.close()
    writer.close()


def test_a_file_url_may_name_the_folder(tmp_path: Path) -> None:
    options = Options(Clock(MIDNIGHT_MS), tmp_path)
    for url, folder in (("file:", tmp_path / "metrics"), (f"file:{tmp_path}/b", tmp_path / "b")):
        open_storage(url, options).close()
        assert (folder / "journal").is_dir()


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/samples"):
        Folder(tmp_path / "file" / "samples").open()


# -- damage -------------------------------------------------------------------


def test_a_torn_tail_goes_to_the_quarantine_and_is_told(folder: Folder) -> None:
    storage = folder.open()
    append(storage, [sample(MIDNIGHT_MS), sample(MIDNIGHT_MS + 1000)])
    storage.close()
    (segment,) = folder.segments()
    whole = segment.read_bytes()
    torn = whole.splitlines(keepends=True)[-1][:-5]
    start = len(whole) - len(torn) - 5
    segment.write_bytes(whole[:-5])
    with capture_logs() as logs:
        storage = folder.open()
    assert [(one["offset"], one["size"]) for one in logs] == [(start, len(torn))]
    assert [path.read_bytes() for path in (folder.path / "quarantine").iterdir()] == [torn]
    assert segment.read_bytes().endswith(b"\n")
    assert storage.lost() == Lost(1, len(torn))
    assert times(storage) == [MIDNIGHT_MS]
    assert append(storage, [sample(MIDNIGHT_MS + 1000)]) == 1
    storage.close()
    with capture_logs() as logs:
        storage = folder.open()
    assert logs == []
    assert storage.lost() == Lost(1, len(torn))  # of an earlier run, but still lost
    storage.close()
    shutil.rmtree(folder.path / "quarantine")
    reader = folder.open(read_only=True)
    assert reader.lost() == Lost()
    reader.close()


def test_a_damaged_record_in_the_middle_costs_itself_alone_and_is_kept(folder: Folder) -> None:
    storage = folder.open()
    append(storage, [sample(MIDNIGHT_MS + i * 1000) for i in range(3)])
    storage.close()
    (segment,) = folder.segments()
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"values", b"valves")
    segment.write_bytes(b"".join(lines))
    with capture_logs() as logs:
        storage = folder.open()
    assert times(storage) == [MIDNIGHT_MS, MIDNIGHT_MS + 2000]
    assert logs[0]["offset"] == len(lines[0] + lines[1])
    assert (folder.path / "quarantine" / f"{segment.stem}.{logs[0]['offset']}").exists()
    storage.close()


def test_a_lost_layout_costs_nothing_while_another_segment_has_it(folder: Folder) -> None:
    storage = folder.open()
    append(storage, [sample(MIDNIGHT_MS)])
    folder.clock.advance(11 * MINUTE_MS)
    append(storage, [sample(MIDNIGHT_MS + 1000)])
    storage.close()
    first, second = folder.segments()
    first.write_bytes(first.read_bytes().replace(b'"keys"', b'"kews"'))
    storage = folder.open()
    assert times(storage) == [MIDNIGHT_MS, MIDNIGHT_MS + 1000]
    storage.close()
    second.write_bytes(second.read_bytes().replace(b'"keys"', b'"kews"'))
    with capture_logs() as logs:
        storage = folder.open()
    assert times(storage) == []
    assert sum(one.get("count", 0) for one in logs) == 2
    for segment in (first, second):
        assert (folder.path / "quarantine" / segment.name).exists()
    storage.close()


def cut(folder: Folder, tier: str, name: str = "*", server: str = "srv_1") -> bytes:
    """Damage the one file of a tier; return what is left."""
    (file,) = folder.path.glob(f"tenants/*/{server}/{tier}/{name}.parquet")
    file.write_bytes(file.read_bytes()[:-100])
    return file.read_bytes()


def counted(storage: FileStorage, bucket_ms: int, days: int = 1) -> int:
    """Return how many samples a chart of the first days counts."""
    window = Window(MIDNIGHT_MS, MIDNIGHT_MS + days * DAY_MS, bucket_ms=bucket_ms)
    found = storage.history("a", "srv_1", Wanted(("memory_used",)), window)
    return sum(sum(series.points.count) for series in found.series)


def let_late_samples_settle(folder: Folder, storage: FileStorage) -> None:
    for _ in range(2):
        folder.clock.advance(HOUR_MS + MINUTE_MS)
        storage.maintain()


def live_days(folder: Folder, storage: FileStorage, days: int = 1) -> None:
    live(folder, storage, 24 * days)
    folder.clock.advance(5 * MINUTE_MS)
    storage.maintain()


def test_a_damaged_file_is_told_and_set_aside_by_whoever_reads_it(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 1)
    storage.close()
    damaged = cut(folder, "raw")
    with capture_logs() as logs:
        storage = folder.open()
    assert [one["event"] for one in logs] == ["a damaged file is set aside"]
    assert times(storage) == []
    assert storage.lost() == Lost(1, len(damaged))
    assert append(storage, [sample(MIDNIGHT_MS + 1), sample(folder.clock.now_ms)]) == 2
    live(folder, storage, 25)
    assert len(times(storage)) == 25 * 60 + 1
    storage.close()


@pytest.mark.parametrize("tier", ["raw", "1m", "1h"])
def test_a_chart_over_a_damaged_file_is_made_of_another_tier(tier: str, folder: Folder) -> None:
    storage = folder.open()
    live_days(folder, storage)
    storage.close()
    damaged = cut(folder, tier)
    storage = FileStorage(folder.path, Options(folder.clock, folder.path))
    for bucket_ms in (MINUTE_MS, HOUR_MS):
        assert counted(storage, bucket_ms) == 24 * 60
    assert storage.series("a", "srv_1")
    assert sum(storage.usage().servers.values()) > 0
    assert storage.lost() == Lost(1, len(damaged))
    storage.maintain()
    assert len(folder.files(tier)) == (tier != "raw")  # the samples alone cannot be made anew
    for bucket_ms in (MINUTE_MS, HOUR_MS):
        assert counted(storage, bucket_ms) == 24 * 60
    storage.close()


def test_a_reader_tells_what_is_damaged_and_leaves_it_to_the_writer(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 2)
    damaged = cut(folder, "raw", "*T00")
    reader = folder.open(read_only=True)
    assert len(times(reader)) == 60
    assert sum(tier.value_count or 0 for tier in reader.usage().tiers) > 0
    assert reader.lost() == Lost(1, len(damaged))
    assert len(folder.files("raw")) == 2
    reader.close()
    storage.close()


@pytest.mark.parametrize("late", [1, 2])
def test_late_samples_cost_no_points_whose_samples_are_damaged(late: int, folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 1)
    storage.close()
    cut(folder, "raw")
    storage = FileStorage(folder.path, Options(folder.clock, folder.path))
    for number in range(late):
        append(storage, [sample(MIDNIGHT_MS + 1 + number)])
        let_late_samples_settle(folder, storage)
    assert len(times(storage)) == late
    assert counted(storage, MINUTE_MS) >= 60
    live(folder, storage, 22)
    folder.clock.advance(5 * MINUTE_MS)
    storage.maintain()
    assert counted(storage, HOUR_MS) >= 60
    storage.close()


@pytest.mark.parametrize("tier", ["1m", "1h"])
def test_late_samples_of_a_day_make_its_damaged_points_anew(tier: str, folder: Folder) -> None:
    storage = folder.open()
    live_days(folder, storage, 2)
    storage.close()
    cut(folder, tier, "2026-11-23" if tier == "1m" else "*")
    storage = FileStorage(folder.path, Options(folder.clock, folder.path))
    append(storage, [sample(MIDNIGHT_MS + 1)])
    let_late_samples_settle(folder, storage)
    for bucket_ms in (MINUTE_MS, HOUR_MS):
        assert counted(storage, bucket_ms, 2) == 2 * 24 * 60 + 1
    storage.close()


def test_a_file_that_is_damaged_again_is_kept_as_well(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 1)
    pieces = []
    for number in range(3):
        pieces.append(cut(folder, "raw"))
        append(storage, [sample(MIDNIGHT_MS + 1 + number)])
        let_late_samples_settle(folder, storage)
    assert sorted(p.read_bytes() for p in (folder.path / "quarantine").iterdir()) == sorted(pieces)
    assert storage.lost() == Lost(3, sum(map(len, pieces)))
    storage.close()


@pytest.mark.parametrize("from_end", [12, 200, 400])
def test_a_damaged_file_of_one_server_refuses_no_post(from_end: int, folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 1)
    (file,) = folder.path.glob("tenants/*/srv_1/raw/*")
    whole = file.read_bytes()
    file.write_bytes(whole[:-from_end] + b"\xff" * 4 + whole[4 - from_end :])
    others = [sample(folder.clock.now_ms + i, "srv_2") for i in range(4)]
    done = storage.append([Batch("a", [sample(MIDNIGHT_MS)]), Batch("other", others)])
    assert [one.accepted for one in done] == [1, 4]
    storage.close()


def test_a_file_that_the_system_cannot_open_now_refuses_no_post_and_is_not_damaged(
    folder: Folder,
) -> None:
    storage = folder.open()
    live(folder, storage, 1)
    (file,) = folder.path.glob("tenants/*/srv_1/raw/*")
    elsewhere = file.rename(folder.path / "elsewhere")
    file.symlink_to(file)  # the system says ELOOP, and has seen none of its bytes
    assert append(storage, [sample(MIDNIGHT_MS)]) == 1
    with pytest.raises(StorageError, match="symbolic links"):
        live(folder, storage, 1)
    elsewhere.replace(file)
    live(folder, storage, 1)
    assert len(times(storage)) == 3 * 60
    assert storage.lost() == Lost()
    storage.close()


def test_a_damaged_parquet_file_does_not_stop_sealing(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 3)
    (file,) = folder.path.glob("tenants/*/srv_1/raw/*T01*")
    damaged = file.read_bytes()[:-100]
    file.write_bytes(damaged)
    live(folder, storage, 22)
    assert folder.files("raw") == ["2026-11-23", "2026-11-24T00"]
    (aside,) = (folder.path / "quarantine").iterdir()
    assert (aside.name, aside.read_bytes()) == ("srv_1-raw-2026-11-23T01.parquet", damaged)
    assert storage.lost() == Lost(1, len(damaged))
    assert len(times(storage)) == 24 * 60
    storage.close()


def test_a_folder_that_goes_away_is_noticed(folder: Folder) -> None:
    storage = folder.open()
    append(storage, [sample(MIDNIGHT_MS)])
    shutil.rmtree(folder.path / "journal")
    with pytest.raises(StorageError, match=str(folder.path)):
        storage.check()
    with pytest.raises(StorageError, match=str(folder.path)):
        append(storage, [sample(MIDNIGHT_MS + 1000)])
    storage.close()


# -- forgetting ---------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 2, 25])
def test_a_forgotten_server_does_not_return(hours: int, folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, hours)
    append(storage, [sample(folder.clock.now_ms), sample(folder.clock.now_ms, "srv_2")])
    storage.forget("a", "srv_1")
    for _ in range(3):
        assert times(storage) == []
        assert storage.series("a", "srv_1") == []
        assert len(times(storage, "srv_2")) == 1
        storage.close()
        folder.clock.advance(2 * HOUR_MS)
        storage = folder.open()
        storage.maintain()
    storage.close()


def test_a_server_that_returns_has_only_what_came_after(folder: Folder) -> None:
    storage = folder.open()
    append(storage, [sample(MIDNIGHT_MS)])
    storage.forget("a", "srv_1")
    again = Sample("srv_1", MIDNIGHT_MS, LAYOUT, array("d", [77.0, 1.0]))
    assert append(storage, [again, sample(MIDNIGHT_MS + 1000)]) == 2
    for _ in range(2):
        found = list(storage.samples("a", "srv_1", 0, 2**53))
        assert [one.values[0] for one in found] == [77.0, sample(MIDNIGHT_MS + 1000).values[0]]
        storage.close()
        storage = folder.open()
    storage.close()


# -- sealing ------------------------------------------------------------------


def test_the_journal_goes_once_all_of_it_is_sealed(folder: Folder) -> None:
    storage = folder.open()
    append(storage, [sample(MIDNIGHT_MS + i * 1000) for i in range(100)])
    folder.clock.now_ms = MIDNIGHT_MS + HOUR_MS + 4 * MINUTE_MS
    storage.maintain()
    assert len(folder.segments()) == 1
    folder.clock.advance(2 * MINUTE_MS)
    append(storage, [sample(folder.clock.now_ms, "srv_2")])
    storage.maintain()
    assert [int(path.stem) for path in folder.segments()] == [folder.clock.now_ms]
    assert folder.files("raw") == ["2026-11-23T00"]
    assert folder.files("1m") == ["2026-11-23"]
    assert len(times(storage)) == 100
    storage.close()


def test_a_day_that_is_over_becomes_one_file(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 24)
    assert folder.files("raw")[0] == "2026-11-23T00"
    folder.clock.advance(5 * MINUTE_MS)
    storage.maintain()
    assert folder.files("raw") == folder.files("1m") == ["2026-11-23"]
    assert folder.files("1h") == ["2026-11"]
    assert len(times(storage)) == 24 * 60
    storage.close()


def test_late_samples_are_read_at_once_and_rewrite_a_file_once_an_hour(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 3)
    (file,) = folder.path.glob("tenants/*/srv_1/raw/*T00*")
    rewritten = []
    folder.clock.advance(2 * HOUR_MS)
    for i in range(20):
        before = file.read_bytes()
        append(storage, [sample(MIDNIGHT_MS + 1000 * (i + 1))])
        assert len(times(storage)) == 3 * 60 + i + 1
        storage.maintain()
        rewritten.append(file.read_bytes() != before)
        folder.clock.advance(6 * MINUTE_MS)
    assert rewritten.count(True) == 2
    storage.close()


def test_a_sample_of_a_sealed_hour_is_a_duplicate_after_a_restart_too(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 26)
    storage.close()
    storage = folder.open()
    assert append(storage, [*hour(MIDNIGHT_MS), *hour(MIDNIGHT_MS + 24 * HOUR_MS)]) == 0
    assert append(storage, [sample(MIDNIGHT_MS + 1)]) == 1
    storage.close()


def test_a_day_whose_samples_are_gone_takes_no_late_ones(folder: Folder) -> None:
    folder.retention = Retention(raw_ms=2 * DAY_MS)
    storage = folder.open()
    live(folder, storage, 4 * 24)
    assert folder.files("raw")[0] > "2026-11-24"
    folder.clock.now_ms -= 2 * DAY_MS  # the clock was wrong
    (done,) = storage.append([Batch("a", hour(MIDNIGHT_MS + HOUR_MS))])
    assert (done.accepted, done.too_old) == (0, 60)
    storage.close()


def test_points_stay_of_a_day_that_was_cut_short_when_its_samples_go(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 3)
    storage.close()
    folder.clock.advance(10 * DAY_MS)
    storage = folder.open()
    storage.maintain()
    storage.maintain()
    assert times(storage) == []
    for bucket_ms in (MINUTE_MS, HOUR_MS):
        window = Window(MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, bucket_ms=bucket_ms)
        shown = storage.history("a", "srv_1", Wanted(("memory_used",)), window)
        assert sum(shown.series[0].points.count) == 180
    storage.close()


def test_a_full_budget_costs_the_oldest_days_one_at_a_time(folder: Folder) -> None:
    storage = folder.open()
    live(folder, storage, 3 * 24 + 1)
    sizes = sum(tier.size_bytes or 0 for tier in storage.usage().tiers)
    storage.close()
    folder.budget_bytes = sizes - 1
    storage = folder.open()
    assert folder.files("raw")[0] == "2026-11-23"
    storage.maintain()
    assert folder.files("raw")[0] == "2026-11-24"
    assert folder.files("1m")[0] == "2026-11-23"
    storage.maintain()
    assert folder.files("raw")[0] == "2026-11-24"
    storage.close()
    newest = ("2026-11-26T00", "2026-11-26", "2026-11")
    folder.budget_bytes = sum(
        file.stat().st_size for file in folder.path.glob("tenants/*/*/*/*") if file.stem in newest
    )
    storage = folder.open()
    for _ in range(20):
        storage.maintain()
    assert folder.files("raw") == ["2026-11-26T00"]  # today stays
    storage.close()


def test_a_restart_after_a_clock_s_leap_costs_no_further_step(folder: Folder) -> None:
    storage = folder.open()
    live_days(folder, storage, 3)
    storage.close()
    folder.clock.advance(10 * 365 * DAY_MS)
    for _ in range(6):
        storage = folder.open()
        storage.maintain()
        storage.close()
        folder.clock.advance(5 * MINUTE_MS)
    assert folder.files("raw") == folder.files("1m") == ["2026-11-24", "2026-11-25"]


@pytest.mark.parametrize(
    ("budget_bytes", "what"),
    [(1000, "journal alone needs"), (40_000, "journal and the newest files need")],
)
def test_a_budget_that_cannot_be_kept_costs_no_history_and_is_told(
    budget_bytes: int, what: str, folder: Folder
) -> None:
    storage = folder.open()
    live_days(folder, storage, 2)
    live(folder, storage, 3)
    append(storage, [sample(folder.clock.now_ms + i) for i in range(330)])
    storage.close()
    (segment,) = folder.segments()
    assert 1000 < segment.stat().st_size < 40_000
    before = [folder.files(tier) for tier in ("raw", "1m", "1h")]
    folder.budget_bytes = budget_bytes
    storage = folder.open()
    said = rf"disk_budget_mb: the {what} 0\.0 MB, .* raise the budget"
    for _ in range(3):
        with pytest.raises(StorageError, match=said):
            storage.maintain()
    assert [folder.files(tier) for tier in ("raw", "1m", "1h")] == before
    assert what in storage.usage().problem
    storage.close()


@pytest.mark.parametrize("interval_ms", [1000, 300_000])
def test_any_interval_is_sealed_and_read(interval_ms: int, folder: Folder) -> None:
    storage = folder.open()
    sent: list[int] = []
    for number in range(3):
        start_ms = MIDNIGHT_MS + number * HOUR_MS
        piece = [sample(time) for time in range(start_ms, start_ms + HOUR_MS, interval_ms)]
        folder.clock.now_ms = start_ms + HOUR_MS + 6 * MINUTE_MS
        append(storage, piece)
        storage.maintain()
        sent += [one.time_ms for one in piece]
    assert times(storage) == sent
    window = Window(MIDNIGHT_MS, MIDNIGHT_MS + 3 * HOUR_MS, interval_ms=interval_ms)
    shown = storage.history("a", "srv_1", Wanted(("cpu_percent_total",)), window)
    assert sum(shown.series[0].points.count) == len(sent)
    storage.close()


def test_f25_no_file_is_named_after_what_a_server_says(folder: Folder) -> None:
    storage = folder.open()
    names = ["../../evil", "con", "a\n\u2028'\"", "x" * 4096, "srv_ok", "SRV_1", ""]
    instances = Layout(tuple(Key("disk_percent", name) for name in names))
    values = array("d", range(len(names)))
    for name in names:
        storage.append([Batch(name, [Sample(name, MIDNIGHT_MS, instances, values)])])
    folder.clock.advance(2 * HOUR_MS)
    storage.maintain()
    for _ in range(2):
        for name in names:
            (found,) = storage.samples(name, name, 0, 2**53)
            assert dict(found.items()) == dict(zip(instances.keys, values, strict=True))
        storage.close()
        storage = folder.open()
    below = [path.relative_to(folder.path) for path in folder.path.glob("tenants/*/*")]
    assert len(below) == len(names)
    assert sum(path.name.startswith("x-") for path in below) == len(names) - 1
    assert not any((folder.path.parent / name).exists() for name in ("evil", "../evil"))
    storage.close()


class Traffic:
    """Sends thirty hours of samples, some of them late, while others read."""

    def __init__(self, folder: Folder, storage: FileStorage) -> None:
        self.folder, self.storage = folder, storage
        self.acknowledged = 0
        self.is_over = Event()

    def send(self) -> None:
        try:
            for number in range(30):
                self.send_hour(number)
        finally:
            self.is_over.set()

    def send_hour(self, number: int) -> None:
        start_ms = MIDNIGHT_MS + number * HOUR_MS
        self.folder.clock.now_ms = start_ms + HOUR_MS + 6 * MINUTE_MS
        late = [sample(MIDNIGHT_MS + number * 1000 + 7), sample(start_ms - 30 * MINUTE_MS + 7)]
        for piece in (hour(start_ms)[:30], late, hour(start_ms)[30:]):
            self.acknowledged += append(self.storage, piece)
        sleep(0.02)

    def read(self) -> int:
        window = Window(MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS + 2 * DAY_MS, bucket_ms=6 * HOUR_MS)
        rounds = 0
        while not self.is_over.is_set():
            before = self.acknowledged
            found = times(self.storage)
            shown = self.storage.history("a", "srv_1", Wanted(("memory_used",)), window)
            after = self.acknowledged + 30  # what is being acknowledged may be seen already
            counted = sum(sum(series.points.count) for series in shown.series)
            assert len(found) == len(set(found))
            assert before <= len(found) <= after
            assert before <= counted <= after
            rounds += 1
        return rounds

    def tidy(self) -> None:
        while not self.is_over.is_set():
            self.storage.maintain()


def test_each_sample_is_read_once_while_all_of_them_are_sealed(folder: Folder) -> None:
    storage = folder.open()
    traffic = Traffic(folder, storage)
    with ThreadPoolExecutor() as pool:
        works = [pool.submit(f) for f in (traffic.send, traffic.read, traffic.read, traffic.tidy)]
    assert [work.exception() for work in works] == [None] * 4
    assert works[1].result() > 5
    storage.maintain()  # on a slow machine the last hours came in one of its rounds
    assert len(times(storage)) == traffic.acknowledged == 30 * 62
    assert "2026-11-23" in folder.files("raw")
    storage.close()


def test_the_usage_counts_a_journal_that_is_just_being_read(folder: Folder) -> None:
    layout = Layout(tuple(Key("custom.number", str(i)) for i in range(50)))
    values = array("d", range(50))
    now_ms = folder.clock.now_ms
    storage = folder.open()
    append(storage, [Sample("srv_1", now_ms - i * 500, layout, values) for i in range(5000)])
    storage.close()
    reopened = FileStorage(folder.path, Options(folder.clock, folder.path))
    (journal, *_) = reopened.usage().tiers
    reopened.close()
    assert (journal.name, journal.value_count) == ("journal", 5000 * 50)


def let_fleets_pass(folder: Folder, storage: FileStorage, fleets: Sequence[int]) -> None:
    """Let hours pass in which as many servers report as `fleets` says."""
    for servers in fleets:
        start_ms = folder.clock.now_ms // HOUR_MS * HOUR_MS
        folder.clock.now_ms = start_ms + HOUR_MS + 11 * MINUTE_MS
        for number in range(servers):
            append(storage, hour(start_ms, f"srv_{number}"))
        storage.maintain()


def test_a_day_of_a_fleet_that_grew_is_the_newest_whole_day(folder: Folder) -> None:
    storage = folder.open()
    let_fleets_pass(folder, storage, [1] * 6)
    (_, raw, minutes, hours) = storage.usage().tiers
    (newest,) = folder.path.glob("tenants/*/srv_0/raw/2026-11-23T05.parquet")
    assert raw.day_bytes == 24 * newest.stat().st_size
    assert minutes.day_bytes == (minutes.size_bytes or 0) * 4
    assert hours.day_bytes is None
    let_fleets_pass(folder, storage, [1] * 18 + [4] * 24 + [2])
    (_, raw, minutes, hours) = storage.usage().tiers
    for tier in (raw, minutes):
        files = list(folder.path.glob(f"tenants/*/*/{tier.name}/2026-11-24.parquet"))
        assert (len(files), tier.day_bytes) == (4, sum(file.stat().st_size for file in files))
    old, new = (
        next(folder.path.glob(f"tenants/*/{server}/1h/2026-11.parquet")).stat().st_size
        for server in ("srv_0", "srv_1")
    )
    assert hours.day_bytes == old // 2 + 3 * new
    storage.close()


def test_only_numbers_that_were_reported_count_as_values(folder: Folder) -> None:
    storage = folder.open()
    append(storage, [Sample("srv_1", MIDNIGHT_MS, LAYOUT, array("d", [1.0, nan]))])
    (journal, *_) = storage.usage().tiers
    assert journal.value_count == 1
    storage.close()


def test_the_journal_s_bytes_are_of_its_sealed_samples_too(folder: Folder) -> None:
    storage = folder.open()
    folder.clock.advance(HOUR_MS + 3 * MINUTE_MS)
    append(storage, [sample(MIDNIGHT_MS + i) for i in range(1000)])
    append(storage, hour(folder.clock.now_ms, "srv_2"))
    before, *_ = storage.usage().tiers
    folder.clock.advance(3 * MINUTE_MS)
    storage.maintain()  # seals all of the one server and nothing of the other
    for _ in range(2):
        (journal, *_) = storage.usage().tiers
        assert journal.size_bytes == before.size_bytes
        assert journal.value_count == before.value_count == 1060 * 2
        assert storage.usage().servers["a", "srv_2"] < (journal.size_bytes or 0) // 10
        storage.close()
        storage = folder.open()
    storage.close()
