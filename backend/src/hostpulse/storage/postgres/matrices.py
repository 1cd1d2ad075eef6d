"""Rows of arrays under changing layouts, put together as grids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from hostpulse.report import Key, Layout
from hostpulse.storage.grid import Grid
from hostpulse.storage.postgres.wire import Doubles

MOST_KEYS = 10_000
"""Of one roll-up: a server whose names change all the time has no more than that."""


def grid_of(
    times: Sequence[int],
    numbers: Sequence[int],
    planes: Sequence[Sequence[Any]],
    layouts: Mapping[int, Layout],
) -> Grid:
    """Return rows as a grid: `numbers` are those of their layouts, a plane has an array a row."""
    keys = common_keys(numbers, layouts)
    made = [_matrix(list(zip(numbers, rows, strict=True)), keys, layouts) for rows in planes]
    return Grid(np.asarray(times, np.int64), keys, np.stack(made))


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


def _matrix(
    rows: Sequence[tuple[int, Any]],
    keys: tuple[Key, ...],
    layouts: Mapping[int, Layout],
) -> Doubles:
    """Put rows of any layouts under common keys."""
    if all(layouts[number].keys is keys for number, _ in rows):
        return np.array([values for _, values in rows], np.float64)
    made = np.full((len(rows), len(keys)), np.nan)
    column = {key: i for i, key in enumerate(keys)}
    first = 0
    for number, run in groupby(rows, itemgetter(0)):
        values = np.array([one for _, one in run], np.float64)
        here = [(i, column[key]) for i, key in enumerate(layouts[number].keys) if key in column]
        source, target = zip(*here, strict=True) if here else ((), ())
        made[first : first + len(values), list(target)] = values[:, list(source)]
        first += len(values)
    return made
