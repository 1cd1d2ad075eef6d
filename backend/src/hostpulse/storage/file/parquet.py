"""Grids as Parquet files: decimals stored as integers with delta encoding, one column per key.

A column is named `metric` or `metric{instance}`; in a metric's name `{` and `\\` have a `\\` before
them, so that names can be read back. In files of points each time has four rows, told apart by
`stat`: mean, min, max and last; the mean is in `mean.metric`, so that the others need no more
decimals than their samples, but with doubles. The file's metadata has the keys as they are.

Parquet has a checksum for each page but none for the footer: ours stands right before it, where
other readers never look.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hostpulse import catalogue
from hostpulse.report import Key
from hostpulse.storage import StorageError
from hostpulse.storage.file.places import Owner
from hostpulse.storage.grid import FOLDED_PLANES, Floats, Grid, Times

_META = b"hostpulse"
_END = struct.Struct("<I4s")  # length of the footer, "PAR1"
_MARK = struct.Struct("<4sI")  # _MARKED, checksum of the footer and of what follows it
_MARKED = b"HPcs"
_TIME, _STAT, _COUNT = "time", "stat", "count"
_STATS = FOLDED_PLANES[:4]
_SCALE = 10**catalogue.DECIMALS
_INSTANT = pa.timestamp("ms", "UTC")
_EXACT = 2.0**53  # up to here a double tells a number from the next one
_ESCAPED = re.compile(r"([\\{])")


class _About(msgspec.Struct):
    """What the metadata of a file says: whose it is and which keys its columns hold, in order.

    `same` names by position the keys that have no column, and the key whose column says the same.
    """

    tenant: str
    server: str
    is_folded: bool
    keys: Sequence[tuple[str, str]]
    values: int
    same: dict[int, int]


@lru_cache(maxsize=10_000)
def column_name(key: Key) -> str:
    """Return the name of a key's column."""
    metric = _ESCAPED.sub(r"\\\1", key.metric)
    return f"{metric}{{{key.instance}}}" if key.instance else metric


def content(grid: Grid, owner: Owner) -> memoryview:
    """Return the bytes of a Parquet file of the grid; a key without any value has no column."""
    known = [i for i in range(len(grid.keys)) if not np.isnan(grid.planes[0, :, i]).all()]
    is_folded = len(grid.planes) > 1
    same = _repeated_totals(grid, known)
    own = [i for at, i in enumerate(known) if at not in same]
    columns = _point_columns(grid, own) if is_folded else _sample_columns(grid, own)
    about = _About(
        owner.tenant, owner.server, is_folded, [grid.keys[i] for i in known],
        int(np.count_nonzero(~np.isnan(grid.planes[0]))), same,
    )  # fmt: skip
    return _written(pa.table(columns), msgspec.json.encode(about))


def _repeated_totals(grid: Grid, known: Sequence[int]) -> dict[int, int]:
    """Return the totals that equal one instance, the only one mostly; both by place in `known`."""
    same = {}
    for at, i in enumerate(known):
        metric, instance = grid.keys[i]
        if metric in catalogue.TOTALS and not instance:
            parts = (k for k, j in enumerate(known) if j != i and grid.keys[j].metric == metric)
            total = grid.planes[:, :, i]
            for part in parts:
                if np.array_equal(total, grid.planes[:, :, known[part]], equal_nan=True):
                    same[at] = part
    return same


def _written(table: Any, about: bytes) -> memoryview:
    out = pa.BufferOutputStream()
    with pq.ParquetWriter(
        out, table.schema, compression="zstd", compression_level=3, use_dictionary=[_STAT],
        column_encoding={
            field.name: _encoding(field.type) for field in table.schema if field.name != _STAT
        },
        store_decimal_as_integer=True, store_schema=False, write_statistics=[_TIME],
        write_page_checksum=True,
    ) as writer:  # fmt: skip
        writer.write_table(table, row_group_size=table.num_rows or 1)
        writer.add_key_value_metadata({_META: about})
    return _marked(memoryview(out.getvalue()))


def _marked(data: memoryview) -> memoryview:
    """Put the checksum of the footer before it; all places in a file count from its start."""
    length, _ = _END.unpack(data[-_END.size :])
    footer = data[-_END.size - length :]
    mark = _MARK.pack(_MARKED, crc32(footer))
    return memoryview(b"".join((data[: -len(footer)], mark, footer)))


def _check_footer(source: Any) -> None:
    """Return if the footer is as it was written, or has no checksum; raises ValueError, OSError."""
    size = source.size()
    length, _ = _END.unpack(source.read_at(_END.size, max(size - _END.size, 0)))
    begin = size - _END.size - length - _MARK.size
    if begin < 0:
        raise ValueError("its end is not that of a Parquet file")
    tail = memoryview(source.read_at(size - begin, begin))
    marked, checksum = _MARK.unpack(tail[: _MARK.size])
    if marked == _MARKED and crc32(tail[_MARK.size :]) != checksum:
        raise ValueError("the checksum of its footer differs")


def _encoding(kind: Any) -> str:
    return "BYTE_STREAM_SPLIT" if pa.types.is_floating(kind) else "DELTA_BINARY_PACKED"


def _sample_columns(grid: Grid, known: Sequence[int]) -> dict[str, Any]:
    columns = {_TIME: pa.array(grid.times).cast(_INSTANT)}
    for i in known:
        values = grid.planes[0, :, i]
        columns[column_name(grid.keys[i])] = _exact(values, _decimals(grid.keys[i]))
    return columns


def _point_columns(grid: Grid, known: Sequence[int]) -> dict[str, Any]:
    points = len(grid.times)
    counts = np.nan_to_num(grid.planes[4]).astype(np.int64)
    most = counts.max(axis=1, initial=0)
    columns = {
        _TIME: pa.array(np.tile(grid.times, len(_STATS))).cast(_INSTANT),
        _STAT: pa.array(np.repeat(_STATS, points)),
        _COUNT: pa.array(np.tile(most, len(_STATS))),
    }
    for i in known:
        name, decimals = column_name(grid.keys[i]), _decimals(grid.keys[i])
        numbers = grid.planes[:4, :, i].copy()
        if decimals <= catalogue.DECIMALS:
            columns[f"mean.{name}"] = _exact(_rounded(_alone(numbers, 0)), catalogue.DECIMALS)
            numbers[0] = np.nan
        columns[name] = _exact(numbers.reshape(-1), decimals)
        differs = (counts[:, i] != most) & (counts[:, i] > 0)
        if differs.any():  # fewer samples had this key than had others
            columns[f"{_COUNT}.{name}"] = pa.array(np.tile(counts[:, i], len(_STATS)))
    return columns


@lru_cache(maxsize=10_000)
def _decimals(key: Key) -> int:
    metric = catalogue.find(key.metric)
    return metric.decimals if metric else catalogue.CUSTOM_DECIMALS


def _alone(numbers: Floats, stat: int) -> Floats:
    column = np.full_like(numbers, np.nan)
    column[stat] = numbers[stat]
    return column.reshape(-1)


def _rounded(means: Floats) -> Floats:
    scaled: Floats = np.rint(means * _SCALE)
    return np.where(np.abs(scaled) <= _EXACT, scaled / _SCALE, means)


def _exact(values: Floats, decimals: int) -> Any:
    """Return the narrowest column that holds each value exactly as it is."""
    absent = np.isnan(values)
    if decimals <= catalogue.DECIMALS:
        known = np.where(absent, 0.0, values)
        for places in range(decimals + 1):
            scale = 10**places
            scaled = np.rint(known * scale)
            if ((np.abs(scaled) <= _EXACT) & (scaled / scale == known)).all():
                column = pa.array(scaled.astype(np.int64), mask=absent)
                return column.view(pa.decimal64(18, places)) if decimals else column
    return pa.array(values, mask=absent)


class Damaged(StorageError):
    """The Parquet file at `path` is not what was written."""

    def __init__(self, path: Path, error: Exception) -> None:
        super().__init__(f"{path} is damaged ({error}); move it out of the folder.")
        self.path = path


@contextmanager
def _damage_noticed(path: Path) -> Iterator[None]:
    """Turn whatever the bytes of a file cause into Damaged, and nothing else."""
    try:
        yield
    except pa.ArrowMemoryError as error:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM), str(path)) from error
    except OSError as error:
        if error.errno is not None:  # the system's own; of bytes Arrow says no number
            raise
        raise Damaged(path, error) from error
    except (pa.ArrowException, msgspec.MsgspecError, struct.error, LookupError, TypeError,
            ValueError) as error:  # fmt: skip
        raise Damaged(path, error) from error


class Reader:
    """An open Parquet file of ours; raises Damaged, OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _damage_noticed(path):
            self._source = pa.OSFile(str(path))
            _check_footer(self._source)
            self._file = pq.ParquetFile(self._source, page_checksum_verification=True)
            about = msgspec.json.decode(self._file.metadata.metadata[_META], type=_About)
            self.keys = tuple(Key(*key) for key in about.keys)
            self._columns = {self.keys[i]: self.keys[j] for i, j in about.same.items()}
        self._is_folded = about.is_folded
        self.owner = Owner(about.tenant, about.server)
        self.value_count = about.values

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._source.close()

    def read(self, keys: Sequence[Key] | None = None) -> Grid:
        """Return the columns of `keys`, of all where None."""
        with _damage_noticed(self._path):
            return self._read(self.keys if keys is None else tuple(keys))

    def _read(self, keys: tuple[Key, ...]) -> Grid:
        own = [column_name(self._columns.get(key, key)) for key in keys]
        names = [
            part
            for name in dict.fromkeys(own)
            for part in (name, f"mean.{name}", f"{_COUNT}.{name}")
        ]
        table = self._file.read(columns=[_TIME, _COUNT, *names], use_threads=False)
        columns = dict(zip(table.column_names, table.columns, strict=True))
        times = _times(columns[_TIME])
        if self._is_folded:
            times = times[: len(times) // len(_STATS)]
        numbers = np.empty((len(FOLDED_PLANES) if self._is_folded else 1, len(times), len(keys)))
        for i, name in enumerate(own):
            if self._is_folded:
                numbers[:, :, i] = _planes(columns, name, len(times))
            else:
                numbers[0, :, i] = _floats(columns[name])
        return Grid(times, keys, numbers)


def _planes(columns: dict[str, Any], name: str, points: int) -> Floats:
    planes = np.empty((len(FOLDED_PLANES), points))
    planes[:4] = _floats(columns[name]).reshape(len(_STATS), points)
    means, counts = columns.get(f"mean.{name}"), columns.get(f"{_COUNT}.{name}")
    if means is not None:
        planes[0] = _floats(means)[:points]
    shared = np.where(np.isnan(planes[0]), 0.0, _floats(columns[_COUNT])[:points])
    planes[4] = shared if counts is None else _floats(counts)[:points]
    return planes


def _times(column: Any) -> Times:
    times: Times = column.combine_chunks().view(pa.int64()).to_numpy()
    return times


def _floats(column: Any) -> Floats:
    array = column.combine_chunks()
    if pa.types.is_floating(array.type):
        floats: Floats = array.to_numpy(zero_copy_only=False)
        return floats
    scale = 1
    if pa.types.is_decimal(array.type):
        scale = 10**array.type.scale
        words = np.frombuffer(array.buffers()[1], np.int64).reshape(-1, 2)  # low half first
        numbers = words[array.offset : array.offset + len(array), 0]
    else:
        numbers = np.frombuffer(array.buffers()[1], np.int64)
        numbers = numbers[array.offset : array.offset + len(array)]
    floats = numbers / scale
    if array.null_count:
        floats[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return floats
