"""Organisations: they are made, named, suspended and closed, by operators."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access.audit import AuditLog
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.principal import DEFAULT_TENANT, Principal
from hostpulse.access.sessions import Sessions
from hostpulse.control import key_rows, people_rows
from hostpulse.control.people_rows import TenantRow

MAX_NAME_LENGTH = 64
_ID = re.compile("[a-z0-9][a-z0-9-]{0,39}")


class Listed(NamedTuple):
    """An organisation and how many people belong to it."""

    row: TenantRow
    people: int


class Tenants:
    """Changes organisations. Any method may raise AccessDenied, StoreAway."""

    def __init__(self, means: Means, sessions: Sessions) -> None:
        self._store, self._clock_ms, _ = means
        self._log = AuditLog(means)
        self._sessions = sessions

    def make(self, by: Principal, id_: str, name: str) -> None:
        """Make an organisation without anybody in it."""
        if not _ID.fullmatch(id_):
            raise AccessDenied(422, "tenant: use 1 to 40 small letters, digits and hyphens.")
        name = _checked_name(name)
        with self._store.system_transaction() as connection:
            if id_ in people_rows.tenants_by_id(connection):
                raise AccessDenied(409, f"tenant: {id_} is there already.")
            people_rows.add_tenant(connection, TenantRow(id_, name, self._clock_ms()))
            self._note(connection, by, "make a tenant", id_)

    def rename(self, by: Principal, id_: str, name: str) -> None:
        """Give an organisation another name; its id stays."""
        name = _checked_name(name)
        with self._store.system_transaction() as connection:
            _check_is_there(connection, id_)
            people_rows.change_tenant(connection, id_, name=name)
            self._note(connection, by, "rename a tenant", id_, name)

    def suspend(self, by: Principal, id_: str, is_suspended: bool) -> None:
        """Refuse the people and keys of an organisation within a second, or let them in again.

        Nothing is lost: agents keep their reports meanwhile.
        """
        _check_not_default(id_, "suspended")
        with self._store.system_transaction() as connection:
            _check_is_there(connection, id_)
            key_rows.begin_change(connection)
            since_ms = self._clock_ms() if is_suspended else None
            people_rows.change_tenant(connection, id_, suspended_ms=since_ms)
            deed = "suspend a tenant" if is_suspended else "resume a tenant"
            self._note(connection, by, deed, id_)
        self._sessions.forget_known()

    def close(self, by: Principal, id_: str) -> None:
        """Close an organisation for good: within a minute all that it had is taken out."""
        _check_not_default(id_, "deleted")
        with self._store.system_transaction() as connection:
            _check_is_there(connection, id_)
            key_rows.begin_change(connection)
            people_rows.change_tenant(connection, id_, closed_ms=self._clock_ms())
            people_rows.end_sessions_in(connection, id_)
            self._note(connection, by, "delete a tenant", id_)
        self._sessions.forget_known()

    def check_is_there(self, id_: str) -> None:
        """Return if there is an organisation with this id."""
        with self._store.system_transaction() as connection:
            _check_is_there(connection, id_)

    def list(self) -> list[Listed]:
        """Return every organisation, by id."""
        with self._store.system_transaction() as connection:
            counts = people_rows.member_counts(connection)
            rows = people_rows.tenants_by_id(connection).values()
        return [Listed(row, counts.get(row.id, 0)) for row in rows]

    def of(self, who: Principal) -> dict[str, str]:
        """Return the names of the tenants that a person belongs to or visits, by id."""
        with self._store.system_transaction() as connection:
            known = people_rows.tenants_by_id(connection)
            mine = people_rows.roles_of(connection, who.user) if who.user else {}
        return {id_: known[id_].name if id_ in known else id_ for id_ in {*mine, who.tenant}}

    def _note(self, connection: Connection, by: Principal, *deed: str) -> None:
        """Write down what was done to a tenant, for its own people too."""
        self._log.note(connection, by, *deed)
        if by.tenant != deed[1]:
            self._log.note(connection, replace(by, tenant=deed[1]), *deed)


def _check_is_there(connection: Connection, id_: str) -> None:
    found = people_rows.tenants_by_id(connection).get(id_)
    if found is None or found.closed_ms is not None:
        raise AccessDenied(404, f"tenant: there is none with the id {id_!r}; see /api/tenants.")


def _check_not_default(id_: str, what: str) -> None:
    if id_ == DEFAULT_TENANT:
        raise AccessDenied(409, f"tenant: {DEFAULT_TENANT} is this server's own and is not {what}.")


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise AccessDenied(422, f"name: use 1 to {MAX_NAME_LENGTH} printable characters.")
    return name
