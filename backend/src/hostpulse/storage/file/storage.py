"""The storage `file:`: acknowledged means written and fsynced; everything lies in open formats."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock, Thread

import structlog
from filelock import FileLock, Timeout

from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Appended, Batch, Lost, Options, StorageError, Usage
from hostpulse.storage.file import recovery
from hostpulse.storage.file.archive import Archive
from hostpulse.storage.file.damage import Damage
from hostpulse.storage.file.dropping import Dropping, Limits
from hostpulse.storage.file.durable import make_folder, sync_folder, told_in_words
from hostpulse.storage.file.journal import Journal, keep_copy
from hostpulse.storage.file.parquet import Damaged
from hostpulse.storage.file.places import tenant_folder
from hostpulse.storage.file.quarantine import Quarantine
from hostpulse.storage.file.reading import Reading
from hostpulse.storage.file.records import name_of
from hostpulse.storage.file.recovery import Shelves
from hostpulse.storage.file.sealing import Sealing
from hostpulse.storage.file.shelf import Shelf
from hostpulse.storage.file.usage import usage_of
from hostpulse.storage.memory import keys_of
from hostpulse.storage.series import History, Wanted, Window, build
from hostpulse.storage.tiers import DAY_MS, choose

RAW_KEEP_MS = 8 * DAY_MS
_LOAD_SECONDS = 10.0

_log = structlog.get_logger("hostpulse.storage")


class FileStorage:
    """Keeps samples in a folder that one process writes; others may open it `read_only`.

    Raises StorageError when another process writes there or the folder cannot be used.
    """

    durability = "fsync"
    is_immediate = False

    def __init__(self, folder: Path, options: Options) -> None:
        self._folder = folder
        self._clock_ms = options.clock_ms
        self._tiers = options.retention.tiers(RAW_KEEP_MS)
        self._read_only = options.read_only
        if options.read_only:
            _require(folder)
        self._lock = None if options.read_only else _locked(folder)
        self._writing = Lock()
        self._failure = False
        self._closing = Event()
        self._loaded = Event()
        try:
            self._open(options)
        except BaseException:
            self._unlock()
            raise

    def _open(self, options: Options) -> None:
        journal = self._folder / "journal"
        self._quarantine = Quarantine(self._folder / "quarantine", self._read_only)
        self._shelves = Shelves(self._folder)
        self._journal = Journal(journal, self._clock_ms)
        self._archive = Archive()
        # Journal first: what is sealed between the two looks is then seen twice, not never.
        layouts = recovery.scan_journal(
            self._shelves, self._journal.segments, None if self._read_only else self._quarantine
        )
        recovery.find_files(self._shelves, self._folder, clean=not self._read_only)
        self._damage = Damage(self._shelves, self._quarantine)
        self._sealing = Sealing(self._shelves, self._damage, self._tiers)
        limits = Limits(self._tiers, options.budget_bytes)
        stamps = self._folder / "dropped.json"
        self._dropping = Dropping(self._shelves, self._journal, self._sealing, limits, stamps)
        self._reading = Reading(self._shelves, self._archive, self._look_again, self._set_aside)
        self._loader = Thread(
            target=self._load, args=(layouts,), name="storage-loader", daemon=True
        )
        self._loader.start()

    def _load(self, layouts: Mapping[bytes, Layout]) -> None:
        for segment in list(self._journal.segments):
            if not segment.pending or self._closing.is_set():
                continue
            try:
                lost = recovery.load_values(self._shelves, segment, layouts, self._closing)
                if lost and not self._read_only:
                    copy = keep_copy(segment.path, self._quarantine)
                    _log.error("samples whose layout is lost", count=lost, kept_in=str(copy))
            except Exception:  # noqa: BLE001 - it stays in the journal, the others go on
                _log.exception("a segment cannot be loaded", file=str(segment.path))
        self._loaded.set()

    def append(self, batches: Sequence[Batch]) -> list[Appended]:
        self._refuse_if_read_only()
        with self._writing:
            done, fresh = self._judge(batches)
            if fresh:
                self._keep(fresh)
        return done

    def _judge(self, batches: Sequence[Batch]) -> tuple[list[Appended], list[tuple[Shelf, Sample]]]:
        now_ms = self._clock_ms()
        oldest_ms = now_ms - self._tiers[0].keep_ms
        taken: set[tuple[Shelf, int]] = set()
        fresh: list[tuple[Shelf, Sample]] = []
        done = []
        for tenant, samples in batches:
            duplicates = too_old = 0
            for sample in samples:
                shelf = self._shelves.require(tenant, sample.server)
                place = (shelf, sample.time_ms)
                if place in taken or self._has(shelf, sample.time_ms):
                    duplicates += 1
                elif sample.time_ms < oldest_ms or shelf.is_closed(sample.time_ms, now_ms):
                    too_old += 1
                else:
                    taken.add(place)
                    fresh.append((shelf, sample))
            accepted = len(samples) - duplicates - too_old
            done.append(Appended(accepted, duplicates, too_old=too_old))
        return done, fresh

    def _has(self, shelf: Shelf, time_ms: int) -> bool:
        if shelf.is_pending(time_ms):
            return True
        while file := shelf.raw_file(time_ms):
            try:
                return self._archive.has_time(file, time_ms)
            except (OSError, Damaged):  # the journal takes it; it is merged by time once sealed
                if shelf.raw_file(time_ms) is file:
                    return False
        return False

    def _keep(self, fresh: Sequence[tuple[Shelf, Sample]]) -> None:
        try:
            segment = self._journal.write((shelf.name, sample) for shelf, sample in fresh)
        except StorageError:
            self._failure = True
            raise
        self._failure = False
        with self._shelves.lock:
            for shelf, sample in fresh:
                shelf.note_pending(sample.time_ms, segment)
                shelf.put(sample)

    def history(self, tenant: str, server: str, wanted: Wanted, window: Window) -> History:
        shelf = self._shelf(tenant, server)
        choice = choose(window, self._tiers, self._clock_ms())
        if shelf is None:
            return build([], {}, window if choice.raw_may_do else choice.window)
        return self._reading.history(shelf, wanted, window, choice)

    def series(self, tenant: str, server: str) -> list[Key]:
        shelf = self._shelf(tenant, server)
        if shelf is None:
            return []
        with self._shelves.lock:
            rows = list(shelf.rows)
        return list(dict.fromkeys([*keys_of(rows), *self._reading.keys(shelf)]))

    def samples(self, tenant: str, server: str, start_ms: int, end_ms: int) -> Iterator[Sample]:
        shelf = self._shelf(tenant, server)
        if shelf is not None:
            yield from self._reading.samples(shelf, start_ms, end_ms)

    def forget(self, tenant: str, server: str) -> None:
        self._refuse_if_read_only()
        with self._sealing.files_lock, self._writing:
            shelf = self._shelves.require(tenant, server)
            with self._shelves.lock:
                self._shelves.drop(shelf)
                shelf.drop_files(shelf.files())
                shelf.rows.clear()
            with told_in_words(f"Cannot delete {shelf.folder}"):
                if shelf.folder.exists():
                    shutil.rmtree(shelf.folder)
                    sync_folder(shelf.folder.parent)
            self._journal.forget(name_of(tenant, server))

    def forget_tenant(self, tenant: str) -> None:
        self._refuse_if_read_only()
        folder = tenant_folder(self._folder, tenant)
        with self._sealing.files_lock, self._writing, told_in_words(f"Cannot delete {folder}"):
            if folder.exists():
                folder.rmdir()
                sync_folder(folder.parent)

    def maintain(self) -> None:
        if self._loaded.is_set() and not self._read_only:
            try:
                try:
                    self._dropping.run(self._clock_ms())
                finally:
                    self._sealing.run(self._clock_ms())
            finally:
                with self._writing, told_in_words("Cannot drop a sealed segment of the journal"):
                    self._journal.drop_sealed()

    def usage(self) -> Usage:
        self._wait_until_loaded()
        shelves = self._shelves.all()
        with self._shelves.lock:
            pending = {shelf: shelf.pending_rows() for shelf in shelves}
        problem = self._dropping.budget_problem(self._clock_ms())
        return usage_of(pending, self._journal, self._reading, self._tiers, problem)

    def lost(self) -> Lost:
        return self._quarantine.lost()

    def check(self) -> None:
        if self._read_only:
            return
        if not os.access(self._folder / "journal", os.W_OK | os.X_OK):
            raise StorageError(
                f"The folder {self._folder} is missing or this user may not write to it; bring it "
                "back."
            )
        if self._failure:
            self._journal.is_writable()

    def close(self) -> None:
        self._closing.set()
        self._loader.join()
        with self._writing:
            self._journal.close()
        self._unlock()

    def _shelf(self, tenant: str, server: str) -> Shelf | None:
        self._wait_until_loaded()
        return self._shelves.get(tenant, server)

    def _wait_until_loaded(self) -> None:
        """Return once all samples can be read; who opened the folder to read has the time."""
        if not self._loaded.wait(None if self._read_only else _LOAD_SECONDS):
            raise StorageError(
                f"The samples in {self._folder} are still being read after the start; ask again "
                "in a moment."
            )

    def _look_again(self, shelf: Shelf) -> None:
        with self._sealing.files_lock, self._shelves.lock:
            recovery.find_files_of(shelf, clean=False)

    def _set_aside(self, shelf: Shelf, path: Path) -> bool:
        with self._sealing.files_lock:
            return self._damage.inspect(shelf, path)

    def _refuse_if_read_only(self) -> None:
        if self._read_only:
            raise StorageError(f"The folder {self._folder} is open for reading only.")

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.release()


def _locked(folder: Path) -> FileLock:
    try:
        make_folder(folder / "journal")
        lock = FileLock(folder / "lock", thread_local=False)
        lock.acquire(timeout=0)
    except Timeout:
        raise StorageError(
            f"storage: another Hostpulse keeps samples in the folder {folder}; stop it, or "
            "give this one a folder of its own with --storage file:FOLDER."
        ) from None
    except OSError as error:
        raise StorageError(
            f"storage: cannot use the folder {folder} ({error.strerror or error}); choose one that "
            "this user may write to, with --storage file:FOLDER, and start again."
        ) from error
    return lock


def _require(folder: Path) -> None:
    """Return if there is a folder to read; raises StorageError."""
    if not (folder / "journal").is_dir():
        what = "holds no samples of Hostpulse" if folder.is_dir() else "is not there"
        raise StorageError(
            f"storage: the folder {folder} {what}; name the one of your server with --storage "
            "file:FOLDER, or with --data-dir, or start that server first."
        )
