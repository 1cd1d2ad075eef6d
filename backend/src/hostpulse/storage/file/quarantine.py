"""Damaged bytes, set aside for people to look at; we delete none of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from hostpulse.storage import Lost
from hostpulse.storage.file.durable import TEMPORARY, make_folder, told_in_words, write_file


class Quarantine:
    """The folder of what is damaged; it is made when there is something to put into it.

    `read_only` leaves damaged files where they are and counts them there.
    """

    def __init__(self, folder: Path, read_only: bool) -> None:
        self._folder = folder
        self._read_only = read_only
        self._left: dict[Path, int] = {}

    def keep(self, name: str, content: bytes) -> Path:
        """Keep a copy of damaged bytes, one however often they are found; return where."""
        make_folder(self._folder)
        path = next(
            path for path in self._paths(name) if not path.exists() or path.read_bytes() == content
        )
        if not path.exists():
            write_file(path, content)
        return path

    def take(self, file: Path, name: str) -> Path:
        """Move a damaged file here; return where it is now."""
        if self._read_only:
            self._left[file] = file.stat().st_size
            return file
        make_folder(self._folder)
        return file.replace(next(path for path in self._paths(name) if not path.exists()))

    def lost(self) -> Lost:
        """Return what lies here, from this run and from earlier ones."""
        with told_in_words(f"Cannot read the folder {self._folder}"):
            try:
                with os.scandir(self._folder) as found:
                    sizes = [
                        entry.stat().st_size
                        for entry in found
                        if not entry.name.endswith(TEMPORARY)
                    ]
            except FileNotFoundError:
                sizes = []
        sizes += [size for file, size in self._left.items() if file.exists()]
        return Lost(len(sizes), sum(sizes))

    def _paths(self, name: str) -> Iterator[Path]:
        """Yield where something of this name may lie: the same file can be damaged again."""
        yield self._folder / name
        for number in count(2):
            yield self._folder / f"{name}.{number}"
