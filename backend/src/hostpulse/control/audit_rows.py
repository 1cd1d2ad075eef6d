"""The audit log: rows are added, never changed; each hash covers the row before it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, text

from hostpulse.control.tables import audit, audit_end

_LOCK = 0x61756469  # any number, as long as all processes take the same
FIRST_HASH = "0" * 64


class AuditRow(NamedTuple):
    """Who did what to what and how it ended; `time_ms` is epoch ms."""

    time_ms: int
    tenant: str
    actor: str
    action: str
    object: str
    result: str
    address: str


_COLUMNS = [audit.c[name] for name in AuditRow._fields]


def chained(previous: str, number: int, row: AuditRow) -> str:
    """Return the hash of a row that follows the one with the hash `previous`."""
    return sha256(msgspec.json.encode([previous, number, *row])).hexdigest()


def add(connection: Connection, row: AuditRow) -> None:
    """Add a row to the end of the log."""
    if connection.dialect.name == "postgresql":  # a transaction on SQLite is alone anyway
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    end = select(audit_end.c.number, audit_end.c.hash)
    number, previous = connection.execute(end).one_or_none() or (0, FIRST_HASH)
    values = {"number": number + 1, "hash": chained(previous, number + 1, row)}
    connection.execute(insert(audit).values(**row._asdict(), **values))


def newest(
    connection: Connection, tenant: str, before: int, most: int
) -> list[tuple[int, AuditRow]]:
    """Return a tenant's rows with their numbers, the newest first, from below number `before`."""
    wanted = select(audit.c.number, *_COLUMNS).where(audit.c.tenant == tenant)
    if before:
        wanted = wanted.where(audit.c.number < before)
    found = connection.execute(wanted.order_by(audit.c.number.desc()).limit(most))
    return [(number, AuditRow(*row)) for number, *row in found]


def verify(connection: Connection) -> Iterator[str]:
    """Yield a sentence for every place where the log is not what was written."""
    previous, expected = FIRST_HASH, 1
    wanted = select(audit.c.number, audit.c.hash, *_COLUMNS).order_by(audit.c.number)
    for number, found, *row in connection.execute(wanted):
        if number != expected:
            yield f"Rows {expected} to {number - 1} are missing."
        elif chained(previous, number, AuditRow(*row)) != found:
            yield f"Row {number} is not what was written, or the row before it is not."
        previous, expected = found, number + 1


def count(connection: Connection) -> int:
    """Return how many rows there are."""
    return int(connection.execute(select(audit_end.c.number)).scalar() or 0)
