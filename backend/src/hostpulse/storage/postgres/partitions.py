"""The partitions of the big tables: a day or a month each, made before they are needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import sql

from hostpulse.storage.postgres.connections import Cursor
from hostpulse.storage.postgres.schema import LOCKS, SCHEMA_LOCK
from hostpulse.storage.tiers import DAY_MS

_MOST_REMEMBERED = 10_000
_WIDEST_ROW = 8160  # bytes; up to there a row stays in one piece
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """One partition and the time it is for, in epoch ms."""

    name: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Family:
    """A table in partitions."""

    tier: str
    table: str
    by_month: bool = False

    def span_at(self, time_ms: int) -> Span:
        """Return the partition that a time belongs to."""
        return self._span(_EPOCH + timedelta(days=time_ms // DAY_MS))

    def span_of(self, name: str) -> Span:
        """Return the partition of that name."""
        stamp = name.removeprefix(f"{self.table}_")
        return self._span(datetime.strptime(f"{stamp}01"[:8], "%Y%m%d").replace(tzinfo=UTC))

    def _span(self, day: datetime) -> Span:
        if not self.by_month:
            return self._from_to(day, day + timedelta(days=1), "%Y%m%d")
        first = day.replace(day=1)
        return self._from_to(first, (first + timedelta(days=31)).replace(day=1), "%Y%m")

    def _from_to(self, start: datetime, end: datetime, stamp: str) -> Span:
        return Span(f"{self.table}_{start.strftime(stamp)}", _ms(start), _ms(end))


RAW = Family("raw", "samples")
MINUTE = Family("1m", "rollup_1m")
HOUR = Family("1h", "rollup_1h", by_month=True)
FAMILIES = {family.tier: family for family in (RAW, MINUTE, HOUR)}


class Partitions:
    """Makes partitions, once each."""

    def __init__(self) -> None:
        self._there: set[tuple[Family, int]] = set()

    def forget(self) -> None:
        """Look again before believing that a partition is there."""
        self._there = set()

    def ensure(self, cursor: Cursor, family: Family, times_ms: Iterable[int]) -> None:
        """Make the partitions that these times need; in a transaction of their own."""
        if len(self._there) > _MOST_REMEMBERED:
            self.forget()
        for day in sorted({time_ms // DAY_MS for time_ms in times_ms}):
            if (family, day) not in self._there:
                _make(cursor, family, family.span_at(day * DAY_MS))
                self._there.add((family, day))


def existing(cursor: Cursor, family: Family) -> list[Span]:
    """Return the partitions there are, the oldest first."""
    cursor.execute(
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass(%s)",
        [f"hostpulse.{family.table}"],
    )
    return sorted((family.span_of(name) for (name,) in cursor), key=lambda span: span.start_ms)


def _make(cursor: Cursor, family: Family, span: Span) -> None:
    # Attached and not made in place, because that would lock the table against its readers.
    with cursor.connection.transaction():
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, SCHEMA_LOCK])
        cursor.execute("SELECT to_regclass(%s) IS NULL", [f"hostpulse.{span.name}"])
        if cursor.fetchone() == (True,):
            names = {
                "table": sql.Identifier("hostpulse", family.table),
                "part": sql.Identifier("hostpulse", span.name),
                "row": sql.Literal(_WIDEST_ROW),
                "start": sql.Literal(_stamp(span.start_ms)),
                "end": sql.Literal(_stamp(span.end_ms)),
            }
            cursor.execute(_CREATE.format(**names))
            cursor.execute(_ATTACH.format(**names))


_CREATE = sql.SQL(
    "CREATE TABLE {part} (LIKE {table} INCLUDING ALL) WITH (toast_tuple_target = {row})"
)
_ATTACH = sql.SQL(
    "ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({start}) TO ({end})"
)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _stamp(time_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=time_ms)).isoformat()
