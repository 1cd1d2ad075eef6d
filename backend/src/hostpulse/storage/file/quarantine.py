"""Damaged bytes, set aside for people to look at; we delete none of them."""

from __future__ import annotations

import os
from pathlib import Path

from hostpulse.storage import Lost
from hostpulse.storage.file.durable import TEMPORARY, make_folder, told_in_words, write_file


class Quarantine:
    """The folder of what is damaged; it is made when there is something to put into it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, content: bytes) -> Path:
        """Keep a copy of damaged bytes; return where."""
        make_folder(self._folder)
        write_file(self._folder / name, content)
        return self._folder / name

    def take(self, file: Path, name: str) -> Path:
        """Move a damaged file here; return where it is now."""
        make_folder(self._folder)
        return file.replace(self._folder / name)

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
        return Lost(len(sizes), sum(sizes))
