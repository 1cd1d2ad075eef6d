"""Grids as Parquet files: decimals stored as integers with delta encoding, one column per key.

A column is named `metric` or `metric{instance}`, in files of points with `.mean`, `.min`, `.max`,
`.last` behind it; in a metric's name `{` and `\\` have a `\\` before them, so that names can be
read back. The file's metadata has the keys as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hostpulse import catalogue
from hostpulse.report import Key
from hostpulse.storage import StorageError
from hostpulse.storage.file.places import Owner
from hostpulse.storage.file.points import FOLDED_PLANES, RAW_PLANES, Floats, Grid, Times

_META = b"hostpulse"
_TIME, _COUNT = "time", "count"
_SCALE = 10**catalogue.DECIMALS
_DECIMAL = pa.decimal64(18, catalogue.DECIMALS)
_EXACT = 2.0**53  # up to here a double tells a number from the next one
_MOST_MEAN = 1e14
_ESCAPED = re.compile(r"([\\{])")


class _About(msgspec.Struct):
    """What the metadata of a file says: whose it is and which keys its columns hold, in order."""

    tenant: str
    server: str
    planes: tuple[str, ...]
    keys: Sequence[tuple[str, str]]
    values: int


def column_name(key: Key) -> str:
    """Return the name of a key's column."""
    metric = _ESCAPED.sub(r"\\\1", key.metric)
    return f"{metric}{{{key.instance}}}" if key.instance else metric


def content(grid: Grid, owner: Owner) -> memoryview:
    """Return the bytes of a Parquet file of the grid; a key without any value has no column."""
    known = [i for i in range(len(grid.keys)) if not np.isnan(grid.planes[0, :, i]).all()]
    planes = RAW_PLANES if len(grid.planes) == 1 else FOLDED_PLANES
    columns = {_TIME: pa.array(grid.times).cast(pa.timestamp("ms", "UTC"))}
    if planes is FOLDED_PLANES:
        columns.update(_counts(grid, known))
    for i in known:
        columns.update(_columns(grid.keys[i], grid.planes[:, :, i]))
    about = _About(
        owner.tenant, owner.server, planes, [grid.keys[i] for i in known],
        int(np.count_nonzero(~np.isnan(grid.planes[0]))),
    )  # fmt: skip
    return _written(pa.table(columns), msgspec.json.encode(about))


def _written(table: Any, about: bytes) -> memoryview:
    split = {field.name: pa.types.is_floating(field.type) for field in table.schema}
    out = pa.BufferOutputStream()
    with pq.ParquetWriter(
        out, table.schema, compression="zstd", compression_level=3, use_dictionary=False,
        column_encoding={
            name: "BYTE_STREAM_SPLIT" if is_double else "DELTA_BINARY_PACKED"
            for name, is_double in split.items()
        },
        store_decimal_as_integer=True, store_schema=False, write_statistics=[_TIME],
    ) as writer:  # fmt: skip
        writer.write_table(table, row_group_size=table.num_rows or 1)
        writer.add_key_value_metadata({_META: about})
    return memoryview(out.getvalue())


def _columns(key: Key, planes: Floats) -> Iterator[tuple[str, Any]]:
    name = column_name(key)
    metric = catalogue.find(key.metric)
    decimals = metric.decimals if metric else catalogue.CUSTOM_DECIMALS
    absent = np.isnan(planes[0])
    if len(planes) == 1:
        yield name, _exact(planes[0], absent, decimals)
        return
    yield f"{name}.mean", _mean(planes[0], absent, decimals)
    for plane, values in zip(FOLDED_PLANES[1:4], planes[1:4], strict=True):
        yield f"{name}.{plane}", _exact(values, absent, decimals)


def _counts(grid: Grid, known: Sequence[int]) -> Iterator[tuple[str, Any]]:
    """Yield how many samples each point has; of a key only where it has fewer than others."""
    counts = np.nan_to_num(grid.planes[4]).astype(np.int64)
    most = counts.max(axis=1, initial=0)
    yield _COUNT, pa.array(most)
    for i in known:
        differs = (counts[:, i] != most) & (counts[:, i] > 0)
        if differs.any():
            yield f"{column_name(grid.keys[i])}.{_COUNT}", pa.array(counts[:, i])


def _exact(values: Floats, absent: NDArray[np.bool_], decimals: int) -> Any:
    """Return the narrowest column that holds each value exactly as it is."""
    if decimals > catalogue.DECIMALS:
        return pa.array(values, mask=absent)
    scale = _SCALE if decimals else 1
    scaled = np.rint(np.where(absent, 0.0, values) * scale)
    fits = np.abs(scaled) <= _EXACT
    if not (fits & ((scaled / scale == values) | absent)).all():
        return pa.array(values, mask=absent)
    return _whole(scaled, absent, decimals)


def _mean(values: Floats, absent: NDArray[np.bool_], decimals: int) -> Any:
    filled = np.where(absent, 0.0, values)
    if decimals > catalogue.DECIMALS or np.abs(filled).max(initial=0.0) > _MOST_MEAN:
        return pa.array(values, mask=absent)
    return _whole(np.rint(filled * _SCALE), absent, catalogue.DECIMALS)


def _whole(scaled: Floats, absent: NDArray[np.bool_], decimals: int) -> Any:
    column = pa.array(scaled.astype(np.int64), mask=absent)
    return column.view(_DECIMAL) if decimals else column


class Reader:
    """An open Parquet file of ours; raises StorageError where it is damaged, OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = pq.ParquetFile(path)
            about = self._file.metadata.metadata[_META]
            self._about = msgspec.json.decode(about, type=_About)
        except (pa.ArrowInvalid, KeyError, TypeError, msgspec.MsgspecError) as error:
            raise self._damaged(error) from error
        self.keys = tuple(Key(*key) for key in self._about.keys)
        self.owner = Owner(self._about.tenant, self._about.server)
        self.value_count = self._about.values

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, keys: Sequence[Key] | None = None) -> Grid:
        """Return the columns of `keys`, of all where None."""
        keys = self.keys if keys is None else tuple(keys)
        planes = self._about.planes
        names = [
            f"{column_name(key)}.{plane}" if len(planes) > 1 else column_name(key)
            for key in keys
            for plane in planes
        ]
        try:
            table = self._file.read(columns=[_TIME, _COUNT, *names], use_threads=False)
        except (pa.ArrowInvalid, OSError) as error:
            raise self._damaged(error) from error
        columns = dict(zip(table.column_names, table.columns, strict=True))
        times = _times(columns[_TIME])
        numbers = np.empty((len(planes), len(keys), len(times)))
        for i, key in enumerate(keys):
            self._fill(numbers[:, i], columns, column_name(key))
        return Grid(times, keys, numbers.transpose(0, 2, 1))

    def _fill(self, planes: Floats, columns: dict[str, Any], name: str) -> None:
        if len(planes) == 1:
            planes[0] = _floats(columns[name])
            return
        for plane, numbers in zip(FOLDED_PLANES[:4], planes, strict=False):
            numbers[:] = _floats(columns[f"{name}.{plane}"])
        own = columns.get(f"{name}.{_COUNT}")
        shared = np.where(np.isnan(planes[0]), 0.0, _floats(columns[_COUNT]))
        planes[4] = shared if own is None else _floats(own)

    def _damaged(self, error: Exception) -> StorageError:
        return StorageError(f"{self._path} is damaged ({error}); move it out of the folder.")


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
        scale = _SCALE
        words = np.frombuffer(array.buffers()[1], np.int64).reshape(-1, 2)  # low half first
        numbers = words[array.offset : array.offset + len(array), 0]
    else:
        numbers = np.frombuffer(array.buffers()[1], np.int64)
        numbers = numbers[array.offset : array.offset + len(array)]
    floats = numbers / scale
    if array.null_count:
        floats[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return floats
