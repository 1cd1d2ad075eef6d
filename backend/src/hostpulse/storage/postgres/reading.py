"""Answers about one server: of the arrays only the asked positions are read.

Roll-ups are read where they say what the samples say. The newest part of a window, and whatever
late samples changed since it was rolled up, is read from the next finer tier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from psycopg import sql

from hostpulse.report import Key, Layout
from hostpulse.storage.grid import FOLDED_PLANES, Grid, as_points, bucketed, merged
from hostpulse.storage.postgres.connections import Cursor
from hostpulse.storage.postgres.directory import Layouts, Name, server_key
from hostpulse.storage.postgres.partitions import HOUR, MINUTE, RAW, Family
from hostpulse.storage.postgres.wire import Ints, Moment, Times, Wholes
from hostpulse.storage.series import History, Wanted, Window, build
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, MINUTE_MS, Choice

Range: TypeAlias = tuple[int, int]
"""Epoch ms: start ≤ time < end."""

_MOST_KEYS = 250  # in one statement

_STATE = """
    SELECT n.id, p.minute_until, p.hour_until,
        ARRAY(
            SELECT DISTINCT layout_id FROM hostpulse.shapes
            WHERE server_id = n.id AND day BETWEEN %s AND %s ORDER BY 1
        ),
        ARRAY(
            SELECT DISTINCT time FROM hostpulse.dirty
            WHERE server_id = n.id AND tier = '1m' AND time >= %s AND time < %s ORDER BY 1
        ),
        ARRAY(
            SELECT DISTINCT time FROM hostpulse.dirty
            WHERE server_id = n.id AND tier = '1h' AND time >= %s AND time < %s ORDER BY 1
        ),
        (
            SELECT count(*) FROM (
                SELECT FROM hostpulse.samples
                WHERE server_id = n.id AND time >= %s AND time < %s LIMIT %s
            ) AS few
        )
    FROM hostpulse.names n, hostpulse.progress p
    WHERE n.key = %s
"""


class Question(NamedTuple):
    """What is asked, and from which tier `choice` says to answer it."""

    name: Name
    wanted: Wanted
    window: Window
    choice: Choice


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a server before its points are read."""

    server_id: int
    count: int  # of the window's samples, or of more than it may have points
    minute_until: int
    hour_until: int
    dirty_minutes: list[int]
    dirty_hours: list[int]
    layouts: dict[int, Layout]
    keys: list[Key]


def read_history(cursor: Cursor, layouts: Layouts, question: Question) -> History:
    """Return the history that was asked for."""
    state = _state(cursor, layouts, question)
    window, choice = question.window, question.choice
    if state is None or not state.keys:
        return build([], {}, window)
    if len(state.keys) > _MOST_KEYS:  # several statements have to see the same rows
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    inside = (window.start_ms, window.end_ms)
    if choice.tier.step_ms and state.count > window.points:
        reader = _read_hours if choice.tier.step_ms == HOUR_MS else _read_minutes
        grids = [as_points(grid) for grid in reader(cursor, state, [inside])]
        return bucketed(merged(grids, len(FOLDED_PLANES)), choice.window)
    samples = _read(cursor, state, RAW, [inside])
    if choice.raw_may_do and len(samples.times) <= window.points:
        columns = zip(samples.keys, samples.planes[0].T.tolist(), strict=True)
        return build(samples.times.tolist(), dict(columns), window)
    return bucketed(samples, choice.window)


def _state(cursor: Cursor, layouts: Layouts, question: Question) -> _State | None:
    window, wanted = question.window, question.wanted
    first_ms = window.start_ms // HOUR_MS * HOUR_MS
    days = [first_ms // DAY_MS, window.end_ms // DAY_MS]
    end = Moment(window.end_ms)
    edges = [Moment(first_ms), end]
    too_many = window.points + 1
    counts = question.choice.raw_may_do and question.choice.tier.step_ms
    counted = [Moment(window.start_ms), end, too_many if counts else 0]
    cursor.execute(_STATE, [*days, *edges, *edges, *counted, server_key(question.name)])
    row = cursor.fetchone()
    if row is None:
        return None
    server_id, minute_until, hour_until, numbers, minutes, hours, count = row
    found = layouts.of(cursor, numbers)
    keys = dict.fromkeys(key for layout in found.values() for key in layout.keys if key in wanted)
    dirty_hours = {minute // HOUR_MS * HOUR_MS for minute in minutes} | set(hours)
    return _State(
        server_id,
        count if counts else too_many,
        minute_until,
        hour_until,
        minutes,
        sorted(dirty_hours),
        found,
        list(keys),
    )


def _read_hours(cursor: Cursor, state: _State, ranges: Sequence[Range]) -> Iterator[Grid]:
    """Read hours where they are right, minutes in the others and after the last one."""
    rolled, open_ = _cut(ranges, HOUR_MS, state.hour_until)
    clean = _without(rolled, state.dirty_hours, HOUR_MS)
    yield _read(cursor, state, HOUR, clean)
    dirty = _within(state.dirty_hours, HOUR_MS, rolled)
    yield from _read_minutes(cursor, state, [*dirty, *open_])


def _read_minutes(cursor: Cursor, state: _State, ranges: Sequence[Range]) -> Iterator[Grid]:
    """Read minutes where they are right, samples in the others and after the last one."""
    rolled, open_ = _cut(ranges, MINUTE_MS, state.minute_until)
    clean = _without(rolled, state.dirty_minutes, MINUTE_MS)
    yield _read(cursor, state, MINUTE, clean)
    dirty = _within(state.dirty_minutes, MINUTE_MS, rolled)
    yield _read(cursor, state, RAW, [*dirty, *open_])


def _cut(ranges: Sequence[Range], step_ms: int, until_ms: int) -> tuple[list[Range], list[Range]]:
    """Part ranges into what is rolled up in points of `step_ms` and what is not."""
    rolled = [(start // step_ms * step_ms, min(end, until_ms)) for start, end in ranges]
    open_ = [(max(start, until_ms), end) for start, end in ranges]
    return _real(rolled), _real(open_)


def _real(ranges: Iterable[Range]) -> list[Range]:
    """Return the ranges that are not empty, those that touch as one."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and found[-1][1] == start < end:
            found[-1] = (found[-1][0], end)
        elif start < end:
            found.append((start, end))
    return found


def _without(ranges: Sequence[Range], holes: Sequence[int], step_ms: int) -> list[Range]:
    """Return the ranges without the holes, which begin at these times (ascending)."""
    left: list[Range] = []
    for start, end in ranges:
        inside = [hole for hole in holes if start <= hole < end]
        left += zip([start, *[hole + step_ms for hole in inside]], [*inside, end], strict=True)
    return _real(left)


def _within(starts: Sequence[int], step_ms: int, ranges: Sequence[Range]) -> list[Range]:
    """Return the points that begin in any of the ranges, as ranges."""
    inside = [one for one in starts if any(start <= one < end for start, end in ranges)]
    return _real((start, start + step_ms) for start in inside)


def _read(cursor: Cursor, state: _State, family: Family, ranges: Sequence[Range]) -> Grid:
    """Read the points of a tier in these ranges, which do not overlap."""
    parts = 1 if family is RAW else len(FOLDED_PLANES)
    times: Wholes = np.empty(0, np.int64)
    cells = [np.empty((0, len(state.keys), parts))]
    for first in range(0, len(state.keys) if ranges else 0, _MOST_KEYS):
        keys = state.keys[first : first + _MOST_KEYS]
        rows = np.array(_fetch(cursor, state, family, ranges, keys), np.float64)
        rows = rows.reshape(-1, 1 + len(keys) * parts)
        times = np.rint(rows[:, 0]).astype(np.int64)
        cells.append(rows[:, 1:].reshape(-1, len(keys), parts))
    together = np.concatenate(cells[1:] or cells, axis=1)
    return Grid(times, tuple(state.keys), np.moveaxis(together, 2, 0))


def _fetch(
    cursor: Cursor, state: _State, family: Family, ranges: Sequence[Range], keys: Sequence[Key]
) -> list[Any]:
    """Return a row for each point: its time, then the parts of each key."""
    edges: list[Moment | Times]
    if len(ranges) == 1:
        edges = [Moment(edge) for edge in ranges[0]]
    else:
        edges = [Times(edge) for edge in zip(*ranges, strict=True)]
    layouts = state.layouts.values()
    places = [Ints([layout.index.get(key, -1) + 1 for layout in layouts]) for key in keys]
    sent = [state.server_id, *edges, Ints(list(state.layouts)), *places]
    return cursor.execute(_query(family, len(keys), min(len(ranges), 2)), sent).fetchall()


@lru_cache(maxsize=500)
def _query(family: Family, key_count: int, range_count: int) -> bytes:
    """Select, for each key, its position of each array; a layout that lacks it says 0."""
    places = [sql.Identifier(f"p{i}") for i in range(key_count)]
    cells = [
        sql.SQL("coalesce(s.{part}[l.{place}], {absent})").format(
            part=sql.Identifier(part), place=place, absent=_ABSENT[part]
        )
        for place in places
        for part in (("values",) if family is RAW else FOLDED_PLANES)
    ]
    arrays = [sql.SQL("%s::int[]")] * (key_count + 1)
    query = _SELECT.format(
        cells=_COMMA.join(cells),
        points=(_INSIDE_ONE if range_count == 1 else _INSIDE_ANY).format(
            table=sql.Identifier("hostpulse", family.table)
        ),
        layouts=_LAYOUTS.format(arrays=_COMMA.join(arrays), places=_COMMA.join(places)),
    )
    return query.as_bytes(None)


# Time as a double, because rows of nothing else become a matrix at once.
_SELECT = sql.SQL("""
    SELECT date_part('epoch', s.time) * 1000, {cells} FROM {points} JOIN {layouts} ORDER BY s.time
""")
_INSIDE_ONE = sql.SQL("""
    (SELECT * FROM {table} WHERE server_id = %s AND time >= %s AND time < %s) AS s
""")
_INSIDE_ANY = sql.SQL("""
    (SELECT %s::int, %s::timestamptz[], %s::timestamptz[]) AS a (server_id, starts, ends)
    CROSS JOIN LATERAL unnest(a.starts, a.ends) AS r (start, stop)
    CROSS JOIN LATERAL (
        SELECT * FROM {table} WHERE server_id = a.server_id AND time >= r.start AND time < r.stop
        ORDER BY time
    ) AS s
""")
_LAYOUTS = sql.SQL("unnest({arrays}) AS l (layout_id, {places}) ON l.layout_id = s.layout_id")
_COMMA = sql.SQL(", ")
_ABSENT = {part: sql.SQL("'NaN'") for part in ("values", *FOLDED_PLANES)} | {"count": sql.SQL("0")}
