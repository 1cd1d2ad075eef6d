"""The one way in: a body becomes samples, and they are stored before anyone is told so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hostpulse.control.servers import HasOwnKey, Server, Servers, TooManyServers
from hostpulse.report import Decoded, InvalidReport, Limits, Refused, Sample, decode, is_array
from hostpulse.report.flatten import Plans
from hostpulse.report.rates import fill
from hostpulse.storage import Appended, Batch, Storage
from hostpulse.storage.group_commit import (
    LONGEST_WAIT_SECONDS,
    MOST_WAITING_BYTES,
    GroupCommit,
    Overloaded,
)
from hostpulse.telemetry import Telemetry

MAX_AHEAD_MS = 600_000
_MOST_NAMED = 50
_BREATH = 20  # reports decoded between two chances for the event loop to serve others


class Sender(Protocol):
    """Who sends reports: a tenant, the server of an agent's key ('' for any) and the key's id."""

    @property
    def tenant(self) -> str: ...

    @property
    def server(self) -> str: ...

    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the reports of one body."""

    hostname: str
    appended: Appended
    rejected: list[Refused]
    rejected_fields: list[str]


class Ingest:
    """Accepts bodies of reports for a tenant."""

    def __init__(
        self,
        storage: Storage,
        servers: Servers,
        telemetry: Telemetry,
        limits: Limits,
        clock_ms: Callable[[], int],
    ) -> None:
        self.durability = storage.durability
        self._commit = GroupCommit(storage)
        self._servers = servers
        self._telemetry = telemetry
        self._limits = limits
        self._clock_ms = clock_ms
        self._plans = Plans()
        self._turns = _Turns()

    def check_room(self) -> None:
        """Return if another body may come; raises StorageError, before anything of it is read."""
        self._commit.check_room()

    def close(self) -> None:
        """Store what waits."""
        self._commit.close()

    async def accept(self, sender: Sender, body: bytes) -> Outcome:
        """Store the reports of `body` and say what became of each.

        Raises InvalidReport, TooManyServers or HasOwnKey if there is nothing to store, StorageError
        if it cannot be stored.
        """
        with closing(_Body(self._servers, sender, self._clock_ms())) as reports:
            items = decode(body, self._plans, self._limits)
            if is_array(body):
                await self._add_in_turn(reports, items, len(body))
            else:
                reports.add(0, next(items))
            if not reports.members:
                raise reports.full or _nothing_to_store(reports.refused)
            samples = [member.sample for member in reports.members]
            appended = await self._commit.append(Batch(sender.tenant, samples), len(body))
            self._telemetry.count_samples(appended.accepted)
            return reports.settle(appended)

    async def _add_in_turn(
        self, reports: _Body, items: Iterator[Decoded | Refused], size_bytes: int
    ) -> None:
        async with self._turns.next(size_bytes):
            reports.now_ms = self._clock_ms()
            for count, item in enumerate(items, 1):
                reports.add(count - 1, item)
                if count % _BREATH == 0:
                    await asyncio.sleep(0)


class _Turns:
    """Lets one array be read at a time, so that the live reports of a whole fleet go between.

    How much may wait for its turn is bounded, and how long.
    """

    def __init__(self) -> None:
        self._reading = asyncio.Lock()
        self._waiting_bytes = 0

    @asynccontextmanager
    async def next(self, size_bytes: int) -> AsyncIterator[None]:
        if self._waiting_bytes + size_bytes > MOST_WAITING_BYTES:
            raise _many_wait()
        self._waiting_bytes += size_bytes
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._reading.acquire()
        except TimeoutError:
            raise _many_wait() from None
        finally:
            self._waiting_bytes -= size_bytes
        try:
            yield
        finally:
            self._reading.release()


def _many_wait() -> Overloaded:
    return Overloaded("Many arrays of reports wait to be read; send again later, nothing is lost.")


class _Member(NamedTuple):
    server: Server
    decoded: Decoded
    sample: Sample
    clock_ahead: bool


class _Body:
    """The reports of one body on their way to the storage."""

    def __init__(self, servers: Servers, sender: Sender, now_ms: int) -> None:
        self._servers = servers
        self._sender = sender
        self.now_ms = now_ms
        self._newest: dict[str, Sample] = {}
        self._newcomers: dict[str, Server] = {}
        self.members: list[_Member] = []
        self.refused: list[Refused] = []
        self.full: TooManyServers | HasOwnKey | None = None

    def add(self, index: int, item: Decoded | Refused) -> None:
        if isinstance(item, Refused):
            self.refused.append(item)
            return
        try:
            server = self._server_of(item.hostname)
        except (TooManyServers, HasOwnKey) as error:
            self.full = error
            self.refused.append(Refused(index, str(error)))
            return
        previous = self._newest.get(server.id, server.newest)
        sample, clock_ahead = _to_sample(item, server.id, previous, self.now_ms)
        self._newest[server.id] = sample
        self.members.append(_Member(server, item, sample, clock_ahead))

    def _server_of(self, hostname: str) -> Server:
        tenant, server = self._sender.tenant, self._sender.server
        if server:  # of an agent's key, whatever the machine calls itself
            return self._servers.of_key(tenant, server, hostname, self.now_ms)
        known = self._servers.plain(tenant, hostname) or self._newcomers.get(hostname)
        if known is None:
            by_ingest_key = bool(self._sender.key)
            known = self._servers.newcomer(tenant, hostname, self.now_ms, by_ingest_key)
            self._newcomers[hostname] = known
        return known

    def settle(self, appended: Appended) -> Outcome:
        """Tell the registry what was stored; return what to answer."""
        dropped: list[str] = []
        admitted = {
            newcomer.id: self._servers.admit(self._sender.tenant, newcomer)
            for newcomer in self._newcomers.values()
        }
        newest: dict[str, _Member] = {}
        for member in self.members:
            dropped.extend(member.decoded.dropped)
            before = newest.get(member.server.id)
            if before is None or member.sample.time_ms > before.sample.time_ms:
                newest[member.server.id] = member
        for known, decoded, sample, clock_ahead in newest.values():
            server = admitted.get(known.id, known)
            server.observe(decoded, sample, self.now_ms, clock_ahead)
        hostname = self.members[0].decoded.hostname
        return Outcome(hostname, appended, self.refused, dropped[:_MOST_NAMED])

    def close(self) -> None:
        """Give back what was held for newcomers, whether they were admitted or not."""
        if self._newcomers:
            self._servers.give_back(self._sender.tenant, len(self._newcomers))


def _to_sample(
    decoded: Decoded, server: str, previous: Sample | None, now_ms: int
) -> tuple[Sample, bool]:
    time_ms = decoded.time_ms
    clock_ahead = time_ms > now_ms + MAX_AHEAD_MS
    if clock_ahead:
        time_ms = now_ms
    layout, values = decoded.plan.layout, decoded.values
    if not decoded.makes_own_rates:
        fill(layout, values, time_ms, previous)
    decoded.plan.add_totals(values)
    return Sample(server, time_ms, layout, values), clock_ahead


def _nothing_to_store(refused: list[Refused]) -> InvalidReport:
    if not refused:
        return InvalidReport("body", "is an empty array; send at least one report")
    problem = f"{refused[0].error} ({len(refused)} refused, none stored)"
    return InvalidReport(f"report {refused[0].index}", problem)
