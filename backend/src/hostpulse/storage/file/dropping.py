"""Drops what is older than is kept, or more than the disk budget allows, a step at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from hostpulse.storage import StorageError
from hostpulse.storage.file import places
from hostpulse.storage.file.durable import told_in_words, write_file
from hostpulse.storage.file.journal import Journal
from hostpulse.storage.file.recovery import Shelves
from hostpulse.storage.file.sealing import Sealing, remove
from hostpulse.storage.file.shelf import SealedFile, Shelf
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, Tier

_NEVER = 2**63
_MB = 1_000_000

_log = structlog.get_logger("hostpulse.storage")


class Limits(NamedTuple):
    """How long each tier is kept, and how much of the disk all may take; 0 is no limit."""

    tiers: Sequence[Tier]
    budget_bytes: int


class Dropping:
    """Drops the oldest files of each tier; `stamps` is the file of when that was done last."""

    def __init__(
        self,
        shelves: Shelves,
        journal: Journal,
        sealing: Sealing,
        limits: Limits,
        stamps: Path,
    ) -> None:
        self._shelves = shelves
        self._journal = journal
        self._sealing = sealing
        self._tiers, self._budget_bytes = limits
        self._stamps = stamps
        self._dropped_ms = _read_stamps(stamps)

    def run(self, now_ms: int) -> None:
        """Drop a step of each tier, a day or a month, and no other for an hour, restarts or not.

        A clock may have leapt ahead: somebody should have the time to see it. Raises StorageError,
        also where the budget cannot be kept.
        """
        with told_in_words("Cannot drop old samples"):
            shelves = self._shelves.all()
            ends = [_oldest_end(shelves, tier) for tier in range(len(self._tiers))]
            due = [i for i, end_ms in enumerate(ends) if self._is_due(i, end_ms, now_ms)]
            if due:
                self._stamp({self._tiers[i].name: now_ms for i in due})
            elif self._is_over_budget(shelves):
                if problem := self.budget_problem(now_ms):
                    raise StorageError(problem)
                due = [i for i, end_ms in enumerate(ends) if end_ms <= now_ms][:1]
            for tier in due:
                for shelf in shelves:
                    self._drop(shelf, tier, ends[tier])
                _log.info("old samples dropped", tier=self._tiers[tier].name,
                          before=places.moment(ends[tier]))  # fmt: skip

    def budget_problem(self, now_ms: int) -> str:
        """Return why the disk budget cannot be kept, empty where it can."""
        journal_bytes = self._journal.size_bytes()
        files = [file for shelf in self._shelves.all() for file in shelf.files()]
        staying = journal_bytes + _size(file for file in files if _drop_end(file) > now_ms)
        if not self._budget_bytes or staying <= self._budget_bytes:
            return ""
        alone = journal_bytes > self._budget_bytes
        what = "the journal alone needs" if alone else "the journal and the newest files need"
        needed = journal_bytes if alone else staying
        return (
            f"disk_budget_mb: {what} {needed / _MB:.1f} MB, and the budget is "
            f"{self._budget_bytes / _MB:.1f} MB. Older samples stay, as dropping them would not be "
            "enough; raise the budget."
        )

    def _is_due(self, tier: int, end_ms: int, now_ms: int) -> bool:
        dropped_ms = self._dropped_ms.get(self._tiers[tier].name, -HOUR_MS)
        is_over = end_ms <= now_ms - self._tiers[tier].keep_ms
        return is_over and not 0 <= now_ms - dropped_ms < HOUR_MS

    def _stamp(self, dropped_ms: dict[str, int]) -> None:
        self._dropped_ms |= dropped_ms
        try:
            write_file(self._stamps, msgspec.json.encode(self._dropped_ms) + b"\n")
        except OSError as error:  # on a full disk it is dropping that makes room
            _log.warning("a restart may drop another step", problem=error.strerror)

    def _is_over_budget(self, shelves: Sequence[Shelf]) -> bool:
        if not self._budget_bytes:
            return False
        sealed = _size(file for shelf in shelves for file in shelf.files())
        return sealed + self._journal.size_bytes() > self._budget_bytes

    def _drop(self, shelf: Shelf, tier: int, end_ms: int) -> None:
        with self._sealing.files_lock:
            if tier == 0:
                self._sealing.finish(shelf, end_ms)
            else:
                self._sealing.merge_days(shelf, end_ms)
            with self._shelves.lock:
                files = [file for file in shelf.tier(tier) if _drop_end(file) <= end_ms]
                shelf.drop_files(files)
                if tier == 0:
                    shelf.drop_rows(end_ms)
            remove(files)


def _read_stamps(path: Path) -> dict[str, int]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError):
        return {}


def _size(files: Iterable[SealedFile]) -> int:
    return sum(file.size_bytes for file in files)


def _drop_end(file: SealedFile) -> int:
    """Return the end of the step that a file goes with: its day, or its month."""
    return max(file.end_ms, file.start_ms - file.start_ms % DAY_MS + DAY_MS)


def _oldest_end(shelves: Iterable[Shelf], tier: int) -> int:
    return min((_drop_end(file) for shelf in shelves for file in shelf.tier(tier)), default=_NEVER)
