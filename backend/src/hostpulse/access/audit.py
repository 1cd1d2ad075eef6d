"""Writes down who did what, in the transaction that does it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access.means import Means
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
    deed = deed._replace(address=deed.address or by.address)
    row = AuditRow(now_ms, by.tenant, *map(one_line, (by.name, *deed)))
    audit_rows.add(connection, row)


class AuditLog:
    """Writes and reads the log; all but `note` in a transaction of its own."""

    def __init__(self, means: Means) -> None:
        self._store, self._clock_ms, _ = means

    def note(self, connection: Connection, by: Principal, *deed: str) -> None:
        """Write down what somebody does in this transaction: the fields of a Deed."""
        note(connection, by, Deed(*deed), self._clock_ms())

    def write(self, by: Principal, action: str, object_: str) -> None:
        """Write down what somebody did."""
        with self._store.transaction(by.tenant) as connection:
            self.note(connection, by, action, object_)

    def newest(self, who: Principal, before: int, most: int) -> list[tuple[int, AuditRow]]:
        """Return the newest rows of the tenant's log."""
        with self._store.transaction(who.tenant) as connection:
            return audit_rows.newest(connection, who.tenant, before, most)

    def ends_well(self) -> bool:
        """Tell whether the whole log ends with the entry that was written last."""
        with self._store.system_transaction() as connection:
            return audit_rows.ends_well(connection)

    def verify(self) -> tuple[int, str, list[str]]:
        """Return number and hash of the last entry, and where the log is not what was written."""
        with self._store.system_transaction() as connection:
            return *audit_rows.end(connection), list(audit_rows.verify(connection))


def one_line(text: str) -> str:
    """Return a text that others wrote as one line that does nothing to a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_LONGEST])
