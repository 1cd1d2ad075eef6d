"""Everything of a server: its keys, and its samples one after another."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from hostpulse.report import Key, Sample
from hostpulse.storage.postgres.connections import Connections, Cursor
from hostpulse.storage.postgres.directory import Layouts, Name, server_key
from hostpulse.storage.postgres.wire import Moment

_PAGE = 500

_KEYS = """
    SELECT DISTINCT s.layout_id, s.known::text
    FROM hostpulse.shapes s JOIN hostpulse.names n ON n.id = s.server_id
    WHERE n.key = %s
    ORDER BY 1
"""
_SAMPLES = """
    SELECT time, layout_id, "values" FROM hostpulse.samples
    WHERE server_id = (SELECT id FROM hostpulse.names WHERE key = %s) AND time >= %s AND time < %s
    ORDER BY time LIMIT %s
"""


def read_keys(cursor: Cursor, layouts: Layouts, name: Name) -> list[Key]:
    """Return the keys that had a number in any tier."""
    cursor.execute(_KEYS, [server_key(name)])
    shapes = cursor.fetchall()
    found = layouts.of(cursor, {number for number, _ in shapes})
    return list(
        dict.fromkeys(
            key
            for number, known in shapes
            for key, bit in zip(found[number].keys, known, strict=True)
            if bit == "1"
        )
    )


def read_samples(
    connections: Connections, layouts: Layouts, name: Name, start_ms: int, end_ms: int
) -> Iterator[Sample]:
    """Yield samples in order of time, a page at a time: who reads them may be slow."""
    while True:
        with connections.cursor() as cursor:
            edges = [Moment(start_ms), Moment(end_ms)]
            cursor.execute(_SAMPLES, [server_key(name), *edges, _PAGE])
            rows = cursor.fetchall()
            found = layouts.of(cursor, {number for _, number, _ in rows})
        for time_ms, number, values in rows:
            yield Sample(name[1], time_ms, found[number], array("d", values.tobytes()))
        if len(rows) < _PAGE:
            return
        start_ms = rows[-1][0] + 1
