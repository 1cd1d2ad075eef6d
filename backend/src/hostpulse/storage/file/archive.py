"""Reads Parquet files, and keeps in memory the columns that were read last."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from hostpulse.report import Key
from hostpulse.storage import Wanted
from hostpulse.storage.file.parquet import Reader
from hostpulse.storage.file.shelf import SealedFile
from hostpulse.storage.grid import Floats, Grid, Times

MOST_BYTES = 64 << 20
_NONE = Wanted(())


@dataclass(slots=True)
class _Known:
    """What was read of a file; `columns` hold a row for each plane."""

    keys: tuple[Key, ...]
    times: Times
    plane_count: int
    columns: dict[Key, Floats] = field(default_factory=dict)
    size_bytes: int = 0


class Archive:
    """Columns of sealed files. All methods raise FileNotFoundError when a file has gone."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._size_bytes = 0
        self._known: OrderedDict[SealedFile, _Known] = OrderedDict()
        self._lock = Lock()

    def times(self, file: SealedFile) -> Times:
        """Return the times of all samples or points of a file."""
        return self._find(file, _NONE).times

    def keys(self, file: SealedFile) -> tuple[Key, ...]:
        """Return every key of a file."""
        return self._find(file, _NONE).keys

    def has_time(self, file: SealedFile, time_ms: int) -> bool:
        """Tell whether a file has a sample of this time."""
        times = self.times(file)
        at = int(np.searchsorted(times, time_ms))
        return at < len(times) and int(times[at]) == time_ms

    def grid(self, file: SealedFile, wanted: Wanted) -> Grid:
        """Return the wanted keys of a file."""
        known = self._find(file, wanted)
        keys = tuple(key for key in known.keys if key in wanted)
        if len(keys) == 1:
            return Grid(known.times, keys, known.columns[keys[0]][:, :, np.newaxis])
        planes = np.empty((known.plane_count, len(known.times), len(keys)))
        for i, key in enumerate(keys):
            planes[:, :, i] = known.columns[key]
        return Grid(known.times, keys, planes)

    @staticmethod
    def whole(file: SealedFile) -> Grid:
        """Return all of a file, past the memory."""
        with Reader(file.path) as reader:
            return reader.read()

    @staticmethod
    def value_count(file: SealedFile) -> int:
        """Return how many numbers the samples or points of a file have."""
        with Reader(file.path) as reader:
            return reader.value_count

    def _find(self, file: SealedFile, wanted: Wanted) -> _Known:
        with self._lock:
            known = self._known.get(file)
            if known is not None:
                self._known.move_to_end(file)
                if all(key in known.columns for key in known.keys if key in wanted):
                    return known
        with Reader(file.path) as reader:
            keys = tuple(key for key in reader.keys if key in wanted)
            read = reader.read(keys)
            if known is None or not np.array_equal(known.times, read.times):  # it was rewritten
                known = _Known(reader.keys, read.times, len(read.planes))
        return self._keep(file, known, read)

    def _keep(self, file: SealedFile, known: _Known, read: Grid) -> _Known:
        with self._lock:
            self._size_bytes -= self._known.pop(file, known).size_bytes
            for i, key in enumerate(read.keys):
                known.columns[key] = np.ascontiguousarray(read.planes[:, :, i])
            known.size_bytes = known.times.nbytes + sum(c.nbytes for c in known.columns.values())
            self._known[file] = known
            self._size_bytes += known.size_bytes
            while self._size_bytes > self._most_bytes and len(self._known) > 1:
                _, oldest = self._known.popitem(last=False)
                self._size_bytes -= oldest.size_bytes
        return known
