"""Numbers of one server as matrices: merging, cutting and folding them at the speed of C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from hostpulse.report import Key, Sample
from hostpulse.storage.series import Columns, History, Series, Wanted, Window, bucket_starts

Times = NDArray[np.int64]
Floats = NDArray[np.float64]
Edges = NDArray[np.intp]

FOLDED_PLANES = ("mean", "min", "max", "last", "count")
_COUNT = FOLDED_PLANES.index("count")
_layout, _values = attrgetter("layout"), attrgetter("values")


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Numbers at ascending `times` for each of `keys`; `planes[plane, time, key]`, NaN is absent.

    Samples have one plane, folded points the five of `FOLDED_PLANES`.
    """

    times: Times
    keys: tuple[Key, ...]
    planes: Floats

    def between(self, start_ms: int, end_ms: int) -> Grid:
        """Return what is at `start_ms` ≤ time < `end_ms`."""
        left, right = np.searchsorted(self.times, (start_ms, end_ms))
        return Grid(self.times[left:right], self.keys, self.planes[:, left:right])


def of_samples(rows: Sequence[Sample], wanted: Wanted | None = None) -> Grid:
    """Return the wanted keys, or all, of samples in order of time."""
    runs = [(layout, list(map(_values, run))) for layout, run in groupby(rows, _layout)]
    layouts = dict.fromkeys(layout for layout, _ in runs)
    keys = tuple(
        dict.fromkeys(
            key for layout in layouts for key in layout.keys if wanted is None or key in wanted
        )
    )
    values = np.full((len(rows), len(keys)), np.nan)
    at = 0
    for layout, run in runs:
        block = np.frombuffer(b"".join(run)).reshape(len(run), -1)
        known = [(i, layout.index[key]) for i, key in enumerate(keys) if key in layout.index]
        values[at : at + len(run), [i for i, _ in known]] = block[:, [i for _, i in known]]
        at += len(run)
    return Grid(times_of(rows), keys, values[np.newaxis])


def times_of(rows: Sequence[Sample]) -> Times:
    """Return the times of samples."""
    return np.array([row.time_ms for row in rows], np.int64)


def merged(grids: Sequence[Grid], planes: int = 1) -> Grid:
    """Return all points of the grids once; of two at the same time that of the earlier grid."""
    grids = [grid for grid in grids if len(grid.times)]
    if len(grids) == 1:
        return grids[0]
    keys = tuple(dict.fromkeys(key for grid in grids for key in grid.keys))
    place = {key: i for i, key in enumerate(keys)}
    times = np.concatenate([np.empty(0, np.int64), *(grid.times for grid in grids)])
    numbers = np.full((planes, len(times), len(keys)), np.nan)
    at = 0
    for grid in grids:
        end = at + len(grid.times)
        numbers[:, at:end, [place[key] for key in grid.keys]] = grid.planes
        at = end
    if np.any(times[1:] <= times[:-1]):
        times, first = np.unique(times, return_index=True)
        numbers = numbers[:, first]
    return Grid(times, keys, numbers)


def fuller(old: Grid, fresh: Grid) -> Grid:
    """Return all points of both; of two at the same time the one that more values were folded to.

    Of the same samples that is the old one; a fold of fewer never takes its place.
    """
    if not (len(old.times) and len(fresh.times)):
        return old if len(old.times) else fresh
    _, at, fresh_at = np.intersect1d(old.times, fresh.times, True, return_indices=True)
    stays = np.ones(len(old.times), np.bool_)
    stays[at] = _value_counts(old)[at] >= _value_counts(fresh)[fresh_at]
    kept = Grid(old.times[stays], old.keys, old.planes[:, stays])
    return merged([kept, fresh], len(FOLDED_PLANES))


def _value_counts(points: Grid) -> Floats:
    counts: Floats = np.nansum(points.planes[_COUNT], axis=1)
    return counts


def as_points(grid: Grid) -> Grid:
    """Take each sample for a point of its own; points stay what they are."""
    if len(grid.planes) == len(FOLDED_PLANES):
        return grid
    return Grid(grid.times, grid.keys, np.stack(_as_points(grid.planes)))


def folded(grid: Grid, step_ms: int) -> Grid:
    """Fold samples or points into one point for each `step_ms` that has any, stamped at its start.

    What `series.fold` does for one key, for all of them at once.
    """
    if not len(grid.times):
        return Grid(grid.times, grid.keys, np.empty((len(FOLDED_PLANES), 0, len(grid.keys))))
    stamps = grid.times - grid.times % step_ms
    edges = np.flatnonzero(np.diff(stamps, prepend=stamps[0] - 1))
    is_whole = len(grid.planes) == 1 and not np.isnan(grid.planes[0]).any()
    planes = (_folded_whole if is_whole else _folded_known)(grid.planes, edges)
    return Grid(stamps[edges], grid.keys, planes)


def _folded_whole(planes: Floats, edges: Edges) -> Floats:
    """Fold samples none of which is absent: most are so, and it takes a fraction of the time."""
    values = planes[0]
    ends = np.append(edges[1:], len(values))
    points = np.empty((len(FOLDED_PLANES), len(edges), values.shape[1]))
    mean, low, high, last, count = points
    count[:] = (ends - edges)[:, np.newaxis]
    np.minimum.reduceat(values, edges, out=low)
    np.maximum.reduceat(values, edges, out=high)
    np.divide(np.add.reduceat(values, edges), count, out=mean)
    np.clip(mean, low, high, out=mean)  # a sum can be off by a hair
    last[:] = values[ends - 1]
    return points


def _folded_known(planes: Floats, edges: Edges) -> Floats:
    mean, low, high, last, count = _as_points(planes)
    counts = np.add.reduceat(count, edges)
    totals = np.add.reduceat(np.where(count > 0, mean * count, 0.0), edges)
    lows, highs = np.fmin.reduceat(low, edges), np.fmax.reduceat(high, edges)
    with np.errstate(invalid="ignore"):
        means = np.clip(totals / counts, lows, highs)
    return np.stack([means, lows, highs, _last_known(last, edges), counts])


def bucketed(grid: Grid, window: Window) -> History:
    """Make a history of buckets, as `series.build` does, of samples or points in the window."""
    starts = bucket_starts(window)
    points = folded(grid, window.step_ms)
    places = (points.times - starts[0]) // window.step_ms
    series = []
    for i, key in enumerate(points.keys):
        known = points.planes[_COUNT, :, i] > 0
        if known.any():
            columns = np.full((len(FOLDED_PLANES), len(starts)), np.nan)
            columns[_COUNT] = 0
            columns[:, places[known]] = points.planes[:, known, i]
            count = columns[_COUNT].astype(np.int64).tolist()
            mean, low, high, last = columns[:_COUNT].tolist()
            series.append(Series(key, Columns(mean, low, high, last, count)))
    return History(window.start_ms, window.end_ms, window.step_ms, False, starts, series)


def _as_points(planes: Floats) -> Sequence[Floats]:
    if len(planes) == len(FOLDED_PLANES):
        count = np.nan_to_num(planes[_COUNT])
        return (*planes[:_COUNT], count)
    values = planes[0]
    return values, values, values, values, (~np.isnan(values)).astype(np.float64)


def _last_known(values: Floats, edges: Edges) -> Floats:
    rows = np.arange(len(values))[:, np.newaxis]
    known = np.maximum.reduceat(np.where(np.isnan(values), -1, rows), edges)
    found = np.take_along_axis(values, np.maximum(known, 0), axis=0)
    return np.where(known < 0, np.nan, found)
