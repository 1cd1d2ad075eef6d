"""Parquet files that are not what was written: noticed by whoever reads them, and set aside."""

from __future__ import annotations

from pathlib import Path

import structlog

from hostpulse.storage.file.archive import Archive
from hostpulse.storage.file.parquet import Damaged
from hostpulse.storage.file.quarantine import Quarantine
from hostpulse.storage.file.recovery import Shelves
from hostpulse.storage.file.shelf import SealedFile, Shelf
from hostpulse.storage.grid import Grid, of_samples

_log = structlog.get_logger("hostpulse.storage")


class Damage:
    """Takes damaged files from their shelves; all is called by who may change files."""

    def __init__(self, shelves: Shelves, quarantine: Quarantine) -> None:
        self._shelves = shelves
        self._quarantine = quarantine

    def whole(self, shelf: Shelf, file: SealedFile) -> Grid:
        """Return all of a file, nothing of one that is damaged or that somebody took away."""
        try:
            return Archive.whole(file)
        except FileNotFoundError:
            pass
        except Damaged as error:
            self._set_aside(shelf, file, error)
        return of_samples(())

    def inspect(self, shelf: Shelf, path: Path) -> bool:
        """Set a file aside if it is damaged still; return False if it was not."""
        file = next((one for one in shelf.files() if one.path == path), None)
        if file is not None:
            self.whole(shelf, file)
        return file is not None and file not in shelf.files()

    def _set_aside(self, shelf: Shelf, file: SealedFile, error: Damaged) -> None:
        server, tier = file.path.parts[-3:-1]
        aside = self._quarantine.take(file.path, f"{server}-{tier}-{file.path.name}")
        with self._shelves.lock:
            shelf.drop_files([file])
        _log.error("a damaged file is set aside", problem=str(error), kept_in=str(aside))
