"""Drops what is older than its tier is kept: whole partitions, so that nothing is searched for.

One partition of a tier goes, and no other for an hour: a clock that leapt ahead may be wrong, and
somebody should have the time to see it.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from hostpulse.storage.postgres.connections import Cursor
from hostpulse.storage.postgres.partitions import FAMILIES, MINUTE, RAW, Family, Span, existing
from hostpulse.storage.postgres.wire import Moment
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, Tier

_PROGRESS = "SELECT dropped_at FROM hostpulse.progress"
_DONE = "UPDATE hostpulse.progress SET dropped_at = %s"
_DROP = sql.SQL("DROP TABLE {}")
_GONE = sql.SQL("UPDATE hostpulse.progress SET {column} = greatest({column}, %s)")
_FORGET_SHAPES = "DELETE FROM hostpulse.shapes WHERE tier = %s AND day < %s"
_FORGET_LAYOUTS = """
    DELETE FROM hostpulse.layouts l
    WHERE NOT EXISTS (SELECT FROM hostpulse.shapes s WHERE s.layout_id = l.id)
"""
_FROM = {RAW: "raw_from", MINUTE: "minute_from"}


def drop_old(cursor: Cursor, tiers: Sequence[Tier], now_ms: int) -> None:
    """Drop what is due, in the transaction of `cursor`."""
    cursor.execute(_PROGRESS)
    (dropped_at_ms,) = cursor.fetchone() or (0,)
    if 0 <= now_ms - dropped_at_ms < HOUR_MS:
        return
    for tier in tiers:
        family = FAMILIES[tier.name]
        oldest = next(iter(existing(cursor, family)), None)
        if oldest is not None and oldest.end_ms <= now_ms - tier.keep_ms:
            _drop(cursor, family, oldest)
            cursor.execute(_DONE, [Moment(now_ms)])


def _drop(cursor: Cursor, family: Family, span: Span) -> None:
    cursor.execute(_DROP.format(sql.Identifier("hostpulse", span.name)))
    if family in _FROM:
        gone = _GONE.format(column=sql.Identifier(_FROM[family]))
        cursor.execute(gone, [Moment(span.end_ms)])
    cursor.execute(_FORGET_SHAPES, [family.tier, span.end_ms // DAY_MS])
    cursor.execute(_FORGET_LAYOUTS)
