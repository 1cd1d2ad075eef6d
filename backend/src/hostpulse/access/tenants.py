"""Organisations: they are made, and have names."""

from __future__ import annotations

import re

from hostpulse.access.audit import AuditLog
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.principal import Principal
from hostpulse.control import people_rows

_TENANT_ID = re.compile("[a-z0-9][a-z0-9-]{0,39}")


class Tenants:
    """Makes and names organisations. Any method may raise StoreAway."""

    def __init__(self, means: Means, log: AuditLog) -> None:
        self._store, self._clock_ms, _ = means
        self._log = log

    def make(self, by: Principal, id_: str, name: str) -> None:
        """Make an organisation without anybody in it."""
        if not _TENANT_ID.fullmatch(id_):
            raise AccessDenied(422, "tenant: use 1 to 40 small letters, digits and hyphens.")
        with self._store.system_transaction() as connection:
            if id_ in people_rows.tenant_names(connection):
                raise AccessDenied(409, f"tenant: {id_} is there already.")
            people_rows.add_tenant(connection, id_, name, self._clock_ms())
            self._log.note(connection, by, "make a tenant", id_)

    def names(self) -> dict[str, str]:
        """Return the name of every organisation by its id."""
        with self._store.system_transaction() as connection:
            return people_rows.tenant_names(connection)

    def of(self, who: Principal) -> dict[str, str]:
        """Return the names of the tenants that a person belongs to, by id."""
        with self._store.system_transaction() as connection:
            names = people_rows.tenant_names(connection)
            mine = people_rows.roles_of(connection, who.user) if who.user else [who.tenant]
        return {tenant: names.get(tenant, tenant) for tenant in mine}
