"""The requests Prometheus takes: its protobuf `WriteRequest`, zipped by snappy."""

from __future__ import annotations

import struct
from functools import cache

import cramjam

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
_BYTES, _VARINT, _DOUBLE = 2, 0, 1  # wire types


def of_lines(lines: bytes) -> bytes:
    """Return the request that holds the numbers of these lines of line protocol."""
    series = [part for line in lines.decode().splitlines() for part in _series(line)]
    return bytes(cramjam.snappy.compress_raw(b"".join(series)))


def _series(line: str) -> list[bytes]:
    tags, fields, time_ms = line.split(" ")
    host = tags.partition("=")[2]
    end = _tag(2, _VARINT) + _varint(int(time_ms))
    size = 9 + len(end)
    pairs = [field.split("=") for field in fields.split(",")]
    return [
        b"".join((_before_value(host, name, size), struct.pack("<d", float(value)), end))
        for name, value in pairs
    ]


@cache
def _before_value(host: str, name: str, sample_size: int) -> bytes:
    """Write a TimeSeries up to the number of its one sample: that part stays the same."""
    labels = b"".join(
        _message(1, _message(1, label.encode()) + _message(2, value.encode()))
        for label, value in (("__name__", f"host_{name}"), ("name", host))
    )
    sample = _tag(2, _BYTES) + _varint(sample_size)
    size = len(labels) + len(sample) + sample_size
    return _tag(1, _BYTES) + _varint(size) + labels + sample + _tag(1, _DOUBLE)


def _message(number: int, content: bytes) -> bytes:
    return _tag(number, _BYTES) + _varint(len(content)) + content


def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
