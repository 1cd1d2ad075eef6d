"""Appends groups of samples: one transaction each, replays counted and never an error."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from threading import Lock
from typing import NamedTuple

from psycopg import errors, sql

from hostpulse.report import Sample
from hostpulse.storage import Appended, Batch, StorageError
from hostpulse.storage.postgres.connections import Connections, Cursor
from hostpulse.storage.postgres.directory import Numbering
from hostpulse.storage.postgres.partitions import RAW, Partitions
from hostpulse.storage.postgres.schema import GATE_LOCK, LOCKS
from hostpulse.storage.postgres.shapes import Shapes, Spot
from hostpulse.storage.postgres.wire import Ints, Reals, Times
from hostpulse.storage.tiers import DAY_MS, MINUTE_MS

_ATTEMPTS = 3
_MOST_NUMBERS = 1_000_000  # in one statement

# Every append holds the gate with others; who moves `open_from` or forgets a server holds it alone.
# So what was late stays late, and what was not is there when its minute is rolled up.
_ENTER = (
    sql.SQL("""
    BEGIN;
    SELECT pg_advisory_xact_lock_shared({locks}, {gate});
    SELECT generation, (extract(epoch FROM open_from) * 1000)::bigint FROM hostpulse.progress
""")
    .format(locks=LOCKS, gate=GATE_LOCK)
    .as_bytes()
)
_INSERT = """
    INSERT INTO hostpulse.samples (server_id, time, layout_id, values)
    SELECT r.server_id, r.time, r.layout_id, (%s::double precision[])[r.first:r.last]
    FROM unnest(%s::int[], %s::timestamptz[], %s::int[], %s::int[], %s::int[])
        AS r (server_id, time, layout_id, first, last)
    ON CONFLICT DO NOTHING
    RETURNING server_id, time
"""
_MARK_LATE = """
    INSERT INTO hostpulse.dirty (server_id, tier, time)
    SELECT server_id, '1m', time FROM unnest(%s::int[], %s::timestamptz[]) AS r (server_id, time)
"""

Place = tuple[int, int]
"""(number of the server, time in epoch ms)"""


class _Row(NamedTuple):
    server_id: int
    time_ms: int
    layout_id: int
    batch: int
    sample: Sample

    @property
    def place(self) -> Place:
        return self.server_id, self.time_ms


class _Outdated(Exception):
    """What was remembered is no longer so."""


class Appender:
    """Appends samples, a group at a time."""

    def __init__(self, connections: Connections, clock_ms: Callable[[], int], keep_ms: int) -> None:
        self._connections = connections
        self._clock_ms = clock_ms
        self._keep_ms = keep_ms
        self._numbering = Numbering()
        self._partitions = Partitions()
        self._shapes = Shapes()
        self._lock = Lock()

    def append(self, batches: Sequence[Batch]) -> list[Appended]:
        """Keep the samples of all batches in one transaction; raises StorageError."""
        oldest_ms = self._clock_ms() - self._keep_ms
        fresh = [
            Batch(tenant, [one for one in samples if one.time_ms >= oldest_ms])
            for tenant, samples in batches
        ]
        kept = self._keep(fresh) if any(batch.samples for batch in fresh) else [0] * len(fresh)
        return [
            Appended(
                accepted,
                len(batch.samples) - accepted,
                too_old=len(given.samples) - len(batch.samples),
            )
            for given, batch, accepted in zip(batches, fresh, kept, strict=True)
        ]

    def _keep(self, batches: Sequence[Batch]) -> list[int]:
        """Return how many samples of each batch were new."""
        for _ in range(_ATTEMPTS):
            try:
                with self._lock, self._connections.cursor() as cursor:
                    return self._commit(cursor, batches)
            except _Outdated:
                continue
        raise StorageError("Servers are being deleted all the time; send again later.")

    def _commit(self, cursor: Cursor, batches: Sequence[Batch]) -> list[int]:
        rows = self._rows(cursor, batches)
        self._partitions.ensure(cursor, RAW, (row.time_ms for row in rows))
        generation, open_from_ms = _enter(cursor)
        if generation != self._numbering.generation:
            self._forget(generation)
            raise _Outdated
        try:
            self._shapes.note(cursor, RAW.tier, _spots(rows))
            there = _insert(cursor, rows)
        except (errors.CheckViolation, errors.ForeignKeyViolation) as error:
            self._forget(generation)  # a partition or a layout was removed meanwhile
            raise _Outdated from error
        _mark_late(cursor, [row for row in rows if row.time_ms < open_from_ms])
        cursor.connection.execute("COMMIT")
        self._shapes.settle()
        counts = [0] * len(batches)
        for row in rows:
            counts[row.batch] += row.place not in there
        return counts

    def _rows(self, cursor: Cursor, batches: Sequence[Batch]) -> list[_Row]:
        """Return one row for each place, the first that was sent, in one order for all writers."""
        servers = self._numbering.servers(
            cursor, {(tenant, one.server) for tenant, samples in batches for one in samples}
        )
        layouts = self._numbering.layouts(
            cursor, {one.layout for _, samples in batches for one in samples}
        )
        rows: dict[Place, _Row] = {}
        for number, (tenant, samples) in enumerate(batches):
            for one in samples:
                place = servers[tenant, one.server], one.time_ms
                if place not in rows:
                    rows[place] = _Row(*place, layouts[one.layout], number, one)
        return [row for _, row in sorted(rows.items(), key=itemgetter(0))]

    def _forget(self, generation: int) -> None:
        self._numbering.forget(generation)
        self._partitions.forget()
        self._shapes.forget()


def _spots(rows: Sequence[_Row]) -> Iterator[tuple[Spot, Sequence[float]]]:
    for row in rows:
        yield Spot(row.server_id, row.time_ms // DAY_MS, row.layout_id), row.sample.values


def _enter(cursor: Cursor) -> tuple[int, int]:
    """Begin a transaction inside the gate; return the generation and when being late ends."""
    said = cursor.connection.execute(_ENTER)
    while said.nextset():
        pass
    row: tuple[int, int] = said.fetchone() or (0, 0)
    return row


def _insert(cursor: Cursor, rows: Sequence[_Row]) -> set[Place]:
    """Insert what is not there; return where there was something."""
    there: set[Place] = set()
    for some in _pieces(rows):
        numbers = array("d")
        ends = []
        for row in some:
            numbers.extend(row.sample.values)
            ends.append(len(numbers))
        servers, times, layouts = zip(*[row[:3] for row in some], strict=True)
        firsts = [1, *[end + 1 for end in ends[:-1]]]
        sent = [
            Reals(numbers),
            Ints(servers),
            Times(times),
            Ints(layouts),
            Ints(firsts),
            Ints(ends),
        ]
        cursor.execute(_INSERT, sent, prepare=True)
        if cursor.rowcount < len(some):
            there.update({row.place for row in some} - set(cursor))
    return there


def _pieces(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """Cut rows that together hold more than one statement should."""
    first, count = 0, 0
    for i, row in enumerate(rows):
        count += len(row.sample.values)
        if count > _MOST_NUMBERS and i > first:
            yield rows[first:i]
            first, count = i, len(row.sample.values)
    yield rows[first:]


def _mark_late(cursor: Cursor, rows: Sequence[_Row]) -> None:
    if rows:
        minutes = sorted({(row.server_id, row.time_ms // MINUTE_MS * MINUTE_MS) for row in rows})
        servers, times = zip(*minutes, strict=True)
        cursor.execute(_MARK_LATE, [Ints(servers), Times(times)])
