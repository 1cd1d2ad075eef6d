"""Answers questions from memory and from Parquet files, each sample once."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import History, StorageError, Wanted, Window
from hostpulse.storage.file import places
from hostpulse.storage.file.archive import Archive
from hostpulse.storage.file.durable import in_words
from hostpulse.storage.file.parquet import Damaged
from hostpulse.storage.file.recovery import Shelves
from hostpulse.storage.file.shelf import SealedFile, Shelf
from hostpulse.storage.grid import (
    FOLDED_PLANES,
    Grid,
    bucketed,
    folded,
    merged,
    of_samples,
    times_of,
)
from hostpulse.storage.series import build
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS, Choice

_ATTEMPTS = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Raw:
    """Where the samples of a time lie at one moment: rows of memory, and files that may overlap."""

    rows: list[Sample]
    files: list[SealedFile]


class Reading:
    """Reads samples and points, past files that are damaged.

    `look_again` learns anew which files a server has, `set_aside` takes a damaged one from it and
    returns False if it was not.
    """

    def __init__(
        self,
        shelves: Shelves,
        archive: Archive,
        look_again: Callable[[Shelf], None],
        set_aside: Callable[[Shelf, Path], bool],
    ) -> None:
        self._shelves = shelves
        self._archive = archive
        self._look_again = look_again
        self._set_aside = set_aside

    def history(self, shelf: Shelf, wanted: Wanted, window: Window, choice: Choice) -> History:
        """Answer `window`, in the way that was chosen."""
        return self._retried(shelf, lambda: self._history(shelf, wanted, window, choice))

    def value_count(self, shelf: Shelf, tier: int) -> int:
        """Return how many numbers the files of a tier have."""
        return self._retried(shelf, lambda: sum(map(self._archive.value_count, shelf.tier(tier))))

    def point_count(self, file: SealedFile) -> int:
        """Return how many points a file has, 0 where that cannot be told."""
        try:
            return len(self._archive.times(file))
        except (OSError, Damaged):
            return 0

    def keys(self, shelf: Shelf) -> list[Key]:
        """Return every key that the files of a server have."""
        return self._retried(shelf, lambda: self._keys(shelf))

    def samples(self, shelf: Shelf, start_ms: int, end_ms: int) -> Iterator[Sample]:
        """Yield the samples with `start_ms` ≤ time < `end_ms`, reading a day at a time."""
        for day_ms in self._days(shelf):
            left, right = max(start_ms, day_ms), min(end_ms, day_ms + DAY_MS)
            if left < right:
                yield from self._retried(shelf, partial(self._samples, shelf, left, right))

    def _retried(self, shelf: Shelf, read: Callable[[], T]) -> T:
        failures = 0
        while failures < _ATTEMPTS:
            try:
                return read()
            except FileNotFoundError:  # sealed anew meanwhile, or taken away by somebody
                failures += 1
                self._look_again(shelf)
            except OSError as error:
                raise in_words(f"Cannot read the files in {shelf.folder}", error) from error
            except Damaged as error:
                failures += not self._set_aside(shelf, error.path)
        raise StorageError(
            f"Files go missing in {shelf.folder}; let nobody else tidy it, and ask again."
        )

    def _history(self, shelf: Shelf, wanted: Wanted, window: Window, choice: Choice) -> History:
        raw = self._raw(shelf, window.start_ms, window.end_ms)
        if choice.raw_may_do and self._is_few(raw, window):
            grid = self._grid(raw, wanted).between(window.start_ms, window.end_ms)
            return build(grid.times.tolist(), _lists(grid), window)
        if not choice.tier.step_ms or window.start_ms >= shelf.complete_from_ms:
            grid = self._grid(raw, wanted).between(window.start_ms, window.end_ms)
        else:
            grid = self._mixed(shelf, wanted, window, choice.tier.step_ms)
        return bucketed(grid, choice.window)

    def _raw(self, shelf: Shelf, start_ms: int, end_ms: int) -> _Raw:
        with self._shelves.lock:
            rows = shelf.between(start_ms, end_ms)
            files: list[SealedFile] = []
            if start_ms < shelf.complete_from_ms:
                sealed = (*shelf.days.values(), *shelf.hours.values())
                files = _overlapping(sealed, start_ms, min(end_ms, shelf.complete_from_ms))
        return _Raw(rows, files)

    def _is_few(self, raw: _Raw, window: Window) -> bool:
        """Tell whether a window has no more samples than it may have points."""
        if not raw.files or len(raw.rows) > window.points:
            return len(raw.rows) <= window.points
        times = times_of(raw.rows)
        for file in raw.files:
            if len(times) > window.points:
                return False
            found = self._archive.times(file)
            left, right = np.searchsorted(found, (window.start_ms, window.end_ms))
            times = np.union1d(times, found[left:right])
        return len(times) <= window.points

    def _grid(self, raw: _Raw, wanted: Wanted) -> Grid:
        grids = [self._archive.grid(file, wanted) for file in raw.files]
        return merged([*grids, of_samples(raw.rows, wanted)])

    def _mixed(self, shelf: Shelf, wanted: Wanted, window: Window, step_ms: int) -> Grid:
        """Return the points of a window, made of samples for the hours that are not sealed."""
        start_ms = window.start_ms - window.start_ms % step_ms
        end_ms = -(-window.end_ms // step_ms) * step_ms
        with self._shelves.lock:
            unsealed = sorted(
                hour
                for hour in {*shelf.pending, *self._unfolded(shelf, step_ms)}
                if start_ms - HOUR_MS < hour < end_ms
            )
            raws = [self._unsealed(shelf, hour, hour + HOUR_MS) for hour in unsealed]
            files = self._point_files(shelf, start_ms, end_ms, step_ms)
        points = self._points(files, wanted, step_ms)
        sealed = np.isin(points.times - points.times % HOUR_MS, unsealed, invert=True)
        grids = [Grid(points.times[sealed], points.keys, points.planes[:, sealed])]
        for hour, raw in zip(unsealed, raws, strict=True):
            samples = self._grid(raw, wanted).between(hour, hour + HOUR_MS)
            grids.append(folded(samples, step_ms))
        return merged(grids, len(FOLDED_PLANES)).between(start_ms, end_ms)

    @staticmethod
    def _unsealed(shelf: Shelf, start_ms: int, end_ms: int) -> _Raw:
        sealed = (*shelf.days.values(), *shelf.hours.values())
        return _Raw(shelf.between(start_ms, end_ms), _overlapping(sealed, start_ms, end_ms))

    @staticmethod
    def _unfolded(shelf: Shelf, step_ms: int) -> set[int]:
        """Return the hours whose points are lost and can be made of their samples."""
        days = shelf.days_without_minutes()
        if step_ms != MINUTE_MS:
            unmerged = shelf.unmerged_days()
            months = shelf.hour_months
            days = {day for day in days if day in unmerged or places.month_start(day) not in months}
        return {hour for day in days for hour in range(day, day + DAY_MS, HOUR_MS)}

    @staticmethod
    def _point_files(
        shelf: Shelf, start_ms: int, end_ms: int, step_ms: int
    ) -> list[tuple[SealedFile, int]]:
        """Return the files that have the points, with the length of the points in each."""
        minutes = _overlapping(shelf.minute_days.values(), start_ms, end_ms)
        if step_ms == MINUTE_MS:
            return [(file, MINUTE_MS) for file in minutes]
        unmerged, lost = shelf.unmerged_days(), shelf.months_without_hours()
        alone = [
            (file, MINUTE_MS)
            for file in minutes
            if file.start_ms in unmerged or places.month_start(file.start_ms) in lost
        ]
        months = _overlapping(shelf.hour_months.values(), start_ms, end_ms)
        return [*alone, *((file, HOUR_MS) for file in months)]

    def _points(
        self, files: Iterable[tuple[SealedFile, int]], wanted: Wanted, step_ms: int
    ) -> Grid:
        grids = []
        for file, length_ms in files:
            grid = self._archive.grid(file, wanted)
            grids.append(grid if length_ms == step_ms else folded(grid, step_ms))
        return merged(grids, len(FOLDED_PLANES))

    def _keys(self, shelf: Shelf) -> list[Key]:
        with self._shelves.lock:
            tiers = (shelf.hours, shelf.days, shelf.minute_days, shelf.hour_months)
            files = [file for tier in tiers for _, file in sorted(tier.items(), reverse=True)]
        return list(dict.fromkeys(key for file in files for key in self._archive.keys(file)))

    def _days(self, shelf: Shelf) -> list[int]:
        with self._shelves.lock:
            times = [row.time_ms for row in shelf.rows]
            starts = [*shelf.days, *shelf.hours]
        return sorted({time_ms - time_ms % DAY_MS for time_ms in (*times, *starts)})

    def _samples(self, shelf: Shelf, start_ms: int, end_ms: int) -> list[Sample]:
        raw = self._raw(shelf, start_ms, end_ms)
        if not raw.files:
            return raw.rows
        grids = [self._archive.whole(file) for file in raw.files]
        grid = merged([*grids, of_samples(raw.rows)]).between(start_ms, end_ms)
        layout = Layout(grid.keys)
        return [
            Sample(shelf.server, time_ms, layout, array("d", values.tobytes()))
            for time_ms, values in zip(grid.times.tolist(), grid.planes[0], strict=True)
        ]


def _overlapping(files: Iterable[SealedFile], start_ms: int, end_ms: int) -> list[SealedFile]:
    return [file for file in files if file.start_ms < end_ms and file.end_ms > start_ms]


def _lists(grid: Grid) -> dict[Key, list[float]]:
    return {key: grid.planes[0, :, i].tolist() for i, key in enumerate(grid.keys)}
