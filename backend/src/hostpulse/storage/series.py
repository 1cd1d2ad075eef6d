"""Windows of time and the columns that answer them; pure, the reference for every storage."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import isnan, nan
from typing import NamedTuple

from hostpulse.report import Key

MAX_POINTS = 400
_SECOND = 1000
STEPS_MS = tuple(
    seconds * _SECOND
    for seconds in (5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 21_600, 86_400, 172_800)
)


@dataclass(frozen=True, slots=True)
class Window:
    """`start_ms` ≤ time < `end_ms` (epoch), answered with `points` samples or buckets a series.

    Of buckets there may be one more: the first and the last one reach over the window.
    `interval_ms` is the rhythm of the server's samples: more than two of it missing is a gap.
    `bucket_ms` asks for buckets of that length, however few samples there are.
    """

    start_ms: int
    end_ms: int
    points: int = MAX_POINTS
    interval_ms: int = 5000
    bucket_ms: int = 0

    @property
    def step_ms(self) -> int:
        """The length of a bucket: as asked, or the smallest of which `points` are long enough."""
        if self.bucket_ms:
            return self.bucket_ms
        length_ms = self.end_ms - self.start_ms
        return next((step for step in STEPS_MS if step * self.points >= length_ms), STEPS_MS[-1])


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which keys: all instances of these metrics, or one instance of them."""

    metrics: tuple[str, ...]
    instance: str | None = None

    def __contains__(self, key: Key) -> bool:
        return key.metric in self.metrics and self.instance in (None, key.instance)


@dataclass(frozen=True, slots=True)
class Columns:
    """Points of one key: what each says of its `count` values; NaN and 0 are a gap."""

    mean: list[float]
    min: list[float]
    max: list[float]
    last: list[float]
    count: list[int]

    @classmethod
    def of_values(cls, values: list[float]) -> Columns:
        """Take each value for a point of its own."""
        whole = not isnan(sum(values))
        count = [1] * len(values) if whole else [int(not isnan(value)) for value in values]
        return cls(values, values, values, values, count)


@dataclass(frozen=True, slots=True)
class Series:
    """One key and its points."""

    key: Key
    points: Columns


@dataclass(frozen=True, slots=True)
class Part:
    """Points of many keys at common times (ascending), as one tier keeps them."""

    times: list[int]
    columns: Mapping[Key, Columns]


@dataclass(frozen=True, slots=True)
class History:
    """Series over common times: samples as stored (`raw`), or buckets stamped at their start."""

    start_ms: int
    end_ms: int
    step_ms: int
    raw: bool
    times: list[int]
    series: list[Series]


def build(times: Sequence[int], columns: Mapping[Key, Sequence[float]], window: Window) -> History:
    """Make a history of the samples at `times` (ascending, inside the window).

    `columns` holds a value per time for each key, NaN where a sample has none; a key without any
    value is left out.
    """
    known = {key: column for key, column in columns.items() if not all(map(isnan, column))}
    if len(times) <= window.points and not window.bucket_ms:
        return _raw(times, known, window)
    return _bucketed(times, known, window)


def _raw(times: Sequence[int], columns: Mapping[Key, Sequence[float]], window: Window) -> History:
    step = window.interval_ms
    gaps = [i for i in range(1, len(times)) if times[i] - times[i - 1] > 2 * step]
    shown = list(times)
    for i in reversed(gaps):
        shown.insert(i, times[i - 1] + step)
    series = []
    for key, column in columns.items():
        values = list(column)
        for i in reversed(gaps):
            values.insert(i, nan)
        series.append(Series(key, Columns.of_values(values)))
    return History(window.start_ms, window.end_ms, step, True, shown, series)


def _bucketed(
    times: Sequence[int], columns: Mapping[Key, Sequence[float]], window: Window
) -> History:
    starts = bucket_starts(window)
    buckets = runs(_edges(times, starts, window.step_ms))
    series = [Series(key, fold(column, buckets)) for key, column in columns.items()]
    return History(window.start_ms, window.end_ms, window.step_ms, False, starts, series)


def build_from_parts(parts: Sequence[Part], window: Window) -> History:
    """Make a bucketed history of parts that follow each other in time.

    The buckets of a part must lie inside the window's; a key without any value is left out.
    """
    starts = bucket_starts(window)
    found: dict[Key, list[Columns]] = {}
    for part in parts:
        edges = _edges(part.times, starts, window.step_ms)
        for key, columns in part.columns.items():
            found.setdefault(key, []).append(fold_points(columns, edges))
    series = [Series(key, _overlay(folded)) for key, folded in found.items()]
    known = [one for one in series if any(one.points.count)]
    return History(window.start_ms, window.end_ms, window.step_ms, False, starts, known)


def bucket_starts(window: Window) -> list[int]:
    """Return the stamps of the window's buckets."""
    step = window.step_ms
    first = window.start_ms // step * step
    return list(range(first, max(window.end_ms, first + 1), step))


def _edges(times: Sequence[int], starts: Sequence[int], step: int) -> list[int]:
    return [bisect_left(times, start) for start in (*starts, starts[-1] + step)]


class Run(NamedTuple):
    """Buckets that follow each other and hold the same number of values, from `left` on."""

    left: int
    buckets: int
    width: int


def runs(edges: Sequence[int]) -> list[Run]:
    """Return the buckets between edges as runs: a steady agent makes few of them."""
    widths = groupby(pairwise(edges), lambda pair: pair[1] - pair[0])
    found = []
    for width, pairs in widths:
        lefts = [left for left, _ in pairs]
        found.append(Run(lefts[0], len(lefts), width))
    return found


def fold(column: Sequence[float], buckets: Sequence[Run]) -> Columns:
    """Fold the values of each bucket into one point."""
    folded = Columns([], [], [], [], [])
    for run in buckets:
        values = column[run.left : run.left + run.buckets * run.width]
        if not run.width:
            _fold_nothing(folded, run.buckets)
        elif not isnan(sum(values)):
            _fold_whole(folded, values, run)
        else:
            for left in range(0, len(values), run.width):
                _fold_known(folded, [v for v in values[left : left + run.width] if not isnan(v)])
    return folded


def _fold_nothing(folded: Columns, buckets: int) -> None:
    for points in (folded.mean, folded.min, folded.max, folded.last):
        points.extend([nan] * buckets)
    folded.count.extend([0] * buckets)


def _fold_whole(folded: Columns, values: Sequence[float], run: Run) -> None:
    """Fold values of which none is missing, at the speed of C."""
    places = [values[place :: run.width] for place in range(run.width)]
    low = places[0] if run.width == 1 else list(map(min, *places))
    high = places[0] if run.width == 1 else list(map(max, *places))
    means = [total / run.width for total in map(sum, zip(*places, strict=True))]
    # the half of a sum of two is never off
    folded.mean.extend(means if run.width <= 2 else map(_between, low, means, high))
    folded.min.extend(low)
    folded.max.extend(high)
    folded.last.extend(places[-1])
    folded.count.extend([run.width] * run.buckets)


def _fold_known(folded: Columns, values: Sequence[float]) -> None:
    if not values:
        _fold_nothing(folded, 1)
        return
    low, high = min(values), max(values)
    folded.mean.append(_between(low, sum(values) / len(values), high))
    folded.min.append(low)
    folded.max.append(high)
    folded.last.append(values[-1])
    folded.count.append(len(values))


def fold_points(points: Columns, edges: Sequence[int]) -> Columns:
    """Fold the points between each pair of edges into one, as if their values were folded."""
    folded = Columns([], [], [], [], [])
    for left, right in pairwise(edges):
        known = [i for i in range(left, right) if points.count[i]]
        _add_folded(folded, points, known)
    return folded


def _add_folded(folded: Columns, points: Columns, known: Sequence[int]) -> None:
    count = sum([points.count[i] for i in known])
    low = min([points.min[i] for i in known], default=nan)
    high = max([points.max[i] for i in known], default=nan)
    total = sum([points.mean[i] * points.count[i] for i in known])
    folded.mean.append(_between(low, total / count, high) if count else nan)
    folded.min.append(low)
    folded.max.append(high)
    folded.last.append(points.last[known[-1]] if known else nan)
    folded.count.append(count)


def _between(low: float, mean: float, high: float) -> float:
    return min(max(mean, low), high)  # a sum can be off by a hair


def _overlay(parts: Sequence[Columns]) -> Columns:
    """Fold parts, the earlier first, that have points for the same buckets."""
    if len(parts) == 1:
        return parts[0]
    joined = Columns([], [], [], [], [])
    for i in range(len(parts[0].count)):
        bucket = Columns(
            *([getattr(part, name)[i] for part in parts] for name in Columns.__slots__)
        )
        _add_folded(joined, bucket, [k for k in range(len(parts)) if bucket.count[k]])
    return joined
