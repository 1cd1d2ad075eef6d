"""The servers under load: Hostpulse on each of its storages, and its peers."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlencode, urlsplit

import client
import peers
import process
import remote_write
from process import NONE, BenchError
from workload import Batch, Fleet

VICTORIA_METRICS, PROMETHEUS, INFLUXDB = "VictoriaMetrics", "Prometheus", "InfluxDB"
MEMORY, FILE = "Hostpulse memory:", "Hostpulse file:"
POSTGRESQL_STORAGE, INFLUXDB_STORAGE = "Hostpulse postgresql:", "Hostpulse influxdb:"
IN_MEMORY = 1000  # the samples that memory: keeps of each server
_JSON = {"Content-Type": "application/json"}
_MOST_POINTS = 400
AGENT_GZIP_LEVEL = 1


@dataclass(frozen=True)
class Side:
    """A server under load: how a batch is written for it and what it says it took.

    `engine` is the process below a backend that stores for it; `arrived` counts the numbers that
    can be found again; `data` is the folder of a Hostpulse.
    """

    name: str
    port: int
    pid: int
    path: str
    body: Callable[[Batch], bytes]
    check: client.Check
    arrived: Callable[[Fleet], int]
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)
    engine: int | None = None
    data: Path | None = None

    @property
    def is_ours(self) -> bool:
        """Tell whether it is Hostpulse, whose answers count what was accepted."""
        return self.path == "/api/metrics"

    def cpu_seconds(self) -> float:
        """CPU so far, that of the engine included."""
        return process.cpu_seconds(self.pid) + self.engine_seconds()

    def engine_seconds(self) -> float:
        """CPU of the engine so far."""
        return process.cpu_seconds(self.engine) if self.engine else 0.0

    def rss_bytes(self) -> int:
        """Memory that all its processes hold; what they share counts once."""
        backend = process.memory(self.pid).rss_bytes
        return backend + (process.memory(self.engine).pss_bytes if self.engine else 0)

    def request(self, batch: Batch, zipped: bool = False) -> bytes:
        """Write the request that brings a batch."""
        body, headers = self.body(batch), self.headers_of(batch)
        if not zipped:
            return client.post(self.path, body, headers)
        headers = {**headers, "Content-Encoding": "gzip"}
        return client.post(self.path, gzip.compress(body, AGENT_GZIP_LEVEL, mtime=0), headers)

    def headers_of(self, batch: Batch) -> Mapping[str, str]:
        """Return the headers that a batch is sent with."""
        return self.headers


def check_arrived(sides: Sequence[Side], fleet: Fleet) -> None:
    """Make sure that every side holds all numbers of the fleet."""
    wanted = fleet.samples_made * len(fleet.fields)
    for side in sides:
        found = side.arrived(fleet)
        if found != wanted:
            raise BenchError(f"{wanted} numbers were sent to {side.name}, {found} are there")


def start_all(stack: ExitStack) -> list[Side]:
    """Start Hostpulse on every storage, and the peers."""
    ours = [start_hostpulse(stack, name) for name in KINDS]
    theirs = (start_victoria_metrics, start_prometheus, start_influxdb)
    return [*ours, *(start(stack) for start in theirs)]


# -- Hostpulse ------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A storage: what it promises, and how its URL is made and the process id of its engine."""

    durability: str
    open: Callable[[ExitStack], tuple[str, int | None]]


def _postgresql(stack: ExitStack) -> tuple[str, int]:
    server = peers.start_postgresql(stack)
    return server.create_database(), server.pid


def _influxdb(stack: ExitStack) -> tuple[str, int]:
    server = peers.start_influxdb(stack)
    return server.url(), server.pid


KINDS = {
    MEMORY: Kind("memory", lambda _: ("memory://", None)),
    FILE: Kind("fsync", lambda _: ("file:", None)),
    POSTGRESQL_STORAGE: Kind("commit", _postgresql),
    INFLUXDB_STORAGE: Kind("engine", _influxdb),
}


def start_hostpulse(
    stack: ExitStack, name: str = MEMORY, auth: bool = False, settings: Mapping[str, str] = NONE
) -> Side:
    """Start the backend on an empty storage of its own."""
    kind = KINDS[name]
    url, engine = kind.open(stack)
    program, port = process.start_backend(url, auth=auth, settings=settings)
    stack.enter_context(program)
    arrived = partial(_found_in_history, port, name)
    check = accepting(kind.durability)
    return Side(
        name, port, program.pid, "/api/metrics", _report, check, arrived,
        engine=engine, data=program.folder / "data",
    )  # fmt: skip


def _report(batch: Batch) -> bytes:
    return batch.report


def accepting(durability: str) -> client.Check:
    """Return the check that the backend took all of a request, and how durably."""

    def check(status: int, body: bytes) -> int:
        if status != 200:
            raise BenchError(f"Hostpulse answered {status}: {body[:300]!r}")
        answer = json.loads(body)
        if answer["rejected"] or answer["rejected_fields"] or answer["durability"] != durability:
            raise BenchError(f"Hostpulse did not take all as it should: {body[:300]!r}")
        return int(answer["accepted"])

    return check


def _found_in_history(port: int, name: str, fleet: Fleet) -> int:
    line = client.Connection(port)
    asked = [(host, span) for host in fleet.hostnames for span in fleet.spans()]
    samples = sum(_samples_in(line, host, *span) for host, span in asked)
    line.close()
    if name == MEMORY:
        samples += max(fleet.samples_made - IN_MEMORY * len(fleet.hostnames), 0)
    return samples * len(fleet.fields)


def _samples_in(line: client.Connection, host: str, start_ms: int, end_ms: int) -> int:
    query = {"metrics": "uptime_seconds", "start": start_ms, "end": end_ms, "points": _MOST_POINTS}
    status, body = line.ask(client.get(f"/api/servers/{host}/history?{urlencode(query)}"))
    answer = json.loads(body)
    if status != 200 or (answer["series"] and not answer["raw"]):
        raise BenchError(f"Hostpulse did not show its samples: {body[:300]!r}")
    return sum(value is not None for one in answer["series"] for value in one["mean"])


# -- its peers ------------------------------------------------------------


def start_victoria_metrics(stack: ExitStack) -> Side:
    """Start it; it takes line protocol."""
    program, port = peers.start_victoria_metrics()
    stack.enter_context(program)
    return Side(
        VICTORIA_METRICS, port, program.pid, "/write?precision=ms", _lines, _no_content,
        lambda _: peers.victoria_metrics_rows(port),
    )  # fmt: skip


def start_prometheus(stack: ExitStack) -> Side:
    """Start it; it takes remote writes."""
    program, port = peers.start_prometheus()
    stack.enter_context(program)
    return Side(
        PROMETHEUS, port, program.pid, "/api/v1/write",
        lambda batch: remote_write.of_lines(batch.lines), _no_content,
        lambda _: peers.prometheus_samples(port), remote_write.HEADERS,
    )  # fmt: skip


def start_influxdb(stack: ExitStack) -> Side:
    """Start it; it takes line protocol and syncs before it answers."""
    server = peers.start_influxdb(stack)
    server.query("CREATE DATABASE bench")
    url = urlsplit(server.url())
    login = f"{url.username}:{unquote(url.password or '')}"
    headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}

    def arrived(_: Fleet) -> int:
        (found,) = server.query("SELECT count(*) FROM host", "bench")
        return int(sum(found["values"][0][1:]))

    path = "/write?db=bench&precision=ms"
    return Side(INFLUXDB, server.port, server.pid, path, _lines, _no_content, arrived, headers)


def _lines(batch: Batch) -> bytes:
    return batch.lines


def _no_content(status: int, body: bytes) -> int:
    if status != 204:
        raise BenchError(f"a peer answered {status}: {body[:300]!r}")
    return 0
