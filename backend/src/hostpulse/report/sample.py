"""One server at one time: a flat map from (metric, instance) to a number, kept compact."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import NamedTuple

from msgspec import Struct


class Key(NamedTuple):
    """A metric of the catalogue and which of its instances; '' is the whole server."""

    metric: str
    instance: str = ""


@dataclass(frozen=True, eq=False)
class Layout:
    """Which key each position of a values array holds; shared by all samples of one shape."""

    keys: tuple[Key, ...]

    @cached_property
    def index(self) -> dict[Key, int]:
        """Key -> position; made when first asked for, because few layouts are ever read."""
        return {key: i for i, key in enumerate(self.keys)}


class Sample(Struct, frozen=True, gc=False):
    """The numbers of one server at `time_ms` (epoch, UTC); NaN stands for 'not reported'."""

    server: str
    time_ms: int
    layout: Layout
    values: array[float]

    def get(self, key: Key) -> float | None:
        """Return the number of `key`, or None where the report had none."""
        position = self.layout.index.get(key)
        if position is None or isnan(self.values[position]):
            return None
        return self.values[position]

    def items(self) -> Iterator[tuple[Key, float]]:
        """Yield what was reported."""
        for key, value in zip(self.layout.keys, self.values, strict=True):
            if not isnan(value):
                yield key, value

    def instances(self, metric: str) -> dict[str, float]:
        """Return instance -> number of one metric."""
        return {key.instance: value for key, value in self.items() if key.metric == metric}
