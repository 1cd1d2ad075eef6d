"""What the journal and the files of each tier take, and what a day of the present fleet does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hostpulse.report import Sample
from hostpulse.storage import TierUsage, Usage
from hostpulse.storage.file import places
from hostpulse.storage.file.journal import Journal
from hostpulse.storage.file.reading import Reading
from hostpulse.storage.file.shelf import SealedFile, Shelf
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS, Tier


def usage_of(
    pending: Mapping[Shelf, Sequence[Sample]],
    journal: Journal,
    reading: Reading,
    tiers: Sequence[Tier],
    problem: str,
) -> Usage:
    """Return what all takes; `pending` are the rows of each shelf that only the journal has."""
    journal_bytes = journal.size_bytes()
    share = journal_bytes / max(journal.sample_count(), 1)
    servers = {
        (shelf.tenant, shelf.server): sum(file.size_bytes for file in shelf.files())
        + int(share * len(some))
        for shelf, some in pending.items()
    }
    sealed = [_tier(list(pending), i, tier, reading) for i, tier in enumerate(tiers)]
    rows = [row for some in pending.values() for row in some]
    return Usage([_journal(rows, journal_bytes, journal.sample_count()), *sealed], servers, problem)


def _journal(rows: Sequence[Sample], size_bytes: int, samples: int) -> TierUsage:
    """Return what the journal takes, its sealed samples too: with as many values as the others."""
    pending = sum(len(row.values) - np.count_nonzero(np.isnan(row.values)) for row in rows)
    values = int(pending) * samples // max(len(rows), 1)
    oldest_ms = min((row.time_ms for row in rows), default=None)
    return TierUsage("journal", size_bytes, values, oldest_ms, None)


def _tier(shelves: Sequence[Shelf], number: int, tier: Tier, reading: Reading) -> TierUsage:
    values = sum(reading.value_count(shelf, number) for shelf in shelves)
    files = [file for shelf in shelves for file in shelf.tier(number)]
    oldest_ms = min((file.start_ms for file in files), default=None)
    day_bytes = (_raw_day, _minutes_day, _hours_day)[number](shelves, reading)
    return TierUsage(tier.name, _size(files), values, oldest_ms, tier.keep_ms, day_bytes)


def _raw_day(shelves: Sequence[Shelf], _reading: Reading) -> int | None:
    if (day := _full_day(shelves)) is not None:
        return _size(_there(shelf.days.get(day) for shelf in shelves))
    if (hour := _newest_hour(shelves)) is not None:
        return _size(_there(shelf.hours.get(hour) for shelf in shelves)) * (DAY_MS // HOUR_MS)
    return None


def _minutes_day(shelves: Sequence[Shelf], reading: Reading) -> int | None:
    if (day := _full_day(shelves)) is not None:
        return _size(_there(shelf.minute_days.get(day) for shelf in shelves))
    if (hour := _newest_hour(shelves)) is not None:
        present = [shelf for shelf in shelves if hour in shelf.hours]
        files = _there(shelf.minute_days.get(hour - hour % DAY_MS) for shelf in present)
        return _stretched(files, reading, MINUTE_MS)
    return None


def _hours_day(shelves: Sequence[Shelf], reading: Reading) -> int | None:
    if (day := _newest_day(shelves)) is None:
        return None
    present = [shelf for shelf in shelves if day in shelf.days]
    files = _there(shelf.hour_months.get(places.month_start(day)) for shelf in present)
    return _stretched(files, reading, HOUR_MS)


def _newest_day(shelves: Sequence[Shelf]) -> int | None:
    return max((day for shelf in shelves for day in list(shelf.days)), default=None)


def _full_day(shelves: Sequence[Shelf]) -> int | None:
    """Return the newest day that is sealed, if there were samples before it began."""
    newest = _newest_day(shelves)
    first = min((day for shelf in shelves for day in list(shelf.minute_days)), default=None)
    return newest if newest is not None and first is not None and first < newest else None


def _newest_hour(shelves: Sequence[Shelf]) -> int | None:
    return max((hour for shelf in shelves for hour in list(shelf.hours)), default=None)


def _there(files: Iterable[SealedFile | None]) -> list[SealedFile]:
    return [file for file in files if file is not None]


def _size(files: Iterable[SealedFile]) -> int:
    return sum(file.size_bytes for file in files)


def _stretched(files: Iterable[SealedFile], reading: Reading, step_ms: int) -> int:
    """Return what files take once each has the points of a whole day, no more and no fewer."""
    points = DAY_MS // step_ms
    known = [(file.size_bytes, reading.point_count(file)) for file in files]
    return sum(size * points // count for size, count in known if count)
