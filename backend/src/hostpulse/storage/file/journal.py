"""The journal: what was acknowledged and is not sealed yet, in segments of ten minutes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import structlog

from hostpulse.report import Layout, Sample
from hostpulse.storage import StorageError
from hostpulse.storage.file import records
from hostpulse.storage.file.durable import (
    in_words,
    make_folder,
    sync_folder,
    told_in_words,
    write_file,
)
from hostpulse.storage.file.quarantine import Quarantine
from hostpulse.storage.file.records import Contents
from hostpulse.storage.tiers import MINUTE_MS

SEGMENT_MS = 10 * MINUTE_MS
_SUFFIX = ".jsonl"
_O_BINARY = getattr(os, "O_BINARY", 0)

_log = structlog.get_logger("hostpulse.storage")


@dataclass(slots=True, eq=False)
class Segment:
    """A file of the journal; `pending` of its `samples` are in no other file yet."""

    path: Path
    start_ms: int
    pending: int = 0
    samples: int = 0


class Journal:
    """Appends to the newest segment, one write and one fsync at a time."""

    def __init__(self, folder: Path, clock_ms: Callable[[], int]) -> None:
        self._folder = folder
        self._clock_ms = clock_ms
        self._lines: WeakKeyDictionary[Layout, tuple[bytes, bytes]] = WeakKeyDictionary()
        self._active: _ActiveSegment | None = None
        self.segments = [Segment(path, int(path.stem)) for path in segment_files(folder)]

    def write(self, samples: Iterable[tuple[bytes, Sample]]) -> Segment:
        """Make samples durable, each with the name of its server; raises StorageError."""
        with told_in_words(f"Cannot write the journal in {self._folder}"):
            active = self._segment_for_writing()
        lines: list[bytes] = []
        fresh: dict[Layout, bytes] = {}
        count = 0
        for name, sample in samples:
            layout = active.layouts.get(sample.layout) or fresh.get(sample.layout)
            if layout is None:
                layout, line = self._layout(sample.layout)
                fresh[sample.layout] = layout
                lines.append(line)
            lines.append(records.sample_line(name, sample.time_ms, layout, sample.values))
            count += 1
        self._write(active, b"".join(lines))
        active.segment.samples += count
        active.layouts |= fresh
        return active.segment

    def forget(self, name: bytes) -> None:
        """Make it durable that what was written about a server does not count."""
        with told_in_words(f"Cannot write the journal in {self._folder}"):
            active = self._segment_for_writing()
        self._write(active, records.forget_line(name))

    def is_writable(self) -> None:
        """Return if the next write has a chance; raises StorageError."""
        probe = self._folder / "probe"
        with told_in_words(f"Cannot write the journal in {self._folder}"):
            write_file(probe, b"\n" * 4096)
            probe.unlink()

    def drop_sealed(self) -> None:
        """Remove the oldest segments up to the first that is still needed; not during a write.

        Never one from between: it may say that a server of an older one was forgotten.
        """
        while self.segments and not self.segments[0].pending:
            segment = self.segments[0]
            if self._active is not None and self._active.segment is segment:
                self.close()
            segment.path.unlink(missing_ok=True)
            sync_folder(self._folder)
            del self.segments[0]

    def size_bytes(self) -> int:
        """Return what the segments take on the disk."""
        return sum(map(_size_bytes, segment_files(self._folder)))

    def sample_count(self) -> int:
        """Return how many samples the segments have, those that are sealed already too."""
        return sum(segment.samples for segment in list(self.segments))

    def close(self) -> None:
        """Close the segment; the next write opens another."""
        if self._active is not None:
            self._active.close()
            self._active = None

    def _layout(self, layout: Layout) -> tuple[bytes, bytes]:
        known = self._lines.get(layout)
        if known is None:
            name = records.layout_id(layout)
            known = self._lines[layout] = (name, records.layout_line(name, layout))
        return known

    def _segment_for_writing(self) -> _ActiveSegment:
        now_ms = self._clock_ms()
        active = self._active
        if active is not None and active.is_gone():
            self.close()
            raise StorageError(
                f"The journal in {self._folder} was removed while Hostpulse runs: what it held is "
                "only in memory until it is sealed; do not touch that folder."
            )
        if active is not None and abs(now_ms - active.opened_ms) < SEGMENT_MS:
            return active
        self.close()
        newest_ms = self.segments[-1].start_ms if self.segments else -1
        start_ms = max(now_ms, newest_ms + 1)
        make_folder(self._folder)
        segment = Segment(self._folder / f"{start_ms}{_SUFFIX}", start_ms)
        self._active = _ActiveSegment(segment, now_ms)
        self.segments.append(segment)
        try:
            sync_folder(self._folder)
        except OSError:
            self.close()  # its name may be lost in a power cut
            raise
        return self._active

    def _write(self, active: _ActiveSegment, data: bytes) -> None:
        try:
            active.write(data)
        except OSError as error:
            if active.is_spoilt:
                self.close()
            raise in_words(f"Cannot write the journal in {self._folder}", error) from error


class _ActiveSegment:
    """The segment that is written to; `layouts` are those it already explains."""

    def __init__(self, segment: Segment, opened_ms: int) -> None:
        self.segment = segment
        self.opened_ms = opened_ms
        self.layouts: dict[Layout, bytes] = {}
        self.is_spoilt = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | _O_BINARY
        self._descriptor = os.open(segment.path, flags, 0o600)
        self._size = 0

    def is_gone(self) -> bool:
        """Tell whether the file has no name any more: what is written to it would be lost."""
        return os.fstat(self._descriptor).st_nlink == 0

    def write(self, data: bytes) -> None:
        """Write and fsync; when that fails, take back what was written.

        A failed fsync says nothing about what a second one would save: the segment `is_spoilt`.
        """
        try:
            if os.write(self._descriptor, data) != len(data):
                raise OSError(errno.ENOSPC, "short write")  # what a full disk does first
            self.is_spoilt = True
            os.fsync(self._descriptor)
            self.is_spoilt = False
        except OSError:
            self._take_back()
            raise
        self._size += len(data)

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError as error:
            self.is_spoilt = True
            _log.warning("a failed write stays in the journal", file=str(self.segment.path),
                         offset=self._size, problem=error.strerror)  # fmt: skip

    def close(self) -> None:
        os.close(self._descriptor)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # sealed meanwhile
        return 0


def segment_files(folder: Path) -> list[Path]:
    """Return the segments of a journal, the oldest first."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.suffix == _SUFFIX and path.stem.isdigit()]
    return sorted(found, key=lambda path: int(path.stem))


def read_segment(path: Path) -> Contents:
    """Read a segment as it lies there; one that is gone was sealed meanwhile and is empty."""
    with told_in_words(f"Cannot read {path}"):
        try:
            return records.read(path.read_bytes())
        except FileNotFoundError:
            return Contents()


def keep_copy(path: Path, quarantine: Quarantine) -> Path:
    """Copy a segment into the quarantine; return the copy."""
    with told_in_words(f"Cannot keep a copy of {path}"):
        return quarantine.keep(path.name, path.read_bytes())


def set_damage_aside(path: Path, contents: Contents, quarantine: Quarantine) -> None:
    """Copy what is no record into the quarantine; of a torn tail the segment is rid as well."""
    if not contents.damaged:
        return
    with told_in_words(f"Cannot set damaged bytes of {path} aside"):
        data = path.read_bytes()
        for start, end in contents.damaged:
            copy = quarantine.keep(f"{path.stem}.{start}", data[start:end])
            _log.warning("damaged bytes in the journal", file=str(path), offset=start,
                         size=end - start, kept_in=str(copy))  # fmt: skip
        start, end = contents.damaged[-1]
        if end == len(data):
            with path.open("r+b") as file:
                file.truncate(start)
                os.fsync(file.fileno())
