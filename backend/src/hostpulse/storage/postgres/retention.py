"""Drops what is older than its tier is kept: whole partitions, so that nothing is searched for.

After a jump of the clock each run drops at most one partition of a tier: the clock may be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from hostpulse.storage.postgres.connections import Cursor
from hostpulse.storage.postgres.partitions import FAMILIES, MINUTE, RAW, Family, Span, existing
from hostpulse.storage.postgres.wire import Moment
from hostpulse.storage.tiers import DAY_MS, Tier

_JUMP_MS = DAY_MS

_PROGRESS = "SELECT kept_at FROM hostpulse.progress"
_DONE = "UPDATE hostpulse.progress SET kept_at = %s"
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
    (kept_at_ms,) = cursor.fetchone() or (now_ms,)
    jumped = now_ms - kept_at_ms > _JUMP_MS
    rest = False
    for tier in tiers:
        family = FAMILIES[tier.name]
        due = [one for one in existing(cursor, family) if one.end_ms <= now_ms - tier.keep_ms]
        allowed = due[:1] if jumped else due
        rest |= len(allowed) < len(due)
        if allowed:
            _drop(cursor, family, allowed)
    if not rest or now_ms < kept_at_ms:
        cursor.execute(_DONE, [Moment(now_ms)])


def _drop(cursor: Cursor, family: Family, spans: Sequence[Span]) -> None:
    for span in spans:
        cursor.execute(_DROP.format(sql.Identifier("hostpulse", span.name)))
    if family in _FROM:
        gone = _GONE.format(column=sql.Identifier(_FROM[family]))
        cursor.execute(gone, [Moment(spans[-1].end_ms)])
    cursor.execute(_FORGET_SHAPES, [family.tier, spans[-1].end_ms // DAY_MS])
    cursor.execute(_FORGET_LAYOUTS)
