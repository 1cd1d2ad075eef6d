"""Appends groups of samples: one transaction each, replays counted and never an error."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from threading import Event, Lock
from typing import NamedTuple

from psycopg import errors

from hostpulse.report import Sample
from hostpulse.storage import Appended, Batch, StorageError
from hostpulse.storage.postgres.connections import Connections, Cursor
from hostpulse.storage.postgres.directory import Numbering
from hostpulse.storage.postgres.partitions import RAW, Partitions
from hostpulse.storage.postgres.shapes import Shapes, Spot, write
from hostpulse.storage.postgres.wire import Ints, Reals, Times
from hostpulse.storage.tiers import DAY_MS

_ATTEMPTS = 3
_MOST_NUMBERS = 1_000_000  # in one statement

# One statement is one round trip: what only adds to what is known needs no BEGIN and COMMIT.
_APPEND = """
    WITH gate AS MATERIALIZED (SELECT hostpulse.enter(%s) AS open_from),
    kept AS (
        INSERT INTO hostpulse.samples (server_id, time, layout_id, values)
        SELECT r.server_id, r.time, r.layout_id, (%s::double precision[])[r.first:r.last]
        FROM gate, unnest(%s::int[], %s::timestamptz[], %s::int[], %s::int[], %s::int[])
            AS r (server_id, time, layout_id, first, last)
        ON CONFLICT DO NOTHING
        RETURNING server_id, time
    ),
    late AS (
        INSERT INTO hostpulse.dirty (server_id, tier, time)
        SELECT DISTINCT server_id, '1m', date_trunc('minute', time) FROM kept, gate
        WHERE time < open_from
    )
    SELECT server_id, time FROM kept
"""
_GENERATION = "SELECT generation FROM hostpulse.progress"

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


# A server was forgotten; a partition was dropped; a layout was.
_OUTDATED = (errors.SerializationFailure, errors.CheckViolation, errors.ForeignKeyViolation)


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
        self._is_doubtful = Event()
        connections.when_new(self._is_doubtful.set)

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
                    if self._is_doubtful.is_set():
                        self._is_doubtful.clear()
                        self._forget(cursor)
                    return self._commit(cursor, batches)
            except _Outdated:
                continue
        raise StorageError("Servers are being deleted all the time; send again later.")

    def _commit(self, cursor: Cursor, batches: Sequence[Batch]) -> list[int]:
        rows = self._rows(cursor, batches)
        self._partitions.ensure(cursor, RAW, (row.time_ms for row in rows))
        news = self._shapes.news(_spots(rows))
        pieces = list(_pieces(rows))
        alone = len(pieces) == 1 and not news
        try:
            if not alone:
                cursor.execute("BEGIN")
                write(cursor, RAW.tier, news)
            there = {place for some in pieces for place in self._insert(cursor, some)}
            if not alone:
                cursor.execute("COMMIT")
        except _OUTDATED as error:
            cursor.connection.rollback()
            self._forget(cursor)
            raise _Outdated from error
        self._shapes.settle()
        counts = [0] * len(batches)
        for row in rows:
            counts[row.batch] += row.place not in there
        return counts

    def _insert(self, cursor: Cursor, rows: Sequence[_Row]) -> set[Place]:
        """Insert what is not there; return where there was something."""
        numbers = array("d")
        ends = []
        for row in rows:
            numbers.extend(row.sample.values)
            ends.append(len(numbers))
        servers, times, layouts = zip(*[row[:3] for row in rows], strict=True)
        firsts = [1, *[end + 1 for end in ends[:-1]]]
        columns = Ints(servers), Times(times), Ints(layouts), Ints(firsts), Ints(ends)
        cursor.execute(
            _APPEND, [self._numbering.generation, Reals(numbers), *columns], prepare=True
        )
        if cursor.rowcount == len(rows):
            return set()
        return {row.place for row in rows} - set(cursor)

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

    def _forget(self, cursor: Cursor) -> None:
        self._partitions.forget()
        self._shapes.forget()
        self._numbering.forget()
        cursor.execute(_GENERATION)
        (self._numbering.generation,) = cursor.fetchone() or (0,)


def _spots(rows: Sequence[_Row]) -> Iterator[tuple[Spot, Sequence[float]]]:
    for row in rows:
        yield Spot(row.server_id, row.time_ms // DAY_MS, row.layout_id), row.sample.values


def _pieces(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """Cut rows that together hold more than one statement should."""
    first, count = 0, 0
    for i, row in enumerate(rows):
        count += len(row.sample.values)
        if count > _MOST_NUMBERS and i > first:
            yield rows[first:i]
            first, count = i, len(row.sample.values)
    yield rows[first:]
