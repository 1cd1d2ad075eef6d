"""Windows of time and the columns that answer them; pure, the reference for every storage."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan, nan

from hostpulse.report import Key

MAX_POINTS = 400
_SECOND = 1000
STEPS_MS = tuple(
    seconds * _SECOND for seconds in (5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 21_600, 86_400)
)


@dataclass(frozen=True, slots=True)
class Window:
    """`start_ms` ≤ time < `end_ms` (epoch), answered with at most `points` points a series.

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
        """The length of a bucket: as asked, or the smallest that makes at most `points`."""
        if self.bucket_ms:
            return self.bucket_ms
        for step in STEPS_MS:
            if _bucket_count(self.start_ms, self.end_ms, step) <= self.points:
                return step
        step = STEPS_MS[-1]
        while _bucket_count(self.start_ms, self.end_ms, step) > self.points:
            step *= 2
        return step


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which keys: all instances of these metrics, or one instance of them."""

    metrics: tuple[str, ...]
    instance: str | None = None

    def __contains__(self, key: Key) -> bool:
        return key.metric in self.metrics and self.instance in (None, key.instance)


@dataclass(frozen=True, slots=True)
class Series:
    """One key's columns; NaN is a gap."""

    key: Key
    mean: list[float]
    min: list[float]
    max: list[float]


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
        series.append(Series(key, values, values, values))
    return History(window.start_ms, window.end_ms, step, True, shown, series)


def _bucketed(
    times: Sequence[int], columns: Mapping[Key, Sequence[float]], window: Window
) -> History:
    step = window.step_ms
    first = window.start_ms // step * step
    starts = [first + i * step for i in range(_bucket_count(window.start_ms, window.end_ms, step))]
    edges = [bisect_left(times, start) for start in (*starts, starts[-1] + step)]
    series = [Series(key, *fold(column, edges)) for key, column in columns.items()]
    return History(window.start_ms, window.end_ms, step, False, starts, series)


def _bucket_count(start_ms: int, end_ms: int, step_ms: int) -> int:
    return max(-(-end_ms // step_ms) - start_ms // step_ms, 1)


def fold(
    column: Sequence[float], edges: Sequence[int]
) -> tuple[list[float], list[float], list[float]]:
    """Return mean, min and max of each `column[edges[i]:edges[i+1]]`; an empty one is NaN."""
    means, lows, highs = [], [], []
    whole = not isnan(sum(column))
    for left, right in pairwise(edges):
        values = column[left:right]
        if not whole:
            values = [value for value in values if not isnan(value)]
        if len(values) > 1:
            low, high = min(values), max(values)
            mean = min(max(sum(values) / len(values), low), high)  # a sum can be off by a hair
        else:
            low = high = mean = values[0] if values else nan
        means.append(mean)
        lows.append(low)
        highs.append(high)
    return means, lows, highs
