"""Keeps reports until the server has them: on disk, or the newest in memory when that fails."""

from __future__ import annotations

import fcntl
import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from hostpulse_agent.segment import DONE_SUFFIX, SUFFIX, Segment

SEGMENT_PARTS = 64  # a full spool loses one part of this many at a time
MIN_SEGMENT_BYTES = 4096
# Of the disk this much stays free for others.
SPARED_PERCENT = 5
SPARED_BYTES = 512 << 20


class SpoolError(Exception):
    """The directory cannot be used; the text says why in one sentence."""


@dataclass(frozen=True)
class Waiting:
    """A report that waits: in a segment at an offset, or in memory (segment None)."""

    time_ms: int
    report: bytes
    segment: Segment | None = None
    offset: int = 0


@dataclass(frozen=True)
class Limits:
    """How much the spool may hold."""

    max_bytes: int = 64 << 20
    max_age_ms: int = 24 * 3600 * 1000
    max_in_memory: int = 120


class Spool:
    """Reports by age in segment files; with `directory` None only in memory.

    Only the agent's sending thread and its collecting thread use it, under the lock of
    `Delivery`.
    """

    def __init__(self, directory: Path | None, limits: Limits) -> None:
        self._directory = directory
        self._limits = limits
        self._memory: deque[Waiting] = deque()
        self._segments: list[Segment] = []
        self._writing: Segment | None = None
        self._next_number = 1
        self._lock_descriptor = -1
        self.dropped = 0
        self.disk_error = ""
        if directory is not None:
            self._open(directory)

    def _open(self, directory: Path) -> None:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_descriptor = os.open(
                directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            fcntl.flock(self._lock_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SpoolError(f"spool: another agent uses {directory}") from error
        except OSError as error:
            raise SpoolError(f"spool: cannot write to {directory}: {error.strerror}") from error
        for marks in directory.glob("*" + DONE_SUFFIX):
            if not marks.with_suffix(SUFFIX).exists():
                marks.unlink()  # it must not speak for a later segment of the same number
        for path in sorted(directory.glob("*" + SUFFIX)):
            self._next_number = max(self._next_number, _number(path) + 1)
            segment = Segment.opened(path)
            if segment.pending:
                self._segments.append(segment)
            else:
                segment.remove()

    @property
    def reports(self) -> int:
        """How many reports wait."""
        return len(self._memory) + sum(len(segment.pending) for segment in self._segments)

    @property
    def size_bytes(self) -> int:
        """How much they take, on disk and in memory."""
        in_memory = sum(len(waiting.report) for waiting in self._memory)
        return in_memory + sum(segment.size_bytes for segment in self._segments)

    def put(self, time_ms: int, report: bytes) -> None:
        """Keep a report; drop the oldest ones if there is no room."""
        self.expire(time_ms)
        if self._directory is None or not self._put_on_disk(time_ms, report):
            self._memory.append(Waiting(time_ms, report))
            while len(self._memory) > self._limits.max_in_memory:
                self._memory.popleft()
                self.dropped += 1

    def _put_on_disk(self, time_ms: int, report: bytes) -> bool:
        try:
            self._refuse_last_of_disk()
            segment = self._open_segment()
            segment.append(time_ms, report)
        except OSError as error:
            self.disk_error = f"spool: {error.strerror}; the newest reports wait in memory"
            self._writing = None  # what failed once is not trusted with more
            return False
        self.disk_error = ""
        if segment not in self._segments:
            self._segments.append(segment)
        self._make_room()
        return True

    def _refuse_last_of_disk(self) -> None:
        assert self._directory is not None  # noqa: S101 - put() asks only with a directory
        disk = os.statvfs(self._directory)
        spared = min(disk.f_blocks * disk.f_frsize * SPARED_PERCENT // 100, SPARED_BYTES)
        if disk.f_bavail * disk.f_frsize < spared:
            raise OSError(28, "the disk is nearly full")

    def _open_segment(self) -> Segment:
        """Return the segment being written; a new one when it is full or delivered."""
        most = max(self._limits.max_bytes // SEGMENT_PARTS, MIN_SEGMENT_BYTES)
        current = self._writing
        if current is not None and current in self._segments and current.size_bytes < most:
            return current
        assert self._directory is not None  # noqa: S101 - as above
        path = self._directory / f"{self._next_number:010d}{SUFFIX}"
        self._next_number += 1
        self._writing = Segment(path)
        return self._writing

    def _make_room(self) -> None:
        while self.size_bytes > self._limits.max_bytes and len(self._segments) > 1:
            self._drop(self._segments[0])

    def expire(self, now_ms: int) -> None:
        """Drop segments whose newest report is too old."""
        oldest = now_ms - self._limits.max_age_ms
        for segment in [one for one in self._segments if one.newest_ms < oldest]:
            self._drop(segment)

    def _drop(self, segment: Segment) -> None:
        self.dropped += len(segment.pending)
        self._segments.remove(segment)
        segment.remove()

    def newest(self, most: int, max_bytes: int) -> list[Waiting]:
        """Return the newest reports, newest first, of memory or else of one segment."""
        found: list[Waiting] = list(self._memory)[::-1][:most]
        if not found:
            found = self._newest_on_disk(most)
        size = 0
        for place, waiting in enumerate(found):
            size += len(waiting.report)
            if size > max_bytes and place:
                return found[:place]
        return found

    def _newest_on_disk(self, most: int) -> list[Waiting]:
        while self._segments:
            segment = max(self._segments, key=lambda one: one.newest_ms)
            records = segment.newest(most)
            if records:
                return [Waiting(one.time_ms, one.report, segment, one.offset) for one in records]
            self._drop(segment)  # somebody spoiled the file; what it held is lost and counted
        return []

    def delivered(self, done: list[Waiting]) -> None:
        """Forget reports that the server has."""
        for waiting in done:
            if waiting.segment is None:
                self._memory.remove(waiting)
        for segment in [one for one in self._segments if one.pending]:
            offsets = [one.offset for one in done if one.segment is segment]
            if offsets:
                self._delivered_from(segment, offsets)

    def _delivered_from(self, segment: Segment, offsets: list[int]) -> None:
        try:
            segment.delivered(offsets)
        except OSError as error:
            # Only a restart would send them again, and the server knows them.
            self.disk_error = f"spool: {error.strerror}"
        if not segment.pending:
            self._segments.remove(segment)
            segment.remove()

    def close(self) -> None:
        """Write what waits in memory to the disk if that works again, and let go of the files."""
        if self._directory is not None:
            for waiting in list(self._memory):
                if not self._put_on_disk(waiting.time_ms, waiting.report):
                    break
                self._memory.popleft()
        for segment in self._segments:
            segment.close()
        if self._lock_descriptor >= 0:
            os.close(self._lock_descriptor)
            self._lock_descriptor = -1


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdigit() else 0
