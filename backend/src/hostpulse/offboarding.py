"""Takes out all that an organisation had, once it is closed and nobody sends anything for it."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from hostpulse.control import key_rows, people_rows
from hostpulse.control.registrar import Registrar
from hostpulse.control.servers import Servers
from hostpulse.control.store import ControlStore
from hostpulse.storage import Storage

REST_MS = 5_000
"""After this time no process takes its keys, and what was under way has ended."""


class Offboarding:
    """Goes on where it ended if it was interrupted; several processes may do it at once."""

    def __init__(
        self,
        store: ControlStore,
        registrar: Registrar,
        servers: Servers,
        storage: Storage,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._registrar = registrar
        self._servers = servers
        self._storage = storage
        self._clock_ms = clock_ms

    def run(self) -> None:
        """Take out what is closed; raises StoreAway, StorageError."""
        with self._store.system_transaction() as connection:
            closed = people_rows.closed_before(connection, self._clock_ms() - REST_MS)
        for tenant in closed:
            self._take_out(tenant)
            structlog.get_logger("hostpulse.offboarding").info("a tenant is gone", tenant=tenant)

    def _take_out(self, tenant: str) -> None:
        self._registrar.save()  # so that every server has its row, and is known here
        for server in self._servers.all(tenant):
            self._storage.forget(tenant, server.id)
            self._registrar.forget(tenant, server)
        self._storage.forget_tenant(tenant)
        with self._store.system_transaction() as connection:
            key_rows.begin_change(connection)
            people_rows.remove_tenant(connection, tenant)
