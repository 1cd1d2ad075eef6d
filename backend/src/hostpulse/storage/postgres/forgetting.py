"""Takes the name from a server, so that nobody finds it; its rows follow at the next upkeep."""

from __future__ import annotations

from psycopg import sql

from hostpulse.storage.postgres.connections import Connections, Cursor
from hostpulse.storage.postgres.directory import Name, server_key
from hostpulse.storage.postgres.partitions import FAMILIES
from hostpulse.storage.postgres.schema import GATE_LOCK, LOCKS

_TABLES = (*(family.table for family in FAMILIES.values()), "shapes", "dirty", "forgotten")
_FORGET = """
    WITH gone AS (DELETE FROM hostpulse.names WHERE key = %s RETURNING id),
        noted AS (INSERT INTO hostpulse.forgotten SELECT id FROM gone)
    UPDATE hostpulse.progress SET generation = generation + 1 WHERE EXISTS (SELECT FROM gone)
"""
_DROP_UNUSED = """
    WITH gone AS (DELETE FROM hostpulse.layouts l WHERE id = ANY (%s)
        AND NOT EXISTS (SELECT FROM hostpulse.shapes s WHERE s.layout_id = l.id) RETURNING id)
    UPDATE hostpulse.progress SET generation = generation + 1 WHERE EXISTS (SELECT FROM gone)
"""


def forget(connections: Connections, name: Name) -> None:
    """Take the name from a server."""
    with connections.transaction() as cursor:
        # Alone in the gate: whoever appends later sees the new generation and asks for names again.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, GATE_LOCK])
        cursor.execute(_FORGET, [server_key(name)])


def sweep(cursor: Cursor) -> bool:
    """Remove the rows of a forgotten server; return if there was one."""
    cursor.execute("SELECT server_id FROM hostpulse.forgotten LIMIT 1")
    row = cursor.fetchone()
    if row is None:
        return False
    cursor.execute("SELECT layout_id FROM hostpulse.shapes WHERE server_id = %s", row)
    layouts = [layout for (layout,) in cursor.fetchall()]
    for table in _TABLES:
        name = sql.Identifier("hostpulse", table)
        cursor.execute(sql.SQL("DELETE FROM {} WHERE server_id = %s").format(name), row)
    # The names of its own metrics and instances go too. Alone in the gate, as in `forget`.
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, GATE_LOCK])
    cursor.execute(_DROP_UNUSED, [layouts])
    return True
