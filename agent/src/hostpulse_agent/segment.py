"""One append-only file of spooled reports, and the file beside it that says which are delivered."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MAGIC = b"HPS1"
HEAD = struct.Struct(">4sIIQ")  # magic, checksum of all that follows, length, time in ms
DONE = struct.Struct(">II")  # offset of a delivered report, checksum of the offset
SUFFIX = ".spool"
DONE_SUFFIX = ".done"
MAX_REPORT_BYTES = 8 << 20


@dataclass(frozen=True)
class Record:
    """A report on disk: when it was made and its JSON."""

    offset: int
    time_ms: int
    report: bytes


def framed(time_ms: int, report: bytes) -> bytes:
    """Return the bytes that keep a report, compressed, with a checksum over time and content."""
    payload = zlib.compress(report, 1)
    checked = struct.pack(">IQ", len(payload), time_ms) + payload
    return MAGIC + struct.pack(">I", zlib.crc32(checked)) + checked


def records(content: bytes) -> Iterator[Record]:
    """Yield every whole record; torn or spoiled bytes are stepped over to the next one."""
    at = content.find(MAGIC)
    while at >= 0:
        record, end = _record(content, at)
        if record is not None:
            yield record
        at = content.find(MAGIC, end)


def _record(content: bytes, at: int) -> tuple[Record | None, int]:
    """Return the record at a place and where it ends; None and the next place if it is none."""
    if at + HEAD.size > len(content):
        return None, len(content)
    _, checksum, length, time_ms = HEAD.unpack_from(content, at)
    end = at + HEAD.size + length
    if end > len(content) or zlib.crc32(content[at + 8 : end]) != checksum:
        return None, at + 1
    unpacker = zlib.decompressobj()
    try:
        report = unpacker.decompress(content[at + HEAD.size : end], MAX_REPORT_BYTES)
    except zlib.error:
        return None, at + 1
    return Record(at, time_ms, report), end


def write_whole(descriptor: int, content: bytes, end: int) -> None:
    """Append at `end` and on to the disk; on a full disk take back what went in, then raise."""
    written = 0
    try:
        while written < len(content):
            written += os.pwrite(descriptor, content[written:], end + written)
        os.fdatasync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


@dataclass
class Segment:
    """A file of reports; `pending` are the offsets of those not yet delivered."""

    path: Path
    size_bytes: int = 0
    newest_ms: int = 0
    pending: set[int] = field(default_factory=set)
    _descriptor: int = -1
    _done_bytes: int = 0

    @property
    def done_path(self) -> Path:
        return self.path.with_suffix(DONE_SUFFIX)

    @classmethod
    def opened(cls, path: Path) -> Segment:
        """Read what an earlier run left."""
        content = path.read_bytes()
        segment = cls(path, size_bytes=len(content))
        done = segment._delivered_offsets()
        for record in records(content):
            segment.newest_ms = max(segment.newest_ms, record.time_ms)
            if record.offset not in done:
                segment.pending.add(record.offset)
        return segment

    def _delivered_offsets(self) -> set[int]:
        try:
            content = self.done_path.read_bytes()
        except OSError:
            return set()
        whole = len(content) // DONE.size * DONE.size
        self._done_bytes = whole
        return {
            offset
            for offset, checksum in DONE.iter_unpack(content[:whole])
            if zlib.crc32(struct.pack(">I", offset)) == checksum
        }

    def append(self, time_ms: int, report: bytes) -> None:
        """Write one report behind the others; all or nothing."""
        content = framed(time_ms, report)
        if self._descriptor < 0:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        write_whole(self._descriptor, content, self.size_bytes)
        self.pending.add(self.size_bytes)
        self.size_bytes += len(content)
        self.newest_ms = max(self.newest_ms, time_ms)

    def newest(self, most: int) -> list[Record]:
        """Return the newest undelivered reports, the newest first."""
        found = [one for one in records(self.path.read_bytes()) if one.offset in self.pending]
        found.sort(key=lambda record: record.time_ms, reverse=True)
        return found[:most]

    def delivered(self, offsets: list[int]) -> None:
        """Remember that these reports have arrived."""
        self.pending.difference_update(offsets)
        if not self.pending:
            return  # the whole file goes next
        content = b"".join(
            DONE.pack(offset, zlib.crc32(struct.pack(">I", offset))) for offset in offsets
        )
        descriptor = os.open(self.done_path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            write_whole(descriptor, content, self._done_bytes)
            self._done_bytes += len(content)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Delete both files; the reports first, so that none is left without its marks."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.done_path.unlink(missing_ok=True)
