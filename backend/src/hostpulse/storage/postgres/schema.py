"""The tables, made at the first start; people may read them, `hostpulse.metrics` is for that."""

from __future__ import annotations

from typing import Any, LiteralString

from psycopg import sql

from hostpulse.storage import StorageError
from hostpulse.storage.postgres.connections import Cursor
from hostpulse.storage.postgres.wire import Moment

VERSION = 1
# Advisory locks, told from those of others by the first number.
LOCKS = 0x686F7374
SCHEMA_LOCK, GATE_LOCK, UPKEEP_LOCK = 1, 2, 3

_ROLL_UP = """
CREATE TABLE hostpulse.{} (
    server_id int NOT NULL,
    time timestamptz NOT NULL,
    layout_id int NOT NULL,
    mean double precision[] NOT NULL,
    min double precision[] NOT NULL,
    max double precision[] NOT NULL,
    last double precision[] NOT NULL,
    count int[] NOT NULL,
    PRIMARY KEY (server_id, time)
) PARTITION BY RANGE (time);
"""

_TABLES = (
    """
CREATE TABLE hostpulse.version (version int NOT NULL);
-- Who is behind a server_id; the key is a hash, because ids may be longer than an index takes.
CREATE TABLE hostpulse.names (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL UNIQUE,
    tenant text NOT NULL,
    server text NOT NULL
);
-- What each position of an array is.
CREATE TABLE hostpulse.layouts (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL UNIQUE,
    metrics text[] NOT NULL,
    instances text[] NOT NULL
);
-- Which layouts a server had on a day (since 1970), and at which positions it had numbers.
CREATE TABLE hostpulse.shapes (
    server_id int NOT NULL,
    tier text NOT NULL,
    day int NOT NULL,
    layout_id int NOT NULL REFERENCES hostpulse.layouts,
    known bit varying NOT NULL,
    PRIMARY KEY (server_id, tier, day, layout_id)
);
CREATE INDEX ON hostpulse.shapes (tier, day);
CREATE INDEX ON hostpulse.shapes (layout_id);
-- NaN stands for a number that was not reported.
CREATE TABLE hostpulse.samples (
    server_id int NOT NULL,
    time timestamptz NOT NULL,
    layout_id int NOT NULL,
    values double precision[] NOT NULL,
    PRIMARY KEY (server_id, time)
) PARTITION BY RANGE (time);
"""
    + _ROLL_UP.format("rollup_1m")
    + _ROLL_UP.format("rollup_1h")
    + """
-- Points whose samples changed after they were rolled up, with repetitions.
CREATE TABLE hostpulse.dirty (
    server_id int NOT NULL,
    tier text NOT NULL,
    time timestamptz NOT NULL
);
CREATE INDEX ON hostpulse.dirty (server_id, time);
-- Servers without a name whose rows are still to be removed.
CREATE TABLE hostpulse.forgotten (server_id int PRIMARY KEY);
-- One row. Samples before open_from are late; roll-ups exist until minute_until and hour_until,
-- what they are made of since raw_from and minute_from; generation counts the forgotten servers.
CREATE TABLE hostpulse.progress (
    generation bigint NOT NULL,
    open_from timestamptz NOT NULL,
    minute_until timestamptz NOT NULL,
    hour_until timestamptz NOT NULL,
    raw_from timestamptz NOT NULL,
    minute_from timestamptz NOT NULL,
    dropped_at timestamptz NOT NULL
);
"""
)

# Every append holds the gate with others; who moves open_from or forgets a server holds it alone.
# So what is late is marked, and the rest is committed before its minute is rolled up. A function,
# because it has to see what was committed while it waited.
_ENTER = sql.SQL("""
CREATE FUNCTION hostpulse.enter(known bigint) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    line timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock_shared({locks}, {gate});
    SELECT p.open_from INTO line FROM hostpulse.progress p WHERE p.generation = known;
    IF line IS NULL THEN
        RAISE EXCEPTION 'a server was forgotten' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN line;
END $$
""").format(locks=LOCKS, gate=GATE_LOCK)

# The registry of servers may be in the same database, now or later: it is looked for when asked.
_VIEW = """
CREATE FUNCTION hostpulse.hosts() RETURNS TABLE (id int, tenant text, hostname text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF (SELECT count(*) = 3 FROM pg_attribute
        WHERE attrelid = to_regclass('servers') AND attname IN ('tenant', 'id', 'hostname')) THEN
        RETURN QUERY EXECUTE 'SELECT n.id, n.tenant, coalesce(s.hostname, n.server)
            FROM hostpulse.names n LEFT JOIN servers s ON s.tenant = n.tenant AND s.id = n.server';
    ELSE
        RETURN QUERY SELECT n.id, n.tenant, n.server FROM hostpulse.names n;
    END IF;
END $$;
CREATE VIEW hostpulse.metrics AS
    SELECT h.tenant, h.hostname, s.time, v.metric, v.instance, v.value
    FROM hostpulse.hosts() h
    JOIN hostpulse.samples s ON s.server_id = h.id
    JOIN hostpulse.layouts l ON l.id = s.layout_id
    CROSS JOIN LATERAL unnest(l.metrics, l.instances, s.values) AS v (metric, instance, value)
    WHERE v.value <> 'NaN';
"""


def make(cursor: Cursor, hour_ms: int) -> None:
    """Make the tables if they are not there; processes that start together wait for each other.

    Nothing before `hour_ms` is rolled up yet. Raises StorageError if the tables are of a newer
    version.
    """
    cursor.execute("BEGIN")
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, SCHEMA_LOCK])
    if not _is_made(cursor):
        _check_encoding(cursor)
        if not _value(cursor, "SELECT to_regnamespace('hostpulse') IS NOT NULL"):
            cursor.execute("CREATE SCHEMA hostpulse")
        cursor.connection.execute(_TABLES)
        cursor.execute(_ENTER)
        cursor.connection.execute(_VIEW)
        cursor.execute("INSERT INTO hostpulse.version VALUES (%s)", [VERSION])
        start = Moment(hour_ms)
        cursor.execute(
            "INSERT INTO hostpulse.progress VALUES (0, %s, %s, %s, %s, %s, %s)",
            [start, start, start, Moment(0), Moment(0), start],
        )
    cursor.execute("COMMIT")
    check_version(cursor)


def check_version(cursor: Cursor) -> None:
    """Return if the tables are those that this code knows; raises StorageError."""
    if not _is_made(cursor):
        raise StorageError("storage: this database has no samples yet; start the server first.")
    version = _value(cursor, "SELECT version FROM hostpulse.version")
    if version > VERSION:
        raise StorageError(
            f"storage: the tables in this database are of version {version} and this Hostpulse "
            f"knows version {VERSION}: use the newer Hostpulse that made them, or another database."
        )


def _is_made(cursor: Cursor) -> bool:
    return bool(_value(cursor, "SELECT to_regclass('hostpulse.version') IS NOT NULL"))


def _check_encoding(cursor: Cursor) -> None:
    encoding = _value(cursor, "SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise StorageError(
            f"storage: the encoding of this database is {encoding}; make one with UTF8."
        )


def _value(cursor: Cursor, query: LiteralString) -> Any:
    row = cursor.execute(query).fetchone()
    return row and row[0]
