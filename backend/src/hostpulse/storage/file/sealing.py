"""Moves samples from the journal into Parquet files, and folds them into points.

Every step can be the last: files are replaced whole, raw before points, and the journal lets
samples go only when all files have them. What is done twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from threading import Lock
from typing import NamedTuple

from hostpulse.report import Sample
from hostpulse.storage import StorageError
from hostpulse.storage.file import places
from hostpulse.storage.file.damage import Damage
from hostpulse.storage.file.durable import make_folder, sync_folder, told_in_words, write_file
from hostpulse.storage.file.parquet import content
from hostpulse.storage.file.places import Owner
from hostpulse.storage.file.recovery import Shelves
from hostpulse.storage.file.shelf import Files, SealedFile, Shelf
from hostpulse.storage.grid import FOLDED_PLANES, Grid, folded, fuller, merged, of_samples
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS, Tier

SETTLE_MS = 5 * MINUTE_MS  # an hour's last samples are on their way for a while
MERGE_MS = 10 * MINUTE_MS
_NOTHING = of_samples(())


class _Place(NamedTuple):
    """Where a file goes and the time it is for."""

    tier: str
    name: str
    start_ms: int
    end_ms: int


class Sealing:
    """Seals hours, merges days; `files_lock` is held while files change."""

    def __init__(
        self,
        shelves: Shelves,
        damage: Damage,
        tiers: Sequence[Tier],
    ) -> None:
        self._shelves = shelves
        self._damage = damage
        self._tiers = tiers
        self.files_lock = Lock()

    def run(self, now_ms: int) -> None:
        """Do what is due, a server at a time; raises StorageError once the others are done."""
        failures = []
        for shelf in self._shelves.all():
            try:
                with told_in_words(f"Cannot seal samples in {shelf.folder}"):
                    self._seal(shelf, now_ms)
            except StorageError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    # -- sealing ----------------------------------------------------------

    def _seal(self, shelf: Shelf, now_ms: int) -> None:
        with self._shelves.lock:
            days = sorted({_day(hour) for hour in shelf.hours})
            merge = [day for day in days if day + DAY_MS + MERGE_MS <= now_ms]
            due = _due(shelf, now_ms)
            minutes, months = self._lost_points(shelf, now_ms)
        if merge or due or minutes or months:
            with self.files_lock:
                if self._shelves.get(shelf.tenant, shelf.server) is not shelf:
                    return  # forgotten meanwhile
                for day_ms in merge:
                    self._merge_day(shelf, day_ms)
                self._seal_hours(shelf, due)
                for day_ms in minutes:
                    self._minutes(shelf, day_ms)
                for month_ms in months:
                    self._fold_hours(shelf, month_ms, _NOTHING)
                with self._shelves.lock:
                    shelf.trim()

    def _lost_points(self, shelf: Shelf, now_ms: int) -> tuple[list[int], list[int]]:
        """Return the days and months whose points are lost and are to be made anew."""
        _, minutes, hours = self._tiers
        return (
            [day_ms for day_ms in sorted(shelf.days_without_minutes())
             if _minutes_of(day_ms).end_ms > now_ms - minutes.keep_ms],
            [month_ms for month_ms in sorted(shelf.months_without_hours())
             if _month_of(month_ms).end_ms > now_ms - hours.keep_ms],
        )  # fmt: skip

    def _seal_hours(self, shelf: Shelf, hours: Sequence[int]) -> None:
        for day_ms, of_day in groupby(hours, key=_day):
            self._seal_hours_of(shelf, day_ms, list(of_day))

    def _seal_hours_of(self, shelf: Shelf, day_ms: int, hours: Sequence[int]) -> None:
        """Put the samples of hours of one day into its files and fold them anew."""
        is_merged = day_ms in shelf.days
        spans = [(day_ms, DAY_MS)] if is_merged else [(hour, HOUR_MS) for hour in hours]
        raw: list[SealedFile] = []
        points: list[Grid] = []
        sealed: list[Sample] = []
        for start_ms, length_ms in spans:
            with self._shelves.lock:
                rows = shelf.between(start_ms, start_ms + length_ms)
            if not rows:
                continue  # they could not be loaded and stay in the journal
            file, grid = self._write_raw(shelf, start_ms, start_ms + length_ms, rows)
            raw.append(file)
            sealed += rows
            points += [folded(grid.between(at, at + HOUR_MS), MINUTE_MS) for at in hours
                       if start_ms <= at < start_ms + length_ms]  # fmt: skip
        if not raw:
            return
        with self._shelves.lock:
            (shelf.days if is_merged else shelf.hours).update({one.start_ms: one for one in raw})
        minutes = self._fold_minutes(shelf, day_ms, merged(points, len(FOLDED_PLANES)))
        if is_merged:
            self._fold_hours(shelf, day_ms, minutes)
        with self._shelves.lock:
            for row in sealed:
                if row.time_ms - row.time_ms % HOUR_MS in hours and shelf.is_pending(row.time_ms):
                    shelf.note_sealed(row.time_ms)

    def _write_raw(
        self, shelf: Shelf, start_ms: int, end_ms: int, rows: Sequence[Sample]
    ) -> tuple[SealedFile, Grid]:
        is_hour = end_ms - start_ms == HOUR_MS
        old = (shelf.hours if is_hour else shelf.days).get(start_ms)
        sealed = self._damage.whole(shelf, old) if old else _NOTHING
        grid = merged([sealed, of_samples(rows)])
        if old and len(grid.times) == len(sealed.times):
            return old, grid
        name = places.hour_name(start_ms) if is_hour else places.day_name(start_ms)
        return _write(shelf, _Place(places.RAW, name, start_ms, end_ms), grid), grid

    def _fold_minutes(self, shelf: Shelf, day_ms: int, fresh: Grid) -> Grid:
        """Bring points of a minute into the file of their day; return all of it.

        One that is lost is made anew of all samples of the day.
        """
        points = self._points(shelf, shelf.minute_days.get(day_ms))
        if not len(points.times):
            raw = merged([self._damage.whole(shelf, file) for file in _raw_files(shelf, day_ms)])
            points = folded(raw, MINUTE_MS)
        return self._keep_points(shelf, shelf.minute_days, _minutes_of(day_ms), points, fresh)

    def _fold_hours(self, shelf: Shelf, time_ms: int, minutes: Grid) -> None:
        """Bring points of an hour, folded from `minutes`, into the file of the month.

        One that is lost is made anew of all minutes of its days.
        """
        place = _month_of(time_ms)
        points = self._points(shelf, shelf.hour_months.get(place.start_ms))
        if not len(points.times):
            days = [
                file
                for day_ms, file in sorted(shelf.minute_days.items())
                if place.start_ms <= day_ms < place.end_ms and day_ms not in shelf.unmerged_days()
            ]
            found = [self._damage.whole(shelf, file) for file in days]
            points = folded(merged(found, len(FOLDED_PLANES)), HOUR_MS)
        fresh = folded(minutes, HOUR_MS)
        self._keep_points(shelf, shelf.hour_months, place, points, fresh)

    def _points(self, shelf: Shelf, file: SealedFile | None) -> Grid:
        return self._damage.whole(shelf, file) if file else _NOTHING

    def _keep_points(
        self, shelf: Shelf, files: Files, place: _Place, old: Grid, fresh: Grid
    ) -> Grid:
        points = fuller(old, fresh)
        if len(points.times):
            file = _write(shelf, place, points)
            with self._shelves.lock:
                files[place.start_ms] = file
        return points

    def _minutes(self, shelf: Shelf, day_ms: int) -> Grid:
        """Return a day's points of a minute, made anew where they are lost."""
        points = self._points(shelf, shelf.minute_days.get(day_ms))
        return points if len(points.times) else self._fold_minutes(shelf, day_ms, _NOTHING)

    def _merge_day(self, shelf: Shelf, day_ms: int) -> None:
        """Make one file of the hours of a day that is over, and its points of an hour."""
        files = _raw_files(shelf, day_ms)
        raw = merged([self._damage.whole(shelf, file) for file in files])
        self._fold_hours(shelf, day_ms, self._minutes(shelf, day_ms))
        day = None
        if len(raw.times):
            place = _Place(places.RAW, places.day_name(day_ms), day_ms, day_ms + DAY_MS)
            day = _write(shelf, place, raw)
        with self._shelves.lock:
            shelf.drop_files(files)
            if day is not None:
                shelf.days[day_ms] = day
        remove([file for file in files if day is None or file.path != day.path])

    def finish(self, shelf: Shelf, end_ms: int) -> None:
        """Bring all samples before `end_ms` into files and points: they are about to be dropped.

        Called with `files_lock` held. What is folded once is never folded from fewer samples.
        """
        self.merge_days(shelf, end_ms)
        with self._shelves.lock:
            late = sorted(hour for hour in shelf.pending if hour < end_ms)
        self._seal_hours(shelf, late)

    def merge_days(self, shelf: Shelf, end_ms: int) -> None:
        """Make one file of each day before `end_ms`, and its points of an hour."""
        for day_ms in sorted(shelf.unmerged_days()):
            if day_ms + DAY_MS <= end_ms:
                self._merge_day(shelf, day_ms)


def _due(shelf: Shelf, now_ms: int) -> list[int]:
    """Return the hours to seal: those that are over, but late samples once an hour at most."""
    over = sorted(hour for hour in shelf.pending if hour + HOUR_MS + SETTLE_MS <= now_ms)
    late = [hour for hour in over if shelf.raw_file(hour) is not None]
    if late and len(late) == len(over) and abs(now_ms - shelf.late_sealed_ms) < HOUR_MS:
        return []
    if late:
        shelf.late_sealed_ms = now_ms
    return over


def _raw_files(shelf: Shelf, day_ms: int) -> list[SealedFile]:
    """Return the files of the samples of a day, those of its hours first."""
    hours = [file for start, file in sorted(shelf.hours.items()) if _day(start) == day_ms]
    return [*hours, shelf.days[day_ms]] if day_ms in shelf.days else hours


def _day(time_ms: int) -> int:
    return time_ms - time_ms % DAY_MS


def _minutes_of(day_ms: int) -> _Place:
    return _Place(places.MINUTE, places.day_name(day_ms), day_ms, day_ms + DAY_MS)


def _month_of(time_ms: int) -> _Place:
    start_ms = places.month_start(time_ms)
    end_ms = places.month_start(start_ms + 31 * DAY_MS)
    return _Place(places.HOUR, places.month_name(start_ms), start_ms, end_ms)


def _write(shelf: Shelf, place: _Place, grid: Grid) -> SealedFile:
    owner = Owner(shelf.tenant, shelf.server)
    places.make_server_folder(shelf.folder, owner)
    folder = shelf.folder / place.tier
    make_folder(folder)
    data = content(grid, owner)
    write_file(folder / place.name, data)
    return SealedFile(folder / place.name, place.start_ms, place.end_ms, len(data))


def remove(files: Sequence[SealedFile]) -> None:
    """Delete files, durably."""
    folders = {file.path.parent for file in files}
    for file in files:
        file.path.unlink(missing_ok=True)
    for folder in folders:
        sync_folder(folder)
