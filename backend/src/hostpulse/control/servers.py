"""The registry of servers: who reported, when, and what it last said about itself."""

from __future__ import annotations

import base64
import hashlib
import itertools
from dataclasses import dataclass, field
from math import isnan, nan
from threading import Lock

from hostpulse.report import Decoded, Facts, Key, Sample

_UPTIME = Key("uptime_seconds")
_BOOT_JITTER_MS = 60_000  # an uptime in whole seconds, and a clock that is set


class UnknownServer(LookupError):
    """No server of the tenant has that id or hostname."""


class TooManyServers(Exception):
    """The tenant has as many servers as it may."""


def server_id(tenant: str, hostname: str) -> str:
    """Return the id of a server that is known by its hostname alone."""
    digest = hashlib.sha256(f"{tenant}\0{hostname}".encode()).digest()
    return "srv_" + base64.b32encode(digest)[:16].decode().lower()


@dataclass(slots=True)
class Server:
    """One server; times are epoch ms, `last_seen_ms` by this machine's clock.

    `number` names it as `id` does, but briefly, and only as long as this process runs.
    """

    id: str
    number: int
    hostname: str
    first_seen_ms: int
    last_seen_ms: int = 0
    newest: Sample | None = None
    raw: bytes = b""
    clock_ahead: bool = False
    paused: bool = False
    facts: Facts = field(default_factory=Facts)
    booted_ms: float = nan
    facts_changed_ms: int = 0

    def observe(self, decoded: Decoded, sample: Sample, now_ms: int, clock_ahead: bool) -> None:
        """Take in a stored report; one that is not newer than all before says nothing new."""
        if self.newest is not None and sample.time_ms <= self.newest.time_ms:
            return
        self.newest, self.raw, self.last_seen_ms = sample, decoded.raw, now_ms
        self.clock_ahead = clock_ahead
        booted_ms = _booted_ms(sample)
        rebooted = not abs(booted_ms - self.booted_ms) <= _BOOT_JITTER_MS
        if decoded.facts != self.facts or (rebooted and not isnan(booted_ms)):
            self.facts, self.booted_ms, self.facts_changed_ms = decoded.facts, booted_ms, now_ms


def _booted_ms(sample: Sample) -> float:
    uptime_seconds = sample.get(_UPTIME)
    return nan if uptime_seconds is None else sample.time_ms - uptime_seconds * 1000


class Servers:
    """All servers of all tenants, in this process; the tenant comes first, always."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_id: dict[str, dict[str, Server]] = {}
        self._by_hostname: dict[tuple[str, str], Server] = {}
        self._numbers = itertools.count(1)
        self._lock = Lock()

    def of_hostname(self, tenant: str, hostname: str, now_ms: int) -> Server:
        """Return the server that reports under this hostname, new if need be.

        Raises TooManyServers.
        """
        known = self._by_hostname.get((tenant, hostname))
        return known or self._create(tenant, hostname, now_ms)

    def _create(self, tenant: str, hostname: str, now_ms: int) -> Server:
        with self._lock:
            mine = self._by_id.setdefault(tenant, {})
            if len(mine) >= self._most:
                raise TooManyServers(
                    f"hostname: {hostname} would be server number {len(mine) + 1}; "
                    "delete a server or raise max_servers"
                )
            server = Server(server_id(tenant, hostname), next(self._numbers), hostname, now_ms)
            mine[server.id] = server
            self._by_hostname[tenant, hostname] = server
            return server

    def find(self, tenant: str, name: str) -> Server:
        """Return the server with this id or hostname; raises UnknownServer."""
        server = self._by_id.get(tenant, {}).get(name) or self._by_hostname.get((tenant, name))
        if server is None:
            raise UnknownServer(f"No server has the id or hostname {name!r}; see /api/servers.")
        return server

    def all(self, tenant: str) -> list[Server]:
        """Return the tenant's servers, oldest first."""
        with self._lock:
            return list(self._by_id.get(tenant, {}).values())

    def forget(self, tenant: str, server: Server) -> None:
        """Take a server out; a new report of it makes a new one."""
        with self._lock:
            self._by_id.get(tenant, {}).pop(server.id, None)
            self._by_hostname.pop((tenant, server.hostname), None)

    def count(self) -> int:
        """Return the number of servers of all tenants."""
        return sum(len(mine) for mine in self._by_id.values())
