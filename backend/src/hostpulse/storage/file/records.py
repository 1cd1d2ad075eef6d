"""Lines of the journal: each a JSON object whose first member is the checksum of the rest.

The checksum stands over the bytes behind it, so that a line is judged as it lies on the disk.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from math import nan
from typing import NamedTuple
from zlib import crc32

import msgspec

from hostpulse.report import Key, Layout

_START = b'{"crc":"'
_BODY = len(_START) + len('00000000",')
_TIME = b',"time_ms":'
_LAYOUT = b',"layout":"'
_VALUES = b'","values":'
_ID = 12
FORGOTTEN = -(2**63)

_numbers = msgspec.json.Decoder(list[float])
_some_numbers = msgspec.json.Decoder(list[float | None])
_keys = msgspec.json.Decoder(list[tuple[str, str]])


class Entry(NamedTuple):
    """A sample as it lies in the journal, or that its server was forgotten (`FORGOTTEN`).

    `name` is the part of the line that says whose it is; `rest` is read by `values_of`.
    """

    name: bytes
    time_ms: int
    layout: bytes
    rest: bytes


@dataclass(slots=True)
class Contents:
    """What a segment holds; `damaged` are the (start, end) of bytes that are no record."""

    entries: list[Entry] = field(default_factory=list)
    layouts: dict[bytes, Layout] = field(default_factory=dict)
    damaged: list[tuple[int, int]] = field(default_factory=list)


def name_of(tenant: str, server: str) -> bytes:
    """Return the part of a line that says whose it is."""
    return msgspec.json.encode({"tenant": tenant, "server": server})[1:-1]


def owner_of(name: bytes) -> tuple[str, str]:
    """Return tenant and server of such a part."""
    owner = msgspec.json.decode(b"{" + name + b"}", type=dict[str, str])
    return owner["tenant"], owner["server"]


def layout_id(layout: Layout) -> bytes:
    """Return a name for the layout, the same in every segment."""
    return blake2b(msgspec.json.encode(layout.keys), digest_size=_ID // 2).hexdigest().encode()


def layout_line(name: bytes, layout: Layout) -> bytes:
    """Return the line that says what the values of a layout are."""
    return _line(b'"layout":"%b","keys":%b}' % (name, msgspec.json.encode(layout.keys)))


def sample_line(name: bytes, time_ms: int, layout: bytes, values: array[float]) -> bytes:
    """Return the line of a sample; whole numbers are written as such, NaN as null."""
    numbers = msgspec.json.encode(values.tolist()).replace(b".0,", b",")
    if numbers.endswith(b".0]"):
        numbers = numbers[:-3] + b"]"
    return _line(b'%b,"time_ms":%d,"layout":"%b","values":%b}' % (name, time_ms, layout, numbers))


def forget_line(name: bytes) -> bytes:
    """Return the line after which nothing written before it about a server counts."""
    return _line(b'"forget":true,%b}' % name)


def _line(body: bytes) -> bytes:
    return b'{"crc":"%08x",%b\n' % (crc32(body), body)


def read(data: bytes) -> Contents:
    """Read a segment; what is no record costs itself alone."""
    contents = Contents()
    start = 0
    for line in data.split(b"\n"):
        end = start + len(line)
        is_whole = end < len(data)  # the last line break is what makes a record one
        if not (is_whole and _take(line, contents)) and line:
            _salvage(data, start, end + is_whole, contents)
        start = end + 1
    return contents


def _take(line: bytes, contents: Contents) -> bool:
    body = line[_BODY:]
    if line[:_BODY] != b'{"crc":"%08x",' % crc32(body):
        return False
    try:
        _understand(body, contents)
    except (ValueError, msgspec.MsgspecError):
        return False
    return True


def _understand(body: bytes, contents: Contents) -> None:
    time_at = body.find(_TIME)
    if time_at > 0:
        layout_at = body.index(_LAYOUT, time_at)
        time_ms = int(body[time_at + len(_TIME) : layout_at])
        values_at = layout_at + len(_LAYOUT) + _ID
        contents.entries.append(
            Entry(body[:time_at], time_ms, body[values_at - _ID : values_at], body[values_at:])
        )
    elif body.startswith(_LAYOUT[1:]):
        name, _, keys = body[len(_LAYOUT) - 1 : -1].partition(b'","keys":')
        contents.layouts[name] = Layout(tuple(Key(*key) for key in _keys.decode(keys)))
    else:
        contents.entries.append(Entry(body[len(b'"forget":true,') : -1], FORGOTTEN, b"", b""))


def _salvage(data: bytes, start: int, end: int, contents: Contents) -> None:
    """Find the records in bytes that are none as a whole: a line break may have been hit."""
    cuts = [*_starts(data, start, end), end]
    if cuts[0] > start:
        contents.damaged.append((start, cuts[0]))
    for left, right in pairwise(cuts):
        is_last_of_all = right == len(data) and not data.endswith(b"\n")
        if is_last_of_all or not _take(data[left : right - 1], contents):
            contents.damaged.append((left, right))


def _starts(data: bytes, start: int, end: int) -> Iterator[int]:
    at = data.find(_START, start, end)
    while at >= 0:
        yield at
        at = data.find(_START, at + 1, end)


def values_of(rest: bytes) -> array[float]:
    """Return the values of an entry; raises msgspec.MsgspecError if they are no numbers."""
    numbers = rest[len(_VALUES) : -1]
    if b"null" not in numbers:
        return array("d", _numbers.decode(numbers))
    values: Sequence[float | None] = _some_numbers.decode(numbers)
    return array("d", [nan if value is None else value for value in values])
