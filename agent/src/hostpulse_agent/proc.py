"""Reads the small files that the kernel shows, below a root directory."""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Mapping

CHUNK_BYTES = 32768
SHORT_BYTES = 2048
# What belongs to a process or to a device may give way to another of the same name.
HELD = re.compile(r"proc/(?!\d)")


class Tree:
    """The files of one machine: `/`, a mounted `/host`, or a recording.

    Names that are not UTF-8 come back with their odd bytes escaped, so that no text from here
    can fail to be encoded later. With `touched` every path asked for is remembered.

    The kernel's files in /proc, and this process's own, are opened once and then read from their
    start again and again: finding and opening one costs more than reading it. Only one thread may
    ask.
    """

    def __init__(self, root: str = "/", touched: set[str] | None = None) -> None:
        self.root = root.rstrip("/") + "/"
        self._touched = touched
        self._held: dict[str, int] = {}
        weakref.finalize(self, _close_all, self._held)

    def path(self, name: str) -> str:
        """Return the path of a name that is relative to the root."""
        path = self.root + name
        if self._touched is not None:
            self._touched.add(path)
        return path

    def note(self, path: str) -> None:
        """Remember a path outside the root that was asked for."""
        if self._touched is not None:
            self._touched.add(path)

    def content(self, name: str, is_short_the_end: bool = True) -> bytes:
        """Return all bytes of a file.

        The kernel answers page by page, and breaks off before a line that no longer fits. So what
        is much shorter than a page was all of it, unless lines can be as long as that.
        """
        held = self._held.get(name)
        if held is not None:
            try:
                return _whole(held, is_short_the_end)
            except OSError:  # its module was unloaded, or what was mounted on it is gone
                os.close(self._held.pop(name))
        descriptor = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            found = _whole(descriptor, is_short_the_end)
        except OSError:
            os.close(descriptor)
            raise
        if HELD.match(name):
            self._held[name] = descriptor
        else:
            os.close(descriptor)
        return found

    def text(self, name: str) -> str:
        """Return a file as text."""
        return self.content(name).decode("utf-8", "backslashreplace")

    def maybe(self, name: str) -> str:
        """Return a file as text, or nothing where the kernel does not show it."""
        try:
            return self.text(name)
        except OSError:
            return ""

    def number(self, name: str) -> int | None:
        """Return a file that holds one whole number, or None."""
        try:
            return int(self.content(name))
        except (OSError, ValueError):
            return None

    def names(self, name: str) -> list[str]:
        """Return what a directory holds, sorted; nothing when it is not there."""
        try:
            return sorted(os.listdir(self.path(name)))  # noqa: PTH208 - Path objects cost more
        except OSError:
            return []

    def count_numbered(self, name: str) -> int:
        """Count the entries of a directory whose names are numbers, like processes."""
        return sum(map(str.isdigit, os.listdir(self.path(name))))  # noqa: PTH208 - as above

    def exists(self, name: str) -> bool:
        return os.path.exists(self.path(name))  # noqa: PTH110 - called in every tick


def _whole(descriptor: int, is_short_the_end: bool) -> bytes:
    found = os.pread(descriptor, CHUNK_BYTES, 0)
    if is_short_the_end and len(found) < SHORT_BYTES:
        return found
    chunk = found
    while chunk:
        chunk = os.pread(descriptor, CHUNK_BYTES, len(found))
        found += chunk
    return found


def _close_all(held: Mapping[str, int]) -> None:
    for descriptor in held.values():
        os.close(descriptor)
