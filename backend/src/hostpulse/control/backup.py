"""The control store as lines of JSON, the same from SQLite and PostgreSQL, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, LargeBinary, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from hostpulse.control import tables
from hostpulse.control.tables import NEWEST

FORM = 1
_KEPT = (
    tables.tenants,
    tables.servers,
    tables.keys,
    tables.users,
    tables.memberships,
    tables.identities,
    tables.factors,
    tables.recovery_codes,
    tables.audit,
    tables.audit_end,
)
"""In an order in which they can be filled; what begins a session does not outlive a restore."""
_AT_ONCE = 500
_IS_REVOKED = tables.keys.c.revoked_ms.is_not(None)


class NoBackup(Exception):
    """The file is no backup that can be restored; the message says why."""


def dump(connection: Connection) -> Iterator[bytes]:
    """Yield the lines of a backup."""
    yield msgspec.json.encode({"hostpulse_backup": FORM, "revision": NEWEST})
    for table in _KEPT:
        for row in connection.execute(select(table)):
            yield msgspec.json.encode([str(table.name), _packed(table, row._asdict())])
    yield msgspec.json.encode(["end", {}])


def load(connection: Connection, lines: Iterable[bytes]) -> dict[str, int]:
    """Put a backup in the place of all that is there; return how many rows each table got.

    A key that is revoked, or a person who is locked out, stays so. Raises NoBackup, and then the
    transaction must not be kept.
    """
    rows = _read(iter(lines))
    try:
        _replace(connection, rows)
    except IntegrityError as error:
        raise NoBackup(f"Its rows do not fit together ({error.orig}).") from error
    return {name: len(found) for name, found in rows.items()}


def _replace(connection: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    now = connection.execute(select(tables.counters)).one()
    revoked = select(tables.keys.c.id, tables.keys.c.revoked_ms).where(_IS_REVOKED)
    taken_back = {row.id: row.revoked_ms for row in connection.execute(revoked)}
    disabled = select(tables.users.c.id).where(tables.users.c.disabled)
    locked_out = set(connection.execute(disabled).scalars())
    for key in rows["keys"]:
        key["revoked_ms"] = key["revoked_ms"] or taken_back.get(key["id"])
    for user in rows["users"]:
        user["disabled"] = user["disabled"] or user["id"] in locked_out
    for table in (tables.waiting, tables.sessions, tables.links, tables.trips, *reversed(_KEPT)):
        connection.execute(delete(table))
    for table in _KEPT:
        found = rows[table.name]
        if table is tables.servers:  # every process reads them again, and takes none for another
            found = [
                row | {"change": now.change + 1, "number": number}
                for number, row in enumerate(found, now.numbers + 1)
            ]
        for first in range(0, len(found), _AT_ONCE):
            connection.execute(insert(table), found[first : first + _AT_ONCE])
    connection.execute(
        tables.counters.update().values(
            change=now.change + 1,
            forgotten=now.forgotten + 1,
            numbers=now.numbers + len(rows["servers"]),
            key_change=now.key_change + 1,
        )
    )


def _read(lines: Iterator[bytes]) -> dict[str, list[dict[str, Any]]]:
    known = {table.name: table for table in _KEPT}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in known}
    try:
        head = msgspec.json.decode(next(lines))
        if head.get("hostpulse_backup") != FORM:
            raise NoBackup("It is no backup of Hostpulse.")
        if head["revision"] != NEWEST:
            raise NoBackup(
                f"It was made by another version (revision {head['revision']}, this one has "
                f"{NEWEST}); restore it with that version, then upgrade."
            )
        for line in lines:
            name, row = msgspec.json.decode(line)
            if name == "end":
                return rows
            rows[name].append(_unpacked(known[name], row))
    except (msgspec.DecodeError, StopIteration, AttributeError, KeyError, ValueError) as error:
        raise NoBackup(f"It is no backup of Hostpulse, or damaged ({error!r}).") from error
    raise NoBackup("It ends too early: it was not written to its end.")


def _packed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {
        str(name): b64encode(value).decode()
        if _is_binary(table, name) and value is not None
        else value
        for name, value in row.items()
    }


def _unpacked(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: b64decode(value) if _is_binary(table, name) and value is not None else value
        for name, value in row.items()
    }


def _is_binary(table: Table, name: str) -> bool:
    return isinstance(table.c[name].type, LargeBinary)
