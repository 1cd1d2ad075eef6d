"""The audit log: rows are added, never changed; each hash covers the row before it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, update

from hostpulse.control.tables import audit, audit_end

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
    """Add a row to the end of the log; others wait until the transaction ends."""
    connection.execute(update(audit_end).values(number=audit_end.c.number + 1))
    number, previous = end(connection)
    hashed = chained(previous, number, row)
    connection.execute(insert(audit).values(**row._asdict(), number=number, hash=hashed))
    connection.execute(update(audit_end).values(hash=hashed))


def end(connection: Connection) -> tuple[int, str]:
    """Return the number and the hash of the newest row, as they were noted when it was added."""
    number, hashed = connection.execute(select(audit_end.c.number, audit_end.c.hash)).one()
    return int(number), str(hashed)


def ends_well(connection: Connection) -> bool:
    """Tell whether the newest row is the one that was noted."""
    newest = select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
    return tuple(connection.execute(newest).one_or_none() or (0, FIRST_HASH)) == end(connection)


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
    last, hashed = end(connection)
    if last >= expected:
        yield f"Rows {expected} to {last} are missing at the end."
    elif (last, hashed) != (expected - 1, previous):
        yield f"Row {expected - 1} ends the log, and is not the one that was noted as its end."
