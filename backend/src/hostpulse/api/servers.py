"""GET /api/servers and what lies below each server."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta

from hostpulse import catalogue
from hostpulse.access.principal import Need
from hostpulse.api import query
from hostpulse.api.asking import body, principal, reply
from hostpulse.api.openapi import HISTORY_PARAMETERS, Parameter, operation
from hostpulse.api.rows import Row, ServerList, Sparks, changed_since, changing_row, count, full_row
from hostpulse.control.servers import Server, UnknownServer
from hostpulse.parts import Parts
from hostpulse.report import Key, Limits, reread
from hostpulse.report.limits import MAX_HOSTNAME_LENGTH, MAX_NAME_LENGTH, MAX_TAGS
from hostpulse.report.shape import SYSTEM_FACTS
from hostpulse.storage import History, Wanted, Window
from hostpulse.storage.series import Series

Tag = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH)]

_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_GROUPS = {
    "cpu": ("cpu",),
    "memory": ("memory",),
    "disk": ("disk",),
    "io": ("io", "network"),
    "network": ("network",),
}


class SeriesName(msgspec.Struct):
    """A key that the server's samples have."""

    metric: str
    instance: str
    unit: str


class SeriesColumns(msgspec.Struct):
    """One key's columns; null is a gap."""

    metric: str
    instance: str
    unit: str
    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]


class HistoryAnswer(msgspec.Struct):
    """Series over common times."""

    start: int
    end: int
    step: int
    raw: bool
    times: list[int]
    series: list[SeriesColumns]


class GroupAnswer(msgspec.Struct):
    """What one group of metrics says now and said in the last hour."""

    id: str
    hostname: str
    time: int | None
    current: dict[str, float | dict[str, float]]
    history: HistoryAnswer


class LatestAnswer(msgspec.Struct):
    """The newest report as it arrived."""

    id: str
    hostname: str
    received_at: int
    time: int | None
    report: msgspec.Raw


class SeriesAnswer(msgspec.Struct):
    """The keys that a server's samples have."""

    series: list[SeriesName]


class ServerChange(msgspec.Struct, forbid_unknown_fields=True):
    """What people say of a server; what is left out stays as it is."""

    name: Annotated[str, Meta(max_length=MAX_HOSTNAME_LENGTH)] | None = None
    tags: Annotated[list[Tag], Meta(max_length=MAX_TAGS)] | None = None
    note: Annotated[str, Meta(max_length=2000)] | None = None
    paused: bool | None = None


class Done(msgspec.Struct):
    """It is done."""

    status: str = "success"


def servers_blueprint(parts: Parts) -> Blueprint:
    """Return the routes below /api/servers."""
    api = Blueprint("servers", __name__, url_prefix="/api/servers")
    views = _Views(parts)
    api.get("")(views.list_servers)
    api.get("/<server>")(views.show_server)
    api.patch("/<server>")(views.change_server)
    api.delete("/<server>")(views.forget_server)
    api.get("/<server>/latest")(views.show_latest)
    api.get("/<server>/series")(views.list_series)
    api.get("/<server>/history")(views.show_history)
    for group in _GROUPS:
        api.get(f"/<server>/{group}", endpoint=f"show_{group}")(views.show_group(group))
    return api


class _Views:
    """Each view is one method."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sparks = Sparks(parts.storage, parts.clock_ms)
        self._started_ms = parts.clock_ms()

    def _find(self, name: str) -> Server:
        tenant = principal().tenant
        try:
            return self._parts.servers.find(tenant, name)
        except UnknownServer:
            self._parts.registrar.look()  # another process may have heard of it
            return self._parts.servers.find(tenant, name)

    @operation(
        "All servers, or with `since` only what changed",
        ServerList,
        Parameter("spark", "Length of the CPU sparkline, such as 30m; none by default."),
        Parameter("since", "`now` of the answer you have; leaves out what did not change since."),
        needs=Need.READ,
    )
    def list_servers(self) -> Response:
        now_ms = self._parts.clock_ms()
        since_ms = query.since(request.args, self._started_ms, now_ms)
        if since_ms is not None:
            since_ms -= self._parts.registrar.lag_ms
        minutes = query.spark_minutes(request.args)
        servers = self._parts.servers.all(principal().tenant)
        rows = {
            server.id: _row(server, since_ms, now_ms, self._parts.config.auth)
            for server in servers
            if since_ms is None or changed_since(server, since_ms, now_ms)
        }
        if minutes and (since_ms is None or since_ms // _MINUTE_MS != now_ms // _MINUTE_MS):
            self._add_sparks(servers, rows, minutes)
        counts = count(servers, now_ms)
        delta = since_ms is not None
        return reply(ServerList(now_ms, len(servers), delta, counts, list(rows.values())))

    def _add_sparks(self, servers: list[Server], rows: dict[str, Row], minutes: int) -> None:
        for server in servers:
            if row := rows.get(server.id):
                row.spark = self._sparks.of(principal().tenant, server, minutes)

    @operation("One server: its row and its facts", Row, needs=Need.READ)
    def show_server(self, server: str) -> Response:
        it = self._find(server)
        row = full_row(it, self._parts.clock_ms(), self._parts.config.auth)
        row.first_seen, row.facts, row.note = it.first_seen_ms, _facts(it), it.note or None
        return reply(row)

    @operation("Change what people say of a server", Row, needs=Need.MANAGE, takes=ServerChange)
    def change_server(self, server: str) -> Response:
        it, given = self._find(server), body(ServerChange)
        said = {
            "given_name": given.name,
            "given_tags": None if given.tags is None else list(dict.fromkeys(given.tags)),
            "note": given.note,
            "paused": given.paused,
        }
        said = {name: value for name, value in said.items() if value is not None}
        if said:
            self._parts.registrar.say(principal().tenant, it, **said)
            self._parts.people.log.write(principal(), "change a server", it.id)
        return self.show_server(it.id)

    @operation("Forget a server and all its samples", Done, needs=Need.MANAGE)
    def forget_server(self, server: str) -> Response:
        it, tenant = self._find(server), principal().tenant
        self._parts.issuer.revoke_of_server(principal(), it.id)
        self._parts.registrar.forget(tenant, it)
        self._parts.storage.forget(tenant, it.id)
        self._sparks.forget(tenant, it)
        self._parts.people.log.write(principal(), "delete a server", f"{it.hostname} {it.id}")
        return reply(Done())

    @operation("The newest report as it arrived", LatestAnswer, needs=Need.READ)
    def show_latest(self, server: str) -> Response:
        it = self._find(server)
        report = msgspec.Raw(it.raw or b"null")
        return reply(LatestAnswer(it.id, it.hostname, it.received_ms, _time_ms(it), report))

    @operation("The keys that the server's samples have", SeriesAnswer, needs=Need.READ)
    def list_series(self, server: str) -> Response:
        keys = self._parts.storage.series(principal().tenant, self._find(server).id)
        return reply(SeriesAnswer([SeriesName(*key, _unit(key.metric)) for key in keys]))

    @operation(
        "Series of the named metrics over a window",
        HistoryAnswer,
        *HISTORY_PARAMETERS,
        needs=Need.READ,
    )
    def show_history(self, server: str) -> Response:
        it = self._find(server)
        window = query.window(request.args, self._parts.clock_ms(), _interval_ms(it))
        return reply(self._history(it, query.wanted(request.args), window))

    def show_group(self, group: str) -> Callable[[str], Response]:
        """Return the view of one group of metrics."""
        metrics = [m for name in _GROUPS[group] for m in catalogue.of_group(name)]
        names = {metric.name for metric in metrics}
        wanted = Wanted(tuple(metric.name for metric in metrics if not metric.counter))

        @operation(f"Current values and the last hour of {group}", GroupAnswer, needs=Need.READ)
        def show(server: str) -> Response:
            it, now_ms = self._find(server), self._parts.clock_ms()
            window = Window(now_ms - _HOUR_MS, now_ms, interval_ms=_interval_ms(it))
            history = self._history(it, wanted, window)
            current = _current(it, names)
            return reply(GroupAnswer(it.id, it.hostname, _time_ms(it), current, history))

        return show

    def _history(self, server: Server, wanted: Wanted, window: Window) -> HistoryAnswer:
        found = self._parts.storage.history(principal().tenant, server.id, wanted, window)
        return _answer(found, window.points)


def _time_ms(server: Server) -> int | None:
    return server.newest.time_ms if server.newest else None


def _row(server: Server, since_ms: int | None, now_ms: int, keys_matter: bool) -> Row:
    if since_ms is None or not server.number:
        return full_row(server, now_ms, keys_matter)
    if max(server.facts_changed_ms, server.first_seen_ms) >= since_ms:
        return full_row(server, now_ms, keys_matter)
    return changing_row(server, now_ms, keys_matter)


def _interval_ms(server: Server) -> int:
    return round(server.facts.interval_seconds * 1000)


def _unit(metric: str) -> str:
    known = catalogue.find(metric)
    return known.unit if known else ""


def _columns(one: Series, skip: int) -> SeriesColumns:
    points: Any = one.points
    columns = (column[skip:] for column in (points.mean, points.min, points.max))
    return SeriesColumns(*one.key, _unit(one.key.metric), *columns)


def _answer(history: History, points: int) -> HistoryAnswer:
    # The first bucket begins before the window: where there is one too many, it is that one.
    skip = int(not history.raw and len(history.times) > points)
    series = [_columns(one, skip) for one in history.series]
    times = history.times[skip:]
    return HistoryAnswer(
        history.start_ms, history.end_ms, history.step_ms, history.raw, times, series
    )


def _current(server: Server, names: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if server.newest is None:
        return found
    for (metric, instance), value in server.newest.items():
        if metric in names:
            if catalogue.BY_NAME[metric].per:
                found.setdefault(metric, {})[instance] = value
            else:
                found[metric] = value
    return found


def _names_the_server(address: str) -> bool:
    """Tell whether others could reach the server by this address."""
    try:
        found = ip_address(address)
    except ValueError:
        return True
    return not (found.is_loopback or found.is_link_local)


def _facts(server: Server) -> dict[str, Any]:
    if server.newest is None:
        return {}
    report = reread(server.raw, Limits())
    facts: dict[str, Any] = {
        name: getattr(report.system, name) for name in SYSTEM_FACTS if report.system
    }
    facts["boot_id"] = report.agent.boot_id if report.agent else ""
    for name in ("cpu_count_logical", "cpu_count_physical", "memory_total"):
        count_of = server.newest.get(Key(name))
        facts[name] = None if count_of is None else int(count_of)
    interfaces = report.io.network.values() if report.io else ()
    addresses = (address for row in interfaces for address in row.addresses)
    facts["addresses"] = [address for address in addresses if _names_the_server(address)]
    return {name: value for name, value in facts.items() if value not in ("", None)}
