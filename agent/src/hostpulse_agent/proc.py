"""Reads the small files that the kernel shows, below a root directory."""

from __future__ import annotations

import os

CHUNK_BYTES = 32768
SHORT_BYTES = 2048


class Tree:
    """The files of one machine: `/`, a mounted `/host`, or a recording.

    Names that are not UTF-8 come back with their odd bytes escaped, so that no text from here
    can fail to be encoded later. With `touched` every path asked for is remembered.
    """

    def __init__(self, root: str = "/", touched: set[str] | None = None) -> None:
        self.root = root.rstrip("/") + "/"
        self._touched = touched

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
        descriptor = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            chunk = os.read(descriptor, CHUNK_BYTES)
            if is_short_the_end and len(chunk) < SHORT_BYTES:
                return chunk
            chunks = [chunk]
            while chunk:
                chunk = os.read(descriptor, CHUNK_BYTES)
                chunks.append(chunk)
            return b"".join(chunks)
        finally:
            os.close(descriptor)

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
