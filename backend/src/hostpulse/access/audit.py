"""Writes down who did what, in the transaction that does it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access.principal import Principal
from hostpulse.control import audit_rows
from hostpulse.control.audit_rows import AuditRow

_LONGEST = 300


class Deed(NamedTuple):
    """What was done to what, how it ended, and from which address if one is known."""

    action: str
    object: str
    result: str = "done"
    address: str = ""


def note(connection: Connection, by: Principal, deed: Deed, now_ms: int) -> None:
    """Add a deed to the audit log."""
    row = AuditRow(now_ms, by.tenant, *map(one_line, (by.name, *deed)))
    audit_rows.add(connection, row)


def one_line(text: str) -> str:
    """Return a text that others wrote as one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_LONGEST])
