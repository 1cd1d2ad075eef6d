"""A crash after any step of sealing leaves each sample readable once, and sealing goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from math import isnan
from pathlib import Path

from hostpulse.report import Key
from hostpulse.storage import Batch, Wanted, Window
from hostpulse.storage.file import FileStorage
from hostpulse.storage.series import build
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS

from tests.faults import file_child
from tests.faults.file_child import CRASHED, open_at, sample

MIDNIGHT_MS = 1_795_392_000_000  # 2026-11-23T00:00:00Z
SECOND_DAY_MS = MIDNIGHT_MS + DAY_MS
LATER_MS = SECOND_DAY_MS + 28 * HOUR_MS
CPU = Key("cpu_percent_total")
MANY = 500


def every_minute(start_ms: int, offset_ms: int = 0) -> list[int]:
    return [start_ms + offset_ms + i * MINUTE_MS for i in range(60)]


def keep(folder: Path, now_ms: int, times: Iterable[int], server: str = "srv_1") -> None:
    """Append at a time, do the upkeep of that time, and end."""
    storage = open_at(folder, now_ms)
    storage.append([Batch("a", [sample(time_ms, server) for time_ms in times])])
    file_child.wait_until_loaded(storage)
    storage.maintain()
    storage.close()


def prepare(folder: Path) -> list[int]:
    """Fill a folder with every state a sample can be in; return the times of all samples."""
    merged_day = [*every_minute(MIDNIGHT_MS), *every_minute(MIDNIGHT_MS + 23 * HOUR_MS)]
    keep(folder, MIDNIGHT_MS + DAY_MS + 6 * MINUTE_MS, merged_day)
    keep(folder, MIDNIGHT_MS + DAY_MS + 11 * MINUTE_MS, [])
    hours = every_minute(SECOND_DAY_MS) + every_minute(SECOND_DAY_MS + HOUR_MS)
    keep(folder, SECOND_DAY_MS + 2 * HOUR_MS + 6 * MINUTE_MS, hours)
    assert [file.name for file in sorted(folder.glob("tenants/*/srv_1/raw/*"))] == [
        "2026-11-23.parquet", "2026-11-24T00.parquet", "2026-11-24T01.parquet",
    ]  # fmt: skip
    late = [
        *every_minute(MIDNIGHT_MS, 7),  # of a sealed hour of a merged day
        *every_minute(MIDNIGHT_MS + 5 * HOUR_MS),  # of another hour of it
        *every_minute(SECOND_DAY_MS, 7),  # of a sealed hour that is to be merged
        *every_minute(SECOND_DAY_MS + 3 * HOUR_MS),  # of an hour that is not sealed
    ]
    storage = open_at(folder, SECOND_DAY_MS + 2 * HOUR_MS + 6 * MINUTE_MS)
    storage.append([Batch("a", [sample(time_ms) for time_ms in late])])
    storage.append([Batch("a", [sample(MIDNIGHT_MS, "srv_2")])])
    storage.forget("a", "srv_2")
    storage.close()
    return sorted([*merged_day, *hours, *late])


def check_readable_once(storage: FileStorage, times: list[int]) -> None:
    found = list(storage.samples("a", "srv_1", 0, 2**53))
    assert [one.time_ms for one in found] == times
    for one in found:
        assert dict(one.items()) == dict(sample(one.time_ms).items())
    for window in (
        Window(MIDNIGHT_MS, LATER_MS, bucket_ms=MINUTE_MS),
        Window(MIDNIGHT_MS, LATER_MS, bucket_ms=6 * HOUR_MS),
    ):
        shown = storage.history("a", "srv_1", Wanted((CPU.metric,)), window)
        wanted = build(times, {CPU: [sample(time_ms).values[0] for time_ms in times]}, window)
        assert shown.series[0].points.count == wanted.series[0].points.count
        assert shown.series[0].points.last[0] == wanted.series[0].points.last[0]
        means = zip(shown.series[0].points.mean, wanted.series[0].points.mean, strict=True)
        assert all(abs(a - b) < 0.001 or (isnan(a) and isnan(b)) for a, b in means)
    assert storage.series("a", "srv_2") == []


def crash(prepared: Path, folder: Path, step: int) -> bool:
    """Let a process seal a copy until it dies at a step; return False if it came to an end."""
    shutil.copytree(prepared, folder)
    line = [sys.executable, file_child.__file__, "seal", str(folder), str(LATER_MS), str(step)]
    done = subprocess.run(line, capture_output=True, timeout=100, check=False)
    assert done.returncode in (0, CRASHED), done.stderr.decode()
    return done.returncode == CRASHED


def test_a_crash_after_any_step_of_sealing_costs_nothing(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    times = prepare(prepared)

    def crash_at(step: int) -> bool:
        folder = tmp_path / str(step)
        crashed = crash(prepared, folder, step)
        storage = open_at(folder, LATER_MS)
        check_readable_once(storage, times)
        storage.maintain()
        storage.maintain()
        check_readable_once(storage, times)
        assert list((folder / "journal").iterdir()) == []
        storage.close()
        again = open_at(folder, LATER_MS)
        check_readable_once(again, times)
        again.close()
        shutil.rmtree(folder)
        return crashed

    with ThreadPoolExecutor(2) as pool:
        crashes = 0
        for first in range(1, MANY, 2):
            died = list(pool.map(crash_at, (first, first + 1)))
            crashes += sum(died)
            if not all(died):
                break
    assert crashes > 25, "sealing has fewer steps than this test was made for"
