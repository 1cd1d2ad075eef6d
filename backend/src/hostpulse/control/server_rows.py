"""The table of servers: what is read and written of it, in the caller's transaction."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from hostpulse.control.tables import counters, servers


class Counters(NamedTuple):
    """How often servers changed and were forgotten, and the last number handed out."""

    change: int = 0
    forgotten: int = 0
    numbers: int = 0


class ServerRow(NamedTuple):
    """A server as it is stored; `number` 0 stands for none yet, times are epoch ms."""

    tenant: str
    id: str
    number: int
    hostname: str
    first_seen_ms: int
    last_seen_ms: int
    interval_seconds: float
    tags: Sequence[str]
    paused: bool
    clock_ahead: bool
    sample_ms: int | None
    report: bytes
    enrolled: bool = False
    given_name: str = ""
    given_tags: Sequence[str] = ()
    note: str = ""


_CHANGING = (
    "hostname",
    "enrolled",
    "last_seen_ms",
    "interval_seconds",
    "tags",
    "clock_ahead",
    "sample_ms",
    "report",
)
_COLUMNS = [servers.c[name] for name in ServerRow._fields]
_INSERT = insert(servers)
_UPDATE = (
    update(servers)
    .where(servers.c.number == bindparam("of_number"))
    .values({name: bindparam(f"new_{name}") for name in (*_CHANGING, "change")})
)


def read_counters(connection: Connection) -> Counters:
    """Return the counters as they are committed."""
    columns = (counters.c[name] for name in Counters._fields)
    return Counters(*connection.execute(select(*columns)).one())


def begin_change(connection: Connection) -> Counters:
    """Wait for the changes of others, keep them out, and return the counters of this change."""
    connection.execute(update(counters).values(change=counters.c.change + 1))
    return read_counters(connection)


def changed_after(connection: Connection, change: int) -> list[ServerRow]:
    """Return the servers that changed after that change, in the order of their numbers."""
    wanted = select(*_COLUMNS).where(servers.c.change > change).order_by(servers.c.number)
    found = (ServerRow(*row) for row in connection.execute(wanted))
    return [row._replace(report=_unpacked(row.report or b"")) for row in found]


def numbers(connection: Connection) -> set[int]:
    """Return the numbers of all servers."""
    return set(connection.execute(select(servers.c.number)).scalars())


def write(connection: Connection, rows: Sequence[ServerRow], now: Counters) -> list[int]:
    """Write rows as part of a begun change; return their numbers, where there were none new ones.

    What people said of a known server stays as it is.
    """
    packed = [row._replace(report=_packed(row.report)) for row in rows]
    if known := [row for row in packed if row.number]:
        values = [
            {"of_number": row.number, "new_change": now.change}
            | {f"new_{name}": getattr(row, name) for name in _CHANGING}
            for row in known
        ]
        connection.execute(_UPDATE, values)
    new = [row for row in packed if not row.number]
    given = range(now.numbers + 1, now.numbers + 1 + len(new))
    if new:
        connection.execute(update(counters).values(numbers=given[-1]))
        connection.execute(
            _INSERT,
            [
                row._replace(number=number)._asdict() | {"change": now.change}
                for row, number in zip(new, given, strict=True)
            ],
        )
    fresh = iter(given)
    return [row.number or next(fresh) for row in rows]


def say(
    connection: Connection, tenant: str, server: str, said: Mapping[str, Any], now: Counters
) -> None:
    """Write what people say of a server, by column, as part of a begun change."""
    of_server = (servers.c.tenant == tenant) & (servers.c.id == server)
    connection.execute(update(servers).where(of_server).values(**said, change=now.change))


def forget(connection: Connection, tenant: str, server: str) -> None:
    """Take a server out, as part of a begun change."""
    connection.execute(update(counters).values(forgotten=counters.c.forgotten + 1))
    is_server = (servers.c.tenant == tenant) & (servers.c.id == server)
    connection.execute(delete(servers).where(is_server))


def _packed(report: bytes) -> bytes:
    packed = zlib.compress(report, 1)
    return packed if len(packed) < len(report) else report


def _unpacked(stored: bytes) -> bytes:
    # No JSON begins with the x of a zlib stream.
    return zlib.decompress(stored) if stored.startswith(b"x") else stored
