"""Points of many keys as matrices, and their fold into longer ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hostpulse.report import Key, Layout
from hostpulse.storage.postgres.wire import Doubles, Wholes
from hostpulse.storage.series import Columns, History, Series, Window, bucket_starts

MOST_KEYS = 10_000
"""Of one roll-up: a server whose names change all the time has no more than that."""

PARTS = ("mean", "min", "max", "last", "count")


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one server: a row for each time (ascending), a column for each key."""

    times: Wholes
    keys: tuple[Key, ...]
    mean: Doubles
    min: Doubles
    max: Doubles
    last: Doubles
    count: Wholes


def of_samples(
    times: Sequence[int], rows: Sequence[tuple[int, Doubles]], layouts: Mapping[int, Layout]
) -> Points:
    """Take each sample, (number of its layout, its values), for a point."""
    keys = common_keys([number for number, _ in rows], layouts)
    values = _matrix(rows, keys, layouts, np.nan)
    return Points(np.asarray(times), keys, values, values, values, values, _known(values))


def of_points(
    times: Sequence[int],
    numbers: Sequence[int],
    parts: Sequence[Sequence[Any]],
    layouts: Mapping[int, Layout],
) -> Points:
    """Put points together: `numbers` are those of their layouts, `parts` in the order of PARTS."""
    keys = common_keys(numbers, layouts)
    mean, low, high, last = (
        _matrix(list(zip(numbers, rows, strict=True)), keys, layouts, np.nan) for rows in parts[:4]
    )
    count = _matrix(list(zip(numbers, parts[4], strict=True)), keys, layouts, 0)
    return Points(np.asarray(times), keys, mean, low, high, last, count.astype(np.int64))


def common_keys(numbers: Sequence[int], layouts: Mapping[int, Layout]) -> tuple[Key, ...]:
    """Return all keys of these layouts; if they are too many, those that come most often."""
    used = Counter(numbers)
    if len(used) == 1:
        return layouts[numbers[0]].keys
    counts: Counter[Key] = Counter()
    for number, count in used.items():
        for key in layouts[number].keys:
            counts[key] += count
    return tuple(key for key, _ in counts.most_common(MOST_KEYS))


def _known(values: Doubles) -> Wholes:
    return (~np.isnan(values)).astype(np.int64)


def _matrix(
    rows: Sequence[tuple[int, Any]],
    keys: tuple[Key, ...],
    layouts: Mapping[int, Layout],
    absent: float,
) -> Doubles:
    """Put rows of any layouts under common keys."""
    if all(layouts[number].keys is keys for number, _ in rows):
        return np.array([values for _, values in rows], np.float64)
    made = np.full((len(rows), len(keys)), absent)
    column = {key: i for i, key in enumerate(keys)}
    first = 0
    for number, run in groupby(rows, itemgetter(0)):
        values = np.array([one for _, one in run], np.float64)
        here = [(i, column[key]) for i, key in enumerate(layouts[number].keys) if key in column]
        source, target = zip(*here, strict=True) if here else ((), ())
        made[first : first + len(values), list(target)] = values[:, list(source)]
        first += len(values)
    return made


def of_cells(times: Wholes, keys: tuple[Key, ...], cells: Doubles) -> Points:
    """Take cells, one for each time, key and part; if there is one part, it is a sample."""
    if cells.shape[2] == 1:
        values = cells[:, :, 0]
        return Points(times, keys, values, values, values, values, _known(values))
    mean, low, high, last, count = np.moveaxis(cells, 2, 0)
    return Points(times, keys, mean, low, high, last, count.astype(np.int64))


def joined(points: Sequence[Points]) -> Points:
    """Put points of the same keys in one order of time."""
    times = np.concatenate([some.times for some in points])
    order = np.argsort(times)
    parts = [np.concatenate([getattr(some, part) for some in points])[order] for part in PARTS]
    return Points(times[order], points[0].keys, *parts)


def bucketed(points: Points, window: Window) -> History:
    """Fold points into the buckets of a window; what `series.build` does, for all keys at once."""
    stamps = bucket_starts(window)
    folded = fold(points, window.step_ms)
    places = (folded.times - stamps[0]) // window.step_ms
    series = []
    filled = [_spread(getattr(folded, part), places, len(stamps), part) for part in PARTS]
    for i, key in enumerate(points.keys):
        columns = Columns(*[part[:, i].tolist() for part in filled])
        if any(columns.count):
            series.append(Series(key, columns))
    return History(window.start_ms, window.end_ms, window.step_ms, False, stamps, series)


def _spread(part: NDArray[Any], places: Wholes, length: int, name: str) -> NDArray[Any]:
    made = np.full((length, part.shape[1]), 0 if name == "count" else np.nan, part.dtype)
    made[places] = part
    return made


def fold(points: Points, step_ms: int) -> Points:
    """Fold the points of each `step_ms` into one, stamped at its start; NaN and 0 are no value."""
    if not len(points.times):
        return points
    stamps = points.times // step_ms * step_ms
    starts = np.flatnonzero(np.concatenate([[True], stamps[1:] != stamps[:-1]]))
    known = points.count > 0
    count = np.add.reduceat(points.count, starts, axis=0)
    low = np.fmin.reduceat(points.min, starts, axis=0)
    high = np.fmax.reduceat(points.max, starts, axis=0)
    totals = np.add.reduceat(np.where(known, points.mean * points.count, 0.0), starts, axis=0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is meant
        mean = np.clip(totals / count, low, high)
    return Points(stamps[starts], points.keys, mean, low, high, _last(points, known, starts), count)


def _last(points: Points, known: Any, starts: Any) -> Doubles:
    rows = np.where(known, np.arange(len(points.times))[:, None], -1)
    latest = np.maximum.reduceat(rows, starts, axis=0)
    last = np.take_along_axis(points.last, np.maximum(latest, 0), axis=0)
    return np.where(latest < 0, np.nan, last)
