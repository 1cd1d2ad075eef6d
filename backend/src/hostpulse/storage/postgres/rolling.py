"""Rolls samples up into minutes and minutes into hours, and again where late ones changed them.

Each piece is one transaction of its own, and a piece that is done again is no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
from psycopg import sql

from hostpulse.report import Layout
from hostpulse.storage.grid import FOLDED_PLANES, Grid, folded
from hostpulse.storage.postgres import shapes
from hostpulse.storage.postgres.connections import Cursor
from hostpulse.storage.postgres.directory import Layouts, Numbering
from hostpulse.storage.postgres.matrices import grid_of
from hostpulse.storage.postgres.partitions import HOUR, MINUTE, RAW, Family, Partitions
from hostpulse.storage.postgres.shapes import Spot
from hostpulse.storage.postgres.wire import Ints, Moment, Reals, Times
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS

_MOST_MS = 500 * MINUTE_MS  # read at once, of all servers together
_MOST_DIRTY = 2_000  # points in one transaction

Stretch: TypeAlias = tuple[int, int, int]
"""(number of a server, start, end), in epoch ms"""


@dataclass(frozen=True, slots=True)
class Step:
    """From which tier to which; the names are the columns of `progress` that say how far."""

    source: Family
    target: Family
    step_ms: int
    piece_ms: int
    until: str
    source_until: str
    source_from: str


TO_MINUTES = Step(RAW, MINUTE, MINUTE_MS, 10 * MINUTE_MS, "minute_until", "open_from", "raw_from")
TO_HOURS = Step(MINUTE, HOUR, HOUR_MS, HOUR_MS, "hour_until", "minute_until", "minute_from")

_SERVERS = """
    SELECT DISTINCT s.server_id FROM hostpulse.shapes s JOIN hostpulse.names n ON n.id = s.server_id
    WHERE s.tier = %s AND s.day = %s
"""
_NEXT_DAY = "SELECT min(day) FROM hostpulse.shapes WHERE tier = %s AND day > %s"
_TAKE_DIRTY = """
    DELETE FROM hostpulse.dirty WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM hostpulse.dirty WHERE tier = %s ORDER BY server_id, time LIMIT %s
    ))
    RETURNING server_id, time
"""
_MARK_DIRTY = """
    INSERT INTO hostpulse.dirty (server_id, tier, time)
    SELECT server_id, '1h', time FROM unnest(%s::int[], %s::timestamptz[]) AS r (server_id, time)
"""
_PROGRESS = sql.SQL("SELECT {} FROM hostpulse.progress")
_ADVANCE = sql.SQL("UPDATE hostpulse.progress SET {until} = %s")
_READ = sql.SQL("""
    SELECT s.server_id, s.time, s.layout_id, {arrays}
    FROM (SELECT %s::int[], %s::timestamptz[], %s::timestamptz[]) AS a (servers, starts, ends)
    CROSS JOIN LATERAL unnest(a.servers, a.starts, a.ends) AS r (server_id, start, stop)
    CROSS JOIN LATERAL (
        SELECT * FROM {table}
        WHERE server_id = r.server_id AND time >= r.start AND time < r.stop ORDER BY time
    ) AS s
    ORDER BY s.server_id, s.time
""")
_WRITE = sql.SQL("""
    INSERT INTO {table} (server_id, time, layout_id, mean, min, max, last, count)
    SELECT r.server_id, r.time, r.layout_id,
        (%s::double precision[])[r.first:r.last], (%s::double precision[])[r.first:r.last],
        (%s::double precision[])[r.first:r.last], (%s::double precision[])[r.first:r.last],
        (%s::int[])[r.first:r.last]
    FROM unnest(%s::int[], %s::timestamptz[], %s::int[], %s::int[], %s::int[])
        AS r (server_id, time, layout_id, first, last)
    ON CONFLICT (server_id, time) DO UPDATE SET layout_id = excluded.layout_id,
        mean = excluded.mean, min = excluded.min, max = excluded.max, last = excluded.last,
        count = excluded.count
""")


class Roller:
    """Rolls up; for one thread, and in one process at a time."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Believe nothing of what was seen in a transaction that failed."""
        self._layouts = Layouts()
        self._numbering = Numbering()
        self._partitions = Partitions()

    def advance(self, cursor: Cursor, step: Step) -> bool:
        """Roll up the next piece; return if there was one."""
        start_ms, ready_ms = _progress(cursor, step.until, step.source_until)
        ready_ms = ready_ms // step.step_ms * step.step_ms
        if start_ms >= ready_ms:
            return False
        day = start_ms // DAY_MS
        cursor.execute(_SERVERS, [step.source.tier, day])
        servers = [number for (number,) in cursor]
        if servers:
            end_ms = min(start_ms + step.piece_ms, ready_ms, (day + 1) * DAY_MS)
            self._roll(cursor, step, [(number, start_ms, end_ms) for number in servers])
        else:
            cursor.execute(_NEXT_DAY, [step.source.tier, day])
            (next_day,) = cursor.fetchone() or (None,)
            end_ms = ready_ms if next_day is None else min(next_day * DAY_MS, ready_ms)
        cursor.execute(_ADVANCE.format(until=sql.Identifier(step.until)), [Moment(end_ms)])
        return True

    def mend(self, cursor: Cursor, step: Step) -> bool:
        """Roll up again some of what late samples changed; return if there was any.

        Where the samples themselves are gone the roll-up stays as it was.
        """
        cursor.execute(_TAKE_DIRTY, [step.target.tier, _MOST_DIRTY])
        taken = sorted(set(cursor.fetchall()))
        from_ms, hour_until_ms = _progress(cursor, step.source_from, TO_HOURS.until)
        points = [(server, time_ms) for server, time_ms in taken if time_ms >= from_ms]
        self._roll(cursor, step, _stretches(points, step.step_ms))
        if step is TO_MINUTES:
            hours = {(server, time_ms // HOUR_MS * HOUR_MS) for server, time_ms in points}
            _mark_dirty(cursor, sorted(hour for hour in hours if hour[1] < hour_until_ms))
        return bool(taken)

    def _roll(self, cursor: Cursor, step: Step, stretches: Sequence[Stretch]) -> None:
        for some in _bounded(stretches):
            edges = {edge for _, start, end in some for edge in (start, end - 1)}
            self._partitions.ensure(cursor, step.target, edges)
            rows = _read(cursor, step.source, some)
            layouts = self._layouts.of(cursor, {row[2] for row in rows})
            rolled = [
                (server, folded(_grid(list(run), layouts), step.step_ms))
                for server, run in groupby(rows, itemgetter(0))
            ]
            if rolled:
                self._write(cursor, step.target, rolled, layouts)

    def _write(
        self,
        cursor: Cursor,
        family: Family,
        rolled: Sequence[tuple[int, Grid]],
        layouts: Mapping[int, Layout],
    ) -> None:
        by_keys = {layout.keys: layout for layout in layouts.values()}
        shaped = [by_keys.get(points.keys) or Layout(points.keys) for _, points in rolled]
        numbers = self._numbering.layouts(cursor, shaped)
        rows = [
            (server, time_ms, numbers[layout], len(points.keys))
            for (server, points), layout in zip(rolled, shaped, strict=True)
            for time_ms in points.times
        ]
        servers, times, layout_ids, lengths = zip(*rows, strict=True)
        ends = np.cumsum(lengths)
        *statistics, counts = (
            np.concatenate([points.planes[plane].ravel() for _, points in rolled])
            for plane in range(len(FOLDED_PLANES))
        )
        cursor.execute(
            _WRITE.format(table=sql.Identifier("hostpulse", family.table)),
            [
                *map(Reals, statistics), Ints(counts.astype(np.int64)), Ints(servers), Times(times),
                Ints(layout_ids), Ints(ends - lengths + 1), Ints(ends),
            ],
        )  # fmt: skip
        known: dict[Spot, Any] = {}
        for (server, points), layout in zip(rolled, shaped, strict=True):
            for day in {*(points.times // DAY_MS)}:
                here = (points.planes[-1, points.times // DAY_MS == day] > 0).any(axis=0)
                spot = Spot(server, int(day), numbers[layout])
                known[spot] = known.get(spot, False) | here
        bits = {spot: "".join(np.where(here, "1", "0")) for spot, here in known.items()}
        shapes.write(cursor, family.tier, bits)


def _progress(cursor: Cursor, *columns: str) -> Sequence[int]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    row: Sequence[int] = cursor.execute(_PROGRESS.format(names)).fetchone() or ()
    return row


def _stretches(points: Sequence[tuple[int, int]], step_ms: int) -> list[Stretch]:
    """Join points (ascending) that follow each other."""
    found: list[Stretch] = []
    for server, time_ms in points:
        if found and (found[-1][0], found[-1][2]) == (server, time_ms):
            found[-1] = (server, found[-1][1], time_ms + step_ms)
        else:
            found.append((server, time_ms, time_ms + step_ms))
    return found


def _bounded(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Cut what would be too much to read at once."""
    some: list[Stretch] = []
    length_ms = 0
    for stretch in stretches:
        some.append(stretch)
        length_ms += stretch[2] - stretch[1]
        if length_ms >= _MOST_MS:
            yield some
            some, length_ms = [], 0
    if some:
        yield some


def _read(cursor: Cursor, family: Family, stretches: Sequence[Stretch]) -> list[Any]:
    arrays = ("values",) if family is RAW else FOLDED_PLANES
    query = _READ.format(
        arrays=sql.SQL(", ").join([sql.SQL("s.") + sql.Identifier(name) for name in arrays]),
        table=sql.Identifier("hostpulse", family.table),
    )
    servers, starts, ends = zip(*stretches, strict=True)
    return cursor.execute(query, [Ints(servers), Times(starts), Times(ends)]).fetchall()


def _grid(rows: Sequence[Any], layouts: Mapping[int, Layout]) -> Grid:
    _, times, numbers, *planes = zip(*rows, strict=True)
    return grid_of(times, numbers, planes, layouts)


def _mark_dirty(cursor: Cursor, hours: Sequence[tuple[int, int]]) -> None:
    if hours:
        servers, times = zip(*hours, strict=True)
        cursor.execute(_MARK_DIRTY, [Ints(servers), Times(times)])
