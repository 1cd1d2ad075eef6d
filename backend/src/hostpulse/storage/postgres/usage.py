"""What the tables take, by tier and by server."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from hostpulse.storage import TierUsage, Usage
from hostpulse.storage.postgres.connections import Connections, Cursor
from hostpulse.storage.postgres.directory import Name
from hostpulse.storage.postgres.partitions import FAMILIES
from hostpulse.storage.postgres.wire import Moment
from hostpulse.storage.postgres.words import from_text
from hostpulse.storage.tiers import DAY_MS, Tier, newest_whole

_SECONDS = 60.0

_SIZE = "SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint FROM pg_partition_tree(%s)"
_EDGES = sql.SQL("SELECT min(time), max(time) FROM {table}")
# A server's rows are counted in the index; the layouts of its days say how wide they are.
_ROWS = sql.SQL("""
    SELECT n.tenant, n.server, r.rows, r.full_rows, coalesce(w.width, 0)
    FROM (
        SELECT server_id, count(*) AS rows,
            count(*) FILTER (WHERE time >= %s AND time < %s) AS full_rows
        FROM {table} GROUP BY 1
    ) AS r
    JOIN hostpulse.names n ON n.id = r.server_id
    LEFT JOIN (
        SELECT s.server_id, avg(cardinality(l.metrics))::double precision AS width
        FROM hostpulse.shapes s JOIN hostpulse.layouts l ON l.id = s.layout_id
        WHERE s.tier = %s GROUP BY 1
    ) AS w ON w.server_id = r.server_id
""")


def read_usage(connections: Connections, tiers: Sequence[Tier]) -> Usage:
    """Return what the storage takes; the numbers of values are close estimates."""
    usages = []
    servers: dict[Name, int] = {}
    with connections.transaction(_SECONDS) as cursor:
        for tier in tiers:
            usage, shares = _tier(cursor, tier)
            usages.append(usage)
            for name, share in shares.items():
                servers[name] = servers.get(name, 0) + share
    return Usage(usages, servers)


def _tier(cursor: Cursor, tier: Tier) -> tuple[TierUsage, dict[Name, int]]:
    family = FAMILIES[tier.name]
    cursor.execute(_SIZE, [f"hostpulse.{family.table}"])
    (size,) = cursor.fetchone() or (0,)
    table = sql.Identifier("hostpulse", family.table)
    ((oldest_ms, newest_ms),) = cursor.execute(_EDGES.format(table=table)).fetchall()
    span = None if oldest_ms is None else newest_whole(oldest_ms, newest_ms)
    start_ms, length_ms = span or (0, DAY_MS)
    edges = Moment(start_ms), Moment(start_ms + length_ms)
    rows = cursor.execute(_ROWS.format(table=table), [*edges, family.tier]).fetchall()
    values = {
        (from_text(tenant), from_text(server)): count * width
        for tenant, server, count, _, width in rows
    }
    total = sum(values.values())
    shares = {name: round(size * count / total) for name, count in values.items() if total}
    in_span = sum(count * width for _, _, _, count, width in rows)
    day_bytes = round(size * in_span / total * DAY_MS / length_ms) if span and total else None
    return TierUsage(tier.name, size, round(total), oldest_ms, tier.keep_ms, day_bytes), shares
