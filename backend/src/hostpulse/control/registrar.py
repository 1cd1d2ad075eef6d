"""Keeps the registry of this process and the control store in step, once a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection

from hostpulse.control import key_rows, server_rows
from hostpulse.control.server_rows import Counters, ServerRow
from hostpulse.control.servers import Server, Servers, Version
from hostpulse.control.store import ControlStore, StoreAway
from hostpulse.report import Decoded, InvalidReport, Limits, Sample, decode
from hostpulse.report.flatten import Plans

SAVE_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.2
_LAG_MS = 3000
SAID = ("paused", "given_name", "given_tags", "note")
"""What people say of a server, and no report changes."""


class Registrar:
    """Saves what the servers' reports changed, learns what other processes saved.

    Reports touch the registry alone. Whatever asks the store waits for its turn, at most
    10 seconds.
    """

    def __init__(
        self, store: ControlStore, servers: Servers, limits: Limits, clock_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._servers = servers
        self._limits = limits
        self._clock_ms = clock_ms
        self._plans = Plans()
        self._known = Counters()
        self.lag_ms = _LAG_MS if store.is_shared else 0
        """How much later than here another process may have learned of something."""
        self._turn = Lock()
        self._next_look = 0.0
        self._looker = Lock()

    def save(self) -> None:
        """Exchange what changed with the store in one transaction; raises StoreAway."""
        with self._alone():
            self._save()

    def look(self) -> None:
        """Learn at once what other processes saved, for who asks for a server not known here.

        However many ask, the store is asked once in 0.2 seconds, and not waited for in a queue.
        """
        if not self._store.is_shared:
            return
        with self._looker:
            if monotonic() < self._next_look:
                return
            self._next_look = monotonic() + LOOK_SECONDS
        with suppress(StoreAway), self._alone(LOOK_SECONDS):
            with self._store.system_transaction() as connection:
                now = server_rows.read_counters(connection)
                self._catch_up(connection, now)
            self._settle(now, [])

    def say(self, tenant: str, server: Server, **said: Any) -> None:
        """Change what people say of a server (`SAID`), at once; raises StoreAway."""
        with self._alone():
            self._save()  # a new one gets its row
            with self._store.transaction(tenant) as connection:
                now = server_rows.begin_change(connection)
                server_rows.say(connection, tenant, server.id, said, now)
            _take_said(server, said)
            server.facts_changed_ms = self._clock_ms()

    def forget(self, tenant: str, server: Server) -> None:
        """Take a server out, at once; a new report of it makes a new one. Raises StoreAway."""
        with self._alone():
            with self._store.transaction(tenant) as connection:
                server_rows.begin_change(connection)
                server_rows.forget(connection, tenant, server.id)
            self._servers.forget(tenant, server)

    def close(self) -> None:
        """Save a last time and let go of the store."""
        try:
            self.save()
        except StoreAway as error:
            log = structlog.get_logger("hostpulse.control")
            log.warning("what changed last is not saved", problem=str(error))
        self._store.close()

    def _save(self) -> None:
        with self._store.system_transaction() as connection:
            if self._unsaved():
                now = server_rows.begin_change(connection)
                written = self._exchange(connection, now)
            else:  # what changes from here on is for the next round: it takes a begun change
                now, written = server_rows.read_counters(connection), []
                self._catch_up(connection, now)
        self._settle(now, written)

    @contextmanager
    def _alone(self, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
        if not self._turn.acquire(timeout=patience_seconds):
            raise StoreAway("control: the store does not come to an end; try again later.")
        try:
            yield
        finally:
            self._turn.release()

    def _unsaved(self) -> list[tuple[str, Server]]:
        return [
            (tenant, server)
            for tenant, server in self._servers.of_all_tenants()
            if not server.number or server.saved != server.version
        ]

    def _exchange(self, connection: Connection, now: Counters) -> list[_Written]:
        """Learn what others changed, then write what is newer here, as part of a begun change."""
        self._catch_up(connection, now)
        self._drop_deleted(connection)
        unsaved = self._unsaved()
        versions = [server.version for _, server in unsaved]
        rows = [_row(tenant, server) for tenant, server in unsaved]
        numbers = server_rows.write(connection, rows, now)
        servers = (server for _, server in unsaved)
        return [_Written(*one) for one in zip(servers, versions, numbers, strict=True)]

    def _catch_up(self, connection: Connection, now: Counters) -> None:
        if now.change != self._known.change:
            for row in server_rows.changed_after(connection, self._known.change):
                self._learn(row)
        if now.forgotten != self._known.forgotten:
            self._drop_all_but(server_rows.numbers(connection))

    def _drop_deleted(self, connection: Connection) -> None:
        """Drop what a post made anew after another process deleted it and revoked its key."""
        new = [one for one in self._unsaved() if one[1].enrolled and not one[1].number]
        if new:
            keyed = key_rows.servers_with_key(connection, [server.id for _, server in new])
            for tenant, server in new:
                if (tenant, server.id) not in keyed:
                    self._servers.forget(tenant, server)

    def _settle(self, now: Counters, written: list[_Written]) -> None:
        """Take for saved what is committed."""
        self._known = now
        for server, version, number in written:
            server.saved = version
            if server.number != number:
                server.learned_ms = server.facts_changed_ms = self._clock_ms()
                server.number = number

    def _learn(self, row: ServerRow) -> None:
        server = self._servers.restore(
            row.tenant, row.id, row.hostname, row.first_seen_ms, row.enrolled
        )
        facts, said = server.facts, _said(server)
        if server.newest is None or (row.sample_ms or 0) > server.newest.time_ms:
            self._learn_report(server, row)
        _take_said(server, {name: getattr(row, name) for name in SAID})
        server.learned_ms = self._clock_ms()
        if server.number != row.number or (server.facts, _said(server)) != (facts, said):
            server.facts_changed_ms = server.learned_ms
        server.number = row.number

    def _learn_report(self, server: Server, row: ServerRow) -> None:
        try:
            decoded = next(decode(row.report, self._plans, self._limits))
        except InvalidReport:  # an older version took it; the next report will do
            decoded = None
        if isinstance(decoded, Decoded) and row.sample_ms is not None:
            layout, values = decoded.plan.layout, decoded.values
            decoded.plan.add_totals(values)
            sample = Sample(row.id, row.sample_ms, layout, values)
            server.take(decoded, sample, row.last_seen_ms, row.last_seen_ms, row.clock_ahead)
            server.saved = sample, decoded.raw, row.last_seen_ms
        else:
            server.last_seen_ms = row.last_seen_ms
            server.saved = None, b"", row.last_seen_ms

    def _drop_all_but(self, numbers: set[int]) -> None:
        for tenant, server in self._servers.of_all_tenants():
            if server.number and server.number not in numbers:
                self._servers.forget(tenant, server)


class _Written(NamedTuple):
    server: Server
    version: Version
    number: int


def _row(tenant: str, server: Server) -> ServerRow:
    # A report may arrive meanwhile; then the version is another one too, and the next round writes.
    return ServerRow(
        tenant=tenant,
        id=server.id,
        number=server.number,
        hostname=server.hostname,
        first_seen_ms=server.first_seen_ms,
        last_seen_ms=server.last_seen_ms,
        interval_seconds=server.facts.interval_seconds,
        tags=server.facts.tags,
        paused=server.paused,
        clock_ahead=server.clock_ahead,
        sample_ms=server.newest.time_ms if server.newest else None,
        report=server.raw,
        enrolled=server.enrolled,
        given_name=server.given_name,
        given_tags=server.given_tags,
        note=server.note,
    )


def _said(server: Server) -> dict[str, Any]:
    return {name: getattr(server, name) for name in SAID}


def _take_said(server: Server, said: Mapping[str, Any]) -> None:
    for name, value in said.items():
        setattr(server, name, tuple(value) if isinstance(value, list) else value)
