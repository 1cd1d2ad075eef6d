"""What is there when a folder is opened: first which samples the journal has, then their values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import Event, Lock

import msgspec
import structlog

from hostpulse.report import Layout, Sample
from hostpulse.storage.file import journal, places, records
from hostpulse.storage.file.durable import TEMPORARY, told_in_words
from hostpulse.storage.file.journal import Segment
from hostpulse.storage.file.quarantine import Quarantine
from hostpulse.storage.file.records import FORGOTTEN, Contents, Entry
from hostpulse.storage.file.shelf import Files, SealedFile, Shelf
from hostpulse.storage.tiers import DAY_MS, HOUR_MS

_AT_ONCE = 200

_log = structlog.get_logger("hostpulse.storage")


class Shelves:
    """The shelf of every server; `lock` guards them and what is in them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_name: dict[bytes, Shelf] = {}
        self._by_owner: dict[tuple[str, str], Shelf] = {}
        self.lock = Lock()

    def get(self, tenant: str, server: str) -> Shelf | None:
        """Return the shelf of a server, if it has one."""
        return self._by_owner.get((tenant, server))

    def require(self, tenant: str, server: str) -> Shelf:
        """Return the shelf of a server, a new one if need be."""
        shelf = self._by_owner.get((tenant, server))
        if shelf is None:
            name = records.name_of(tenant, server)
            folder = places.server_folder(self._root, tenant, server)
            shelf = Shelf(tenant, server, name, folder)
            self._by_owner[tenant, server] = self._by_name[name] = shelf
        return shelf

    def named(self, name: bytes) -> Shelf:
        """Return the shelf of the server that a line of the journal is about."""
        return self._by_name.get(name) or self.require(*records.owner_of(name))

    def all(self) -> list[Shelf]:
        """Return every shelf there is now."""
        with self.lock:
            return list(self._by_owner.values())

    def drop(self, shelf: Shelf) -> None:
        """Forget a shelf; a new one takes its place when samples come."""
        shelf.drop_pending()
        if self._by_name.get(shelf.name) is shelf:
            del self._by_name[shelf.name]
            del self._by_owner[shelf.tenant, shelf.server]


def scan_journal(
    shelves: Shelves, segments: list[Segment], quarantine: Quarantine | None
) -> dict[bytes, Layout]:
    """Learn which samples the segments have; return the layouts they name.

    Damaged bytes are copied to `quarantine`.
    """
    layouts: dict[bytes, Layout] = {}
    for segment in segments:
        contents = journal.read_segment(segment.path)
        if quarantine is not None:
            journal.set_damage_aside(segment.path, contents, quarantine)
        for name, layout in contents.layouts.items():
            layouts.setdefault(name, layout)
        segment.samples = len(contents.entries)
        for entry in contents.entries:
            shelf = shelves.named(entry.name)
            if entry.time_ms == FORGOTTEN:
                shelves.drop(shelf)
            else:
                shelf.note_pending(entry.time_ms, segment)
    return layouts


def load_values(
    shelves: Shelves, segment: Segment, layouts: Mapping[bytes, Layout], is_closing: Event
) -> int:
    """Bring the samples of a segment into memory; return how many cannot be read.

    Appends and reads go on meanwhile.
    """
    lost = 0
    contents = journal.read_segment(segment.path)
    batch: list[tuple[Shelf, Sample]] = []
    for shelf, entry in _still_pending(shelves, segment, contents):
        if entry.layout in layouts:
            layout, values = layouts[entry.layout], records.values_of(entry.rest)
            batch.append((shelf, Sample(shelf.server, entry.time_ms, layout, values)))
        else:
            lost += 1
            with shelves.lock:
                shelf.note_sealed(entry.time_ms)
        if len(batch) == _AT_ONCE:
            _put(shelves, batch)
            if is_closing.is_set():
                return lost
    _put(shelves, batch)
    return lost


def _still_pending(
    shelves: Shelves, segment: Segment, contents: Contents
) -> Iterator[tuple[Shelf, Entry]]:
    forgotten = {
        entry.name: at for at, entry in enumerate(contents.entries) if entry.time_ms == FORGOTTEN
    }
    for at, entry in enumerate(contents.entries):
        if entry.time_ms == FORGOTTEN or at < forgotten.get(entry.name, -1):
            continue
        shelf = shelves.named(entry.name)
        hour_ms = entry.time_ms - entry.time_ms % HOUR_MS
        if shelf.pending.get(hour_ms, {}).get(entry.time_ms) is segment:
            yield shelf, entry


def _put(shelves: Shelves, batch: list[tuple[Shelf, Sample]]) -> None:
    with shelves.lock:
        for shelf, sample in batch:
            if shelf.is_pending(sample.time_ms):
                shelf.put(sample)
    batch.clear()


def find_files(shelves: Shelves, root: Path, clean: bool) -> None:
    """Learn which Parquet files there are; `clean` removes what a crash left half made."""
    tenants = root / "tenants"
    if not tenants.is_dir():
        return
    with told_in_words(f"Cannot read the folder {tenants}"):
        for folder in (found for tenant in tenants.iterdir() for found in tenant.iterdir()):
            try:
                owner = places.read_owner(folder)
            except (OSError, msgspec.MsgspecError) as error:
                _log.warning("a folder of no known server", folder=str(folder), problem=str(error))
                continue
            shelf = shelves.require(owner.tenant, owner.server)
            find_files_of(shelf, clean)


def find_files_of(shelf: Shelf, clean: bool) -> None:
    """Learn which Parquet files of one server there are."""
    raw = _files(shelf.folder / places.RAW, clean)
    shelf.hours = _by_start(one for one in raw if one.end_ms - one.start_ms == HOUR_MS)
    shelf.days = _by_start(one for one in raw if one.end_ms - one.start_ms == DAY_MS)
    shelf.minute_days = _by_start(_files(shelf.folder / places.MINUTE, clean))
    shelf.hour_months = _by_start(_files(shelf.folder / places.HOUR, clean))
    shelf.complete_from_ms = max((one.end_ms for one in raw), default=0)


def _by_start(files: Iterable[SealedFile]) -> Files:
    return {one.start_ms: one for one in files}


def _files(folder: Path, clean: bool) -> list[SealedFile]:
    try:
        found = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    files = []
    for entry in found:
        span = places.span(entry.name)
        if span is not None:
            files.append(SealedFile(Path(entry.path), *span, entry.stat().st_size))
        elif clean and entry.name.endswith(TEMPORARY):
            Path(entry.path).unlink(missing_ok=True)
    return files
