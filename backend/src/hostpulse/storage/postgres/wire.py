"""Arrays of numbers and times in PostgreSQL's binary form, packed and read by numpy at once."""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.postgres import adapters, types
from psycopg.pq import Format

Doubles: TypeAlias = NDArray[np.float64]
Wholes: TypeAlias = NDArray[np.int64]

_EPOCH_MS = 946_684_800_000  # 2000-01-01, where PostgreSQL's time begins
_LATEST_MS = 9_223_000_000_000_000
_HEAD_BYTES = 20  # dimensions, flags, type of the items, length, lower bound


class Packed:
    """An array ready to be sent; each type of its items is a class."""

    __slots__ = ("sent",)
    item: ClassVar[str]
    number: ClassVar[str]

    def __init__(self, values: ArrayLike) -> None:
        numbers = np.asarray(values)
        dtype = np.dtype([("size", ">i4"), ("number", self.number)])
        items = np.empty(len(numbers), dtype)
        items["size"] = dtype["number"].itemsize
        items["number"] = numbers
        shape = (0, 0, types[self.item].oid, len(numbers), 1)
        head = (1, *shape[1:]) if len(numbers) else shape[:3]
        self.sent = np.array(head, ">i4").tobytes() + items.tobytes()


class Reals(Packed):
    """double precision[]"""

    __slots__ = ()
    item, number = "float8", ">f8"


class Ints(Packed):
    """integer[]"""

    __slots__ = ()
    item, number = "int4", ">i4"


class Times(Packed):
    """timestamptz[] of epoch milliseconds"""

    __slots__ = ()
    item, number = "timestamptz", ">i8"

    def __init__(self, times_ms: ArrayLike) -> None:
        super().__init__((np.asarray(times_ms, np.int64) - _EPOCH_MS) * 1000)


class Moment:
    """timestamptz of epoch milliseconds, or the nearest that PostgreSQL can say."""

    __slots__ = ("sent",)

    def __init__(self, time_ms: int) -> None:
        near_ms = min(max(time_ms, 0), _LATEST_MS)
        self.sent = ((near_ms - _EPOCH_MS) * 1000).to_bytes(8, "big", signed=True)


class _Send(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> Buffer:
        sent: bytes = obj.sent
        return sent


class _LoadReals(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> Doubles:
        return _items(data, ">f8").astype(np.float64)


class _LoadInts(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> Wholes:
        return _items(data, ">i4").astype(np.int64)


class _LoadTimes(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> list[int]:
        times: list[int] = (_items(data, ">i8").astype(np.int64) // 1000 + _EPOCH_MS).tolist()
        return times


class _LoadMoment(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        return int.from_bytes(data, "big", signed=True) // 1000 + _EPOCH_MS


def _items(data: Buffer, number: str) -> NDArray[Any]:
    dtype = np.dtype([("size", ">i4"), ("number", number)])
    return np.frombuffer(bytes(data[_HEAD_BYTES:]), dtype)["number"]


def _adapters() -> AdaptersMap:
    made = AdaptersMap(adapters)
    loaders: dict[type[Packed], type[Loader]] = {
        Reals: _LoadReals, Ints: _LoadInts, Times: _LoadTimes
    }  # fmt: skip
    for kind, loader in loaders.items():
        oid = types[kind.item].array_oid
        made.register_dumper(kind, type(kind.__name__, (_Send,), {"oid": oid}))
        made.register_loader(oid, loader)
    moment = types["timestamptz"].oid
    made.register_dumper(Moment, type("Moment", (_Send,), {"oid": moment}))
    made.register_loader(moment, _LoadMoment)
    return made


ADAPTERS = _adapters()
"""How the connections of this storage send and read values."""
