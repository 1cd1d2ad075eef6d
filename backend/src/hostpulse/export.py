"""Writes the samples of one server as a table that other programs read."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from math import nan
from typing import IO, Any

import msgspec

from hostpulse import catalogue
from hostpulse.control.people_rows import tenants_by_id
from hostpulse.control.server_rows import ServerRow, changed_after
from hostpulse.control.store import ControlStore
from hostpulse.report import Key, Sample

_ROWS_AT_ONCE = 5_000
# Where a cell may begin, whatever a spreadsheet takes for a separator, and what begins a formula.
# The mark itself is among them, so that it can be taken away again without doubt.
_FORMULA = re.compile("""(?:^|(?<=[,;"\\t\\r\\n]))(?=[=+\\-@\\t\\r'＝＋－＠])""")  # noqa: RUF001
_MARK = "'"


def write_csv(out: IO[bytes], keys: Sequence[Key], samples: Iterable[Sample]) -> None:
    """Write a line per sample and a column per key, as RFC 4180 has it; what is not there is empty.

    A name in which a spreadsheet would see a formula has a "'" before it.
    """
    lines = csv.writer(_Utf8(out))
    lines.writerow(["time", *(_harmless(column_name(key)) for key in keys)])
    for sample in samples:
        numbers = dict(sample.items())
        lines.writerow([_iso(sample.time_ms), *(_text(numbers.get(key)) for key in keys)])


def write_jsonl(out: IO[bytes], _keys: Sequence[Key], samples: Iterable[Sample]) -> None:
    """Write an object per sample and line; what a sample lacks is left out."""
    encode = msgspec.json.Encoder().encode
    for sample in samples:
        numbers = {column_name(key): _plain(value) for key, value in sample.items()}
        out.write(encode({"time": _iso(sample.time_ms), **numbers}) + b"\n")


def write_parquet(out: IO[bytes], keys: Sequence[Key], samples: Iterable[Sample]) -> None:
    """Write a row per sample and a column of doubles per key; what a sample lacks is null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [(column_name(key), pa.float64()) for key in keys]
    schema = pa.schema([("time", pa.timestamp("ms", "UTC")), *fields])
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for rows in _chunks(samples, _ROWS_AT_ONCE):
            numbers = [dict(row.items()) for row in rows]
            columns = [[one.get(key, nan) for one in numbers] for key in keys]
            arrays = [pa.array(column, pa.float64(), from_pandas=True) for column in columns]
            times = pa.array([row.time_ms for row in rows], pa.timestamp("ms", "UTC"))
            writer.write_table(pa.table([times, *arrays], schema))


class ExportError(Exception):
    """Nothing can be exported; the message says what to do."""


def find_server(store: ControlStore, tenant: str, name: str) -> ServerRow:
    """Return the tenant's server with this id or hostname; raises ExportError, StoreAway."""
    with store.transaction(tenant) as connection:
        if tenant not in tenants_by_id(connection):
            raise ExportError(
                f"tenant: there is no organisation {tenant!r}; see hostpulse tenant list."
            )
        rows = [row for row in changed_after(connection, 0) if row.tenant == tenant]
    found = [row for row in rows if name in (row.id, row.hostname)]
    if len(found) != 1:
        problem = "several servers have" if found else "no server has"
        raise ExportError(
            f"server: {problem} the id or hostname {name!r}; see hostpulse storage status."
        )
    return found[0]


Writer = Callable[[IO[bytes], Sequence[Key], Iterable[Sample]], None]

WRITERS: dict[str, Writer] = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}


def in_order(keys: Iterable[Key]) -> list[Key]:
    """Return keys as columns stand, whatever the storage: as catalogued, then by name."""
    places = {name: place for place, name in enumerate(catalogue.BY_NAME)}
    last = len(places)
    return sorted(keys, key=lambda key: (places.get(key.metric, last), key.metric, key.instance))


def column_name(key: Key) -> str:
    """Return how a table names a key."""
    return f"{key.metric}{{{key.instance}}}" if key.instance else key.metric


def _harmless(text: str) -> str:
    return _FORMULA.sub(_MARK, text)


class _Utf8:
    """What the csv module writes to."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, text: str) -> Any:
        return self._out.write(text.encode())


def _iso(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _text(value: float | None) -> str:
    return "" if value is None else str(_plain(value))


def _chunks(samples: Iterable[Sample], size: int) -> Iterator[list[Sample]]:
    rest = iter(samples)
    while rows := list(islice(rest, size)):
        yield rows
