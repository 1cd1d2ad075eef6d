"""The default storage: the newest samples of each server, in this process's memory."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from math import isnan, nan
from operator import attrgetter
from sys import getsizeof
from threading import Lock

from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Appended, Batch, Lost, TierUsage, Usage
from hostpulse.storage.series import History, Wanted, Window, build

CAPACITY = 1000
MOST_KEYS = 50_000
_layout = attrgetter("layout")


@dataclass(slots=True)
class _Ring:
    """The samples of one server in order of time; full, it drops the oldest.

    It is full at `CAPACITY` samples, or earlier when their names changed so often that the layouts
    would outgrow the numbers.
    """

    rows: deque[Sample] = field(default_factory=deque)
    layouts: Counter[Layout] = field(default_factory=Counter)
    key_count: int = 0

    def add(self, row: Sample, capacity: int) -> str:
        """Put the row in its place; return what became of it."""
        rows = self.rows
        if not rows or row.time_ms > rows[-1].time_ms:
            rows.append(row)
        else:
            place = bisect_left(rows, row.time_ms, key=_time)
            if rows[place].time_ms == row.time_ms:
                return "duplicate"
            if place == 0 and len(rows) >= capacity:
                return "expired"
            rows.insert(place, row)
        self._count(row.layout)
        while len(rows) > capacity or (self.key_count > MOST_KEYS and len(rows) > 1):
            self._uncount(rows.popleft().layout)
        return "accepted"

    def _count(self, layout: Layout) -> None:
        if layout not in self.layouts:
            self.key_count += len(layout.keys)
        self.layouts[layout] += 1

    def _uncount(self, layout: Layout) -> None:
        self.layouts[layout] -= 1
        if not self.layouts[layout]:
            del self.layouts[layout]
            self.key_count -= len(layout.keys)

    def between(self, start_ms: int, end_ms: int) -> list[Sample]:
        left = bisect_left(self.rows, start_ms, key=_time)
        right = bisect_left(self.rows, end_ms, key=_time)
        return list(islice(self.rows, left, right))


def _time(row: Sample) -> int:
    return row.time_ms


class MemoryStorage:
    """Keeps the `capacity` newest samples of each server; everything is gone on restart."""

    durability = "memory"
    is_immediate = True

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._rings: dict[tuple[str, str], _Ring] = {}
        self._lock = Lock()

    def append(self, batches: Sequence[Batch]) -> list[Appended]:
        with self._lock:
            return [self._append(batch) for batch in batches]

    def _append(self, batch: Batch) -> Appended:
        fates = {"accepted": 0, "duplicate": 0, "expired": 0}
        for sample in batch.samples:
            ring = self._rings.get((batch.tenant, sample.server))
            if ring is None:
                ring = self._rings[batch.tenant, sample.server] = _Ring()
            fates[ring.add(sample, self._capacity)] += 1
        return Appended(fates["accepted"], fates["duplicate"], fates["expired"])

    def history(self, tenant: str, server: str, wanted: Wanted, window: Window) -> History:
        rows = self._rows(tenant, server, window.start_ms, window.end_ms)
        return build([row.time_ms for row in rows], columns_of(rows, wanted), window)

    def series(self, tenant: str, server: str) -> list[Key]:
        return keys_of(self._rows(tenant, server, 0, 2**63))

    def samples(self, tenant: str, server: str, start_ms: int, end_ms: int) -> Iterator[Sample]:
        yield from self._rows(tenant, server, start_ms, end_ms)

    def forget(self, tenant: str, server: str) -> None:
        with self._lock:
            self._rings.pop((tenant, server), None)

    def forget_tenant(self, tenant: str) -> None:
        """Nothing is kept of a tenant but the rings of its servers."""

    def maintain(self) -> None:
        """The rings forget by themselves."""

    def usage(self) -> Usage:
        with self._lock:
            rings = {name: list(ring.rows) for name, ring in self._rings.items()}
        sizes = {name: sum(map(_size_bytes, rows)) for name, rows in rings.items()}
        values = sum(len(row.values) for rows in rings.values() for row in rows)
        oldest = min((rows[0].time_ms for rows in rings.values() if rows), default=None)
        return Usage([TierUsage("raw", sum(sizes.values()), values, oldest, None)], sizes)

    def lost(self) -> Lost:
        return Lost()

    def check(self) -> None:
        """Memory is always there."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _rows(self, tenant: str, server: str, start_ms: int, end_ms: int) -> list[Sample]:
        with self._lock:
            ring = self._rings.get((tenant, server))
            return ring.between(start_ms, end_ms) if ring else []


def keys_of(rows: Sequence[Sample]) -> list[Key]:
    """Return every key that any of the rows has a value for, those of the newest first."""
    found: dict[Key, None] = {}
    unseen: dict[int, list[int]] = {}  # positions of a layout that no row had a value for yet
    for row in reversed(rows):
        positions = unseen.get(id(row.layout), range(len(row.values)))
        known = [i for i in positions if not isnan(row.values[i])]
        found.update((row.layout.keys[i], None) for i in known)
        if known or id(row.layout) not in unseen:
            unseen[id(row.layout)] = [i for i in positions if isnan(row.values[i])]
    return list(found)


def columns_of(rows: Sequence[Sample], wanted: Wanted) -> dict[Key, list[float]]:
    """Return a value per row for each wanted key, NaN where a row's layout lacks it."""
    layouts = dict.fromkeys(map(_layout, rows))
    keys = dict.fromkeys(key for layout in layouts for key in layout.keys if key in wanted)
    columns: dict[Key, list[float]] = {key: [] for key in keys}
    for layout, run in groupby(rows, _layout):
        run_values = [row.values for row in run]
        for key, column in columns.items():
            position = layout.index.get(key)
            if position is None:
                column.extend([nan] * len(run_values))
            else:
                column.extend([values[position] for values in run_values])
    return columns


def _size_bytes(row: Sample) -> int:
    return getsizeof(row) + getsizeof(row.values)
