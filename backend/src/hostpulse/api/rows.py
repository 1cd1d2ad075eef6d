"""The shapes of the server list and how they are made."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from socket import gethostname
from typing import Any

import msgspec

from hostpulse.api import headline
from hostpulse.control.servers import Server
from hostpulse.control.status import STATUSES, status_at
from hostpulse.report import Key
from hostpulse.storage import Storage, Wanted, Window

_MINUTE_MS = 60_000
_THIS_HOST = gethostname()  # its agent needs no key
_CLOCK_OFFSET = Key("clock_offset_ms")
_SPARK = Wanted(("cpu_percent_total",), "")


class Row(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One server of the list; what is not known, or did not change, is left out.

    Rates have three significant digits. In a delta `number` alone says which server it is; a new
    server has number 0 for a moment, and then its rows are whole.
    """

    number: int
    status: str
    id: str | None = None
    hostname: str | None = None
    first_seen: int | None = None
    last_seen: int | None = None
    time: int | None = None
    interval_seconds: float | None = None
    tags: list[str] | None = None
    os: str | None = None
    kernel: str | None = None
    agent_version: str | None = None
    flags: list[str] | None = None
    name: str | None = None
    enrolled: bool | None = None
    note: str | None = None
    clock_offset_ms: int | None = None
    boot_time: int | None = None
    cpu_count_logical: int | None = None
    memory_total: int | None = None
    cpu_percent_total: float | None = None
    memory_percent: float | None = None
    swap_percent: float | None = None
    disk_percent: float | None = None
    disk_mountpoint: str | None = None
    bytes_recv_per_sec: float | None = None
    bytes_sent_per_sec: float | None = None
    load_per_core: float | None = None
    temperature_celsius: float | None = None
    processes_total: int | None = None
    spark: list[int | None] | None = None
    facts: dict[str, Any] | None = None


class ServerList(msgspec.Struct):
    """The servers as of `now`; a delta holds only what changed since the time asked for."""

    now: int
    total: int
    delta: bool
    counts: dict[str, int]
    servers: list[Row]


def full_row(server: Server, now_ms: int, keys_matter: bool) -> Row:
    """Return everything the list says of a server; `keys_matter` where strangers may send."""
    row = changing_row(server, now_ms, keys_matter)
    row.id = server.id
    row.hostname = server.hostname
    facts = server.facts
    row.name, row.enrolled = server.given_name or None, server.enrolled or None
    row.interval_seconds = facts.interval_seconds
    row.tags = list(dict.fromkeys((*server.given_tags, *facts.tags)))
    row.os, row.kernel = facts.os or None, facts.kernel or None
    row.agent_version = facts.agent_version or None
    row.cpu_count_logical = _whole(facts.cpu_count_logical)
    row.memory_total = _whole(facts.memory_total)
    row.boot_time = _whole(server.booted_ms)
    return row


def _whole(number: float) -> int | None:
    return None if isnan(number) else int(number)


def changing_row(server: Server, now_ms: int, keys_matter: bool) -> Row:
    """Return what can change with every report."""
    row = Row(number=server.number, status=status_at(server, now_ms))
    if server.newest is None:
        return row
    row.last_seen, row.time = server.last_seen_ms, server.newest.time_ms
    has_no_key = keys_matter and not (server.enrolled or server.hostname == _THIS_HOST)
    flags = {
        "clock_ahead": server.clock_ahead,
        "cloned": server.is_cloned(now_ms),
        "no_key": has_no_key,
    }
    row.flags = [name for name, is_so in flags.items() if is_so] or None
    offset_ms = server.newest.get(_CLOCK_OFFSET)
    row.clock_offset_ms = int(offset_ms) if offset_ms else None
    for name, value in headline.numbers(server.newest).items():
        setattr(row, name, value)
    return row


def changed_since(server: Server, since_ms: int, now_ms: int) -> bool:
    """Tell whether a client that knew everything at `since_ms` has to learn something."""
    if max(server.received_ms, server.learned_ms) >= since_ms:
        return True
    return status_at(server, since_ms) != status_at(server, now_ms)


def count(servers: list[Server], now_ms: int) -> dict[str, int]:
    """Return how many servers have each status."""
    counts = dict.fromkeys(STATUSES, 0)
    for server in servers:
        counts[status_at(server, now_ms)] += 1
    return counts


class Sparks:
    """CPU means per minute for the list, made once a minute for each server.

    A server with hardly any history yet is not kept, so that its first line grows at once.
    """

    def __init__(self, storage: Storage, clock_ms: Callable[[], int]) -> None:
        self._storage = storage
        self._clock_ms = clock_ms
        self._kept: dict[tuple[str, str, int], tuple[int, list[int | None]]] = {}

    def of(self, tenant: str, server: Server, minutes: int) -> list[int | None]:
        """Return `minutes` means, the last one of the minute that is running; None for a gap."""
        this_minute = self._clock_ms() // _MINUTE_MS
        made, spark = self._kept.get((tenant, server.id, minutes), (0, []))
        if made != this_minute:
            spark = self._make(tenant, server, minutes, this_minute)
            if sum(value is not None for value in spark) > 2:
                self._kept[tenant, server.id, minutes] = (this_minute, spark)
        return spark

    def forget(self, tenant: str, server: Server) -> None:
        """Drop what is kept of a server."""
        for key in [key for key in self._kept if key[:2] == (tenant, server.id)]:
            del self._kept[key]

    def _make(
        self, tenant: str, server: Server, minutes: int, this_minute: int
    ) -> list[int | None]:
        end_ms = (this_minute + 1) * _MINUTE_MS
        window = Window(end_ms - minutes * _MINUTE_MS, end_ms, bucket_ms=_MINUTE_MS)
        series = self._storage.history(tenant, server.id, _SPARK, window).series
        if not series:
            return [None] * minutes
        return [None if isnan(value) else round(value) for value in series[0].points.mean]
