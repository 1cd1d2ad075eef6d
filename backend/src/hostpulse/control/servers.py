"""The registry of servers: who reported, when, and what it last said about itself."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from math import isnan, nan
from threading import Lock

from hostpulse.report import Decoded, Facts, Key, Sample

_UPTIME = Key("uptime_seconds")
_BOOT_JITTER_MS = 60_000  # an uptime in whole seconds, and a clock that is set
_FRESH_INTERVALS = 3
_FRESH_MS = 60_000
_MOST_RUNS = 16
_CLONED_FOR_MS = 3_600_000

Version = tuple[Sample | None, bytes, int]
"""What a report changes of a server."""


class UnknownServer(LookupError):
    """No server of the tenant has that id or hostname."""


class AmbiguousServer(LookupError):
    """Several servers of the tenant have that hostname."""


MOST_KEYLESS = 200


class TooManyServers(Exception):
    """The tenant has as many servers as it may."""


class HasOwnKey(Exception):
    """The server reports with its own key, and with no other."""


def server_id(tenant: str, hostname: str) -> str:
    """Return the id of a server that is known by its hostname alone."""
    digest = hashlib.sha256(f"{tenant}\0{hostname}".encode()).digest()
    return "srv_" + base64.b32encode(digest)[:16].decode().lower()


@dataclass(slots=True)
class Server:
    """One server; times are epoch ms, `received_ms` and `last_seen_ms` by this machine's clock.

    `received_ms` is when the newest report came, `last_seen_ms` when the server was alive last: a
    report of an earlier time may come late, and says nothing of now. The store has the latter only.
    `number` names it as `id` does, but briefly; it is 0 until the control store has given one.
    `saved` is the version that the store has, `learned_ms` when something came from there.
    An `enrolled` one is known by its own key, any other by its hostname alone. `cloned_ms` is when
    two machines were last seen to report as this one.
    """

    id: str
    number: int
    hostname: str
    first_seen_ms: int
    last_seen_ms: int = 0
    received_ms: int = 0
    newest: Sample | None = None
    raw: bytes = b""
    clock_ahead: bool = False
    paused: bool = False
    facts: Facts = field(default_factory=Facts)
    booted_ms: float = nan
    facts_changed_ms: int = 0
    learned_ms: int = 0
    saved: Version | None = None
    enrolled: bool = False
    given_name: str = ""
    given_tags: tuple[str, ...] = ()
    note: str = ""
    runs: tuple[str, ...] = ()
    cloned_ms: int = 0

    @property
    def version(self) -> Version:
        """Another one after every report that said something new."""
        return self.newest, self.raw, self.last_seen_ms

    def is_cloned(self, now_ms: int) -> bool:
        """Tell whether two machines report as this one."""
        return now_ms - self.cloned_ms < _CLONED_FOR_MS

    def _watch_run(self, run: str, now_ms: int) -> None:
        # An agent never goes back to an earlier run: then there are two with one key.
        if not run or run in self.runs[-1:]:
            return
        if run in self.runs:
            self.cloned_ms = now_ms
        others = tuple(one for one in self.runs if one != run)
        self.runs = (*others[1 - _MOST_RUNS :], run)

    def observe(self, decoded: Decoded, sample: Sample, now_ms: int, clock_ahead: bool) -> None:
        """Take in a stored report; one that is not newer than all before says nothing new."""
        if self.newest is not None and sample.time_ms <= self.newest.time_ms:
            return
        self._watch_run(decoded.facts.run, now_ms)
        fresh_ms = max(_FRESH_INTERVALS * round(decoded.facts.interval_seconds * 1000), _FRESH_MS)
        is_current = now_ms - sample.time_ms <= fresh_ms or self._keeps_pace(sample, now_ms)
        last_seen_ms = now_ms if is_current else max(self.last_seen_ms, sample.time_ms)
        self.take(decoded, sample, now_ms, last_seen_ms, clock_ahead)

    def _keeps_pace(self, sample: Sample, now_ms: int) -> bool:
        """Tell a clock that is behind, but runs, from a backlog, which catches up or has a gap."""
        if self.newest is None:
            return False
        told_ms, passed_ms = sample.time_ms - self.newest.time_ms, now_ms - self.received_ms
        return told_ms <= 2 * passed_ms and passed_ms <= 2 * told_ms

    def take(
        self,
        decoded: Decoded,
        sample: Sample,
        received_ms: int,
        last_seen_ms: int,
        clock_ahead: bool,
    ) -> None:
        """Hold this report for the newest."""
        self.newest, self.raw, self.clock_ahead = sample, decoded.raw, clock_ahead
        self.received_ms, self.last_seen_ms = received_ms, last_seen_ms
        booted_ms = _booted_ms(sample)
        rebooted = not abs(booted_ms - self.booted_ms) <= _BOOT_JITTER_MS
        if decoded.facts != self.facts or (rebooted and not isnan(booted_ms)):
            self.facts, self.booted_ms = decoded.facts, booted_ms
            self.facts_changed_ms = received_ms


def _booted_ms(sample: Sample) -> float:
    uptime_seconds = sample.get(_UPTIME)
    return nan if uptime_seconds is None else sample.time_ms - uptime_seconds * 1000


class Servers:
    """All servers of all tenants, in this process; the tenant comes first, always."""

    def __init__(self, most: int, most_keyless: int = MOST_KEYLESS) -> None:
        self._most, self._most_keyless = most, most_keyless
        self._by_id: dict[str, dict[str, Server]] = {}
        self._by_hostname: dict[tuple[str, str], list[Server]] = {}
        self._plain: dict[tuple[str, str], Server] = {}
        self._arriving: Counter[str] = Counter()
        self._lock = Lock()

    def newcomer(
        self, tenant: str, hostname: str, now_ms: int, by_ingest_key: bool = False
    ) -> Server:
        """Return a server without a key of its own that nobody sees until it is admitted.

        Its place is kept until it is given back. By ingest keys come only so many, as such a key
        is in many hands. Raises TooManyServers, HasOwnKey.
        """
        id_ = server_id(tenant, hostname)
        with self._lock:
            namesakes = self._by_hostname.get((tenant, hostname), [])
            known = self._by_id.get(tenant, {}).get(id_)
            if (known and known.enrolled) or any(one.enrolled for one in namesakes):
                raise HasOwnKey(
                    f"hostname: {hostname} reports with its own key; send that key, or enrol "
                    "this machine to have it as a server of its own."
                )
            self.check_room(tenant, hostname)
            if by_ingest_key:
                self._check_keyless(tenant, hostname)
            self._arriving[tenant] += 1
        return Server(id_, 0, hostname, now_ms)

    def admit(self, tenant: str, newcomer: Server) -> Server:
        """Let a newcomer be seen; return it, or who was admitted in its place meanwhile."""
        with self._lock:
            known = self._by_id.get(tenant, {}).get(newcomer.id)
            return known or self._add(tenant, newcomer)

    def give_back(self, tenant: str, places: int) -> None:
        """Let others have the places of newcomers, who were admitted or never will be."""
        with self._lock:
            self._arriving[tenant] -= places
            if not self._arriving[tenant]:
                del self._arriving[tenant]

    def of_key(self, tenant: str, id_: str, hostname: str, now_ms: int) -> Server:
        """Return the server of an agent's key, whatever it calls itself.

        Raises TooManyServers.
        """
        server = self._by_id.get(tenant, {}).get(id_)
        if server is None or not server.enrolled:
            server = self.enrol(tenant, id_, hostname, now_ms)
        if server.hostname != hostname:
            with self._lock:
                self._rename(tenant, server, hostname)
            server.facts_changed_ms = now_ms
        return server

    def enrol(self, tenant: str, id_: str, hostname: str, now_ms: int) -> Server:
        """Return the server of this id, from now on known by its key; raises TooManyServers."""
        with self._lock:
            known = self._by_id.get(tenant, {}).get(id_)
            if known is None:
                self.check_room(tenant, hostname)
                return self._add(tenant, Server(id_, 0, hostname, now_ms, enrolled=True))
            known.enrolled, known.saved, known.facts_changed_ms = True, None, now_ms
            self._plain.pop((tenant, known.hostname), None)
        return known

    def plain(self, tenant: str, hostname: str) -> Server | None:
        """Return the server that reports under this hostname without a key of its own."""
        return self._plain.get((tenant, hostname))

    def check_room(self, tenant: str, hostname: str) -> None:
        """Return if the tenant may have one server more; raises TooManyServers."""
        count = len(self._by_id.get(tenant, {})) + self._arriving[tenant]
        if count >= self._most:
            raise TooManyServers(
                f"hostname: {hostname} would be server number {count + 1}; "
                "delete a server or raise max_servers"
            )

    def _check_keyless(self, tenant: str, hostname: str) -> None:
        known = self._by_id.get(tenant, {}).values()
        count = sum(not server.enrolled for server in known) + self._arriving[tenant]
        if count >= self._most_keyless:
            raise TooManyServers(
                f"hostname: {hostname} would be server number {count + 1} without a key of its "
                "own; enrol it, delete one, or raise max_keyless_servers"
            )

    def _add(self, tenant: str, server: Server) -> Server:
        self._by_id.setdefault(tenant, {})[server.id] = server
        self._by_hostname.setdefault((tenant, server.hostname), []).append(server)
        if not server.enrolled:
            self._plain[tenant, server.hostname] = server
        return server

    def _drop_hostname(self, tenant: str, server: Server) -> None:
        name = (tenant, server.hostname)
        left = [one for one in self._by_hostname.get(name, []) if one is not server]
        if left:
            self._by_hostname[name] = left
        else:
            self._by_hostname.pop(name, None)
        if self._plain.get(name) is server:
            del self._plain[name]

    def _rename(self, tenant: str, server: Server, hostname: str) -> None:
        self._drop_hostname(tenant, server)
        server.hostname = hostname
        self._add(tenant, server)

    def restore(
        self, tenant: str, id_: str, hostname: str, first_seen_ms: int, enrolled: bool
    ) -> Server:
        """Return the server of this id; one that is not known yet is added, however many are."""
        with self._lock:
            server = self._by_id.get(tenant, {}).get(id_)
            if server is None:
                server = Server(id_, 0, hostname, first_seen_ms, enrolled=enrolled)
                self._add(tenant, server)
            server.first_seen_ms = first_seen_ms
            if (server.hostname, server.enrolled) != (hostname, enrolled):
                self._drop_hostname(tenant, server)
                server.hostname, server.enrolled = hostname, enrolled
                self._add(tenant, server)
            return server

    def find(self, tenant: str, name: str) -> Server:
        """Return the server with this id or hostname; raises UnknownServer, AmbiguousServer."""
        if known := self._by_id.get(tenant, {}).get(name):
            return known
        namesakes = self._by_hostname.get((tenant, name), [])
        if not namesakes:
            raise UnknownServer(f"No server has the id or hostname {name!r}; see /api/servers.")
        if len(namesakes) > 1:
            ids = ", ".join(server.id for server in namesakes)
            raise AmbiguousServer(f"Several servers have the hostname {name!r}; use an id: {ids}.")
        return namesakes[0]

    def all(self, tenant: str) -> list[Server]:
        """Return the tenant's servers, oldest first."""
        with self._lock:
            return list(self._by_id.get(tenant, {}).values())

    def of_all_tenants(self) -> list[tuple[str, Server]]:
        """Return every server with its tenant."""
        with self._lock:
            return [(tenant, one) for tenant, mine in self._by_id.items() for one in mine.values()]

    def forget(self, tenant: str, server: Server) -> None:
        """Take a server out; a new report of it makes a new one."""
        with self._lock:
            self._by_id.get(tenant, {}).pop(server.id, None)
            self._drop_hostname(tenant, server)

    def count(self, tenant: str) -> int:
        """Return the number of servers of the tenant."""
        return len(self._by_id.get(tenant, {}))
