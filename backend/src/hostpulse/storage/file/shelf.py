"""What is known of one server: its newest samples, what only the journal has, its files."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hostpulse.report import Sample
from hostpulse.storage.file import places
from hostpulse.storage.file.journal import Segment
from hostpulse.storage.memory import CAPACITY
from hostpulse.storage.tiers import DAY_MS, HOUR_MS


@dataclass(slots=True, eq=False)
class SealedFile:
    """A Parquet file as it was written once; a rewritten one is another `SealedFile`."""

    path: Path
    start_ms: int
    end_ms: int
    size_bytes: int


Files = dict[int, SealedFile]  # by start


@dataclass(slots=True, eq=False)
class Shelf:
    """One server of one tenant.

    `pending` are, by hour, the times that are in no Parquet file yet, and the segment of each.
    All samples from `complete_from_ms` on are among `rows`.
    """

    tenant: str
    server: str
    name: bytes
    folder: Path
    rows: list[Sample] = field(default_factory=list)
    pending: dict[int, dict[int, Segment]] = field(default_factory=dict)
    hours: Files = field(default_factory=dict)
    days: Files = field(default_factory=dict)
    minute_days: Files = field(default_factory=dict)
    hour_months: Files = field(default_factory=dict)
    complete_from_ms: int = 0
    late_sealed_ms: int = 0

    def is_pending(self, time_ms: int) -> bool:
        """Tell whether the journal alone has a sample of this time."""
        times = self.pending.get(time_ms - time_ms % HOUR_MS)
        return times is not None and time_ms in times

    def note_pending(self, time_ms: int, segment: Segment) -> bool:
        """Take note of a sample of the journal; return False if there is one of its time."""
        times = self.pending.setdefault(time_ms - time_ms % HOUR_MS, {})
        if time_ms in times:
            return False
        times[time_ms] = segment
        segment.pending += 1
        return True

    def note_sealed(self, time_ms: int) -> None:
        """Take note that the pending sample of this time is in a Parquet file."""
        hour_ms = time_ms - time_ms % HOUR_MS
        self.pending[hour_ms].pop(time_ms).pending -= 1
        if not self.pending[hour_ms]:
            del self.pending[hour_ms]

    def drop_pending(self) -> None:
        """Let the journal go: nothing of this server is needed any more."""
        for times in self.pending.values():
            for segment in times.values():
                segment.pending -= 1
        self.pending.clear()

    def raw_file(self, time_ms: int) -> SealedFile | None:
        """Return the Parquet file where a sample of this time would be."""
        found = self.hours.get(time_ms - time_ms % HOUR_MS)
        return found or self.days.get(time_ms - time_ms % DAY_MS)

    def is_closed(self, time_ms: int, now_ms: int) -> bool:
        """Tell whether the samples of a day that is over are gone and only its points are kept."""
        day_ms = time_ms - time_ms % DAY_MS
        is_over = day_ms + DAY_MS <= now_ms
        return is_over and day_ms in self.minute_days and not self.has_raw(day_ms)

    def has_raw(self, day_ms: int) -> bool:
        """Tell whether a Parquet file has samples of this day."""
        if day_ms in self.days:
            return True
        return any(hour_ms in self.hours for hour_ms in range(day_ms, day_ms + DAY_MS, HOUR_MS))

    def unmerged_days(self) -> set[int]:
        """Return the days whose samples are in files of an hour and not yet in the day's."""
        return {hour_ms - hour_ms % DAY_MS for hour_ms in list(self.hours)}

    def days_without_minutes(self) -> set[int]:
        """Return the days that have files of samples, but lost that of their points of a minute."""
        return {*list(self.days), *self.unmerged_days()} - {*list(self.minute_days)}

    def months_without_hours(self) -> set[int]:
        """Return the months that have points of a minute, but lost those of an hour."""
        merged = {*list(self.minute_days)} - self.unmerged_days()
        return {places.month_start(day_ms) for day_ms in merged} - {*list(self.hour_months)}

    def tier(self, number: int) -> list[SealedFile]:
        """Return the files of a tier: 0 samples, 1 points of a minute, 2 of an hour."""
        tiers = ((self.days, self.hours), (self.minute_days,), (self.hour_months,))
        return [file for files in tiers[number] for file in list(files.values())]

    def files(self) -> list[SealedFile]:
        """Return the files of all tiers."""
        return [*self.tier(0), *self.tier(1), *self.tier(2)]

    def drop_files(self, files: Iterable[SealedFile]) -> None:
        """Take note that these files are no more."""
        for known in (self.days, self.hours, self.minute_days, self.hour_months):
            for file in files:
                if known.get(file.start_ms) is file:
                    del known[file.start_ms]

    def drop_rows(self, end_ms: int) -> None:
        """Let sealed rows before `end_ms` go."""
        rows = self.rows[: bisect_left(self.rows, end_ms, key=_time)]
        self.rows[: len(rows)] = [row for row in rows if self.is_pending(row.time_ms)]

    def put(self, sample: Sample) -> None:
        """Put a sample in its place among `rows`, unless there is one of its time."""
        rows = self.rows
        if not rows or sample.time_ms > rows[-1].time_ms:
            rows.append(sample)
            return
        place = bisect_left(rows, sample.time_ms, key=_time)
        if rows[place].time_ms != sample.time_ms:
            rows.insert(place, sample)

    def between(self, start_ms: int, end_ms: int) -> list[Sample]:
        """Return the rows with `start_ms` ≤ time < `end_ms`."""
        left = bisect_left(self.rows, start_ms, key=_time)
        right = bisect_left(self.rows, end_ms, key=_time)
        return self.rows[left:right]

    def pending_rows(self) -> list[Sample]:
        """Return the rows that are in no Parquet file yet."""
        return [row for row in self.rows if self.is_pending(row.time_ms)]

    def trim(self) -> None:
        """Let rows go that Parquet files have, but for the newest."""
        newest = self.rows[-CAPACITY:]
        keep_from_ms = max(self.complete_from_ms, newest[0].time_ms if newest else 0)
        dropped = self.rows[: len(self.rows) - len(newest)]
        held = [row for row in dropped if self.is_pending(row.time_ms)]
        stay = [
            row for row in newest if row.time_ms >= keep_from_ms or self.is_pending(row.time_ms)
        ]
        if len(held) < len(dropped) or len(stay) < len(newest):
            self.complete_from_ms = keep_from_ms
            self.rows = held + stay


def _time(row: Sample) -> int:
    return row.time_ms
