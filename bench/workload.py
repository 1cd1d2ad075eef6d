"""The numbers both sides are given: reports of 100 simulated servers, one tick after another."""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import msgspec

STEP_MS = 5000
SERVERS = 100
SEED = 42
_GIB = 2**30
_TEXTS: dict[str, object] = {
    "os": "Debian GNU/Linux 12 (bookworm)",
    "kernel": "6.1.0-40-amd64",
    "architecture": "x86_64",
    "cpu_model": "AMD EPYC 7B13",
    "virtualization": "kvm",
}


@dataclass(frozen=True)
class Field:
    """One number of the report and how it moves from tick to tick."""

    path: tuple[str, ...]
    first: float
    step: float
    changes: float
    decimals: int
    low: float = 0.0
    high: float = 2**53

    def start(self, chance: random.Random) -> float:
        return self.first * chance.uniform(0.5, 1.5) if self.changes else self.first

    def next(self, value: float, chance: random.Random) -> float:
        """Let one tick pass; counters grow by their step, the rest walks about."""
        if not self.changes or chance.random() >= self.changes:
            return value
        if self.low == self.first:  # a counter never goes back
            return value + int(self.step * chance.uniform(0.2, 1.8))
        return min(max(value + self.step * chance.uniform(-1, 1), self.low), self.high)


def _percent(*path: str, first: float = 12.0, decimals: int = 1) -> Field:
    return Field(path, first, 3.0, 0.9, decimals, high=100.0)


def _still(*path: str, value: float = 0) -> Field:
    return Field(path, value, 0, 0, 0)


def _gauge(*path: str, first: float, step: float, decimals: int = 0) -> Field:
    return Field(path, first, step, 0.7, decimals)


def _counter(*path: str, first: int, rate: float) -> list[Field]:
    """A counter of the kernel and the rate that the agent makes of it."""
    *parent, name = path
    grows = Field(path, first, rate * 5, 0.9, 0, low=first)
    return [grows, Field((*parent, f"{name}_per_sec"), rate, rate / 3, 0.9, 1)]


def _quiet(*path: str) -> list[Field]:
    """A counter that hardly ever moves: errors, drops."""
    *parent, name = path
    return [_still(*path, value=3), _still(*parent, f"{name}_per_sec")]


def _cpu() -> Iterator[Field]:
    modes = ("total", "user", "system", "iowait", "steal", "irq", "nice")
    yield from (_percent("cpu", f"cpu_percent_{mode}") for mode in modes)
    yield from (_percent("cpu", "cpu_percent_per_core", str(core)) for core in range(4))
    yield from (_gauge("cpu", "load_average", str(n), first=1, step=0.2, decimals=2) for n in "012")
    yield from (_still("cpu", f"cpu_count_{kind}", value=4) for kind in ("logical", "physical"))
    yield from _counter("cpu", "ctx_switches", first=9 * 10**9, rate=2500)
    yield from _counter("cpu", "interrupts", first=4 * 10**9, rate=1200)


def _memory() -> Iterator[Field]:
    yield _still("memory", "memory_total", value=16 * _GIB)
    for name in ("used", "available", "free", "buffers", "cached"):
        yield _gauge("memory", f"memory_{name}", first=5 * _GIB, step=4e6)
    yield _percent("memory", "memory_percent", first=45)
    yield _still("memory", "swap_total", value=4 * _GIB)
    yield from (_still("memory", name) for name in ("swap_used", "swap_percent", "oom_kills"))
    yield from (*_quiet("memory", "swap_in_bytes"), *_quiet("memory", "swap_out_bytes"))


def _disks() -> Iterator[Field]:
    partition = ("disk", "partitions", "0")
    yield _still(*partition, "total", value=100 * _GIB)
    yield from (_gauge(*partition, name, first=40 * _GIB, step=1e5) for name in ("used", "free"))
    yield from (_percent(*partition, name, first=40) for name in ("percent", "inodes_percent"))
    yield _still(*partition, "inodes_total", value=6553600)
    yield _gauge(*partition, "inodes_used", first=400000, step=20)
    yield from (_still(*partition, name) for name in ("readonly", "stuck"))
    disk = ("io", "disk_io", "vda")
    for way in ("read", "write"):
        yield from _counter(*disk, f"{way}_count", first=10**7, rate=40)
        yield from _counter(*disk, f"{way}_bytes", first=10**11, rate=4e5)
        yield _counter(*disk, f"{way}_time", first=10**7, rate=10)[0]
    yield _counter(*disk, "busy_time", first=10**7, rate=20)[0]
    yield _percent(*disk, "busy_percent", first=3)
    yield from (
        _gauge(*disk, k, first=1, step=0.3, decimals=2) for k in ("await_ms", "queue_length")
    )


def _network() -> Iterator[Field]:
    for name, rate in (("lo", 2e4), ("eth0", 3e5)):
        interface = ("io", "network", name)
        for way in ("sent", "recv"):
            yield from _counter(*interface, f"bytes_{way}", first=10**11, rate=rate)
            yield from _counter(*interface, f"packets_{way}", first=10**9, rate=rate / 400)
        for trouble in ("errin", "errout", "dropin", "dropout"):
            yield from _quiet(*interface, trouble)
        yield _still(*interface, "isup", value=1)
    yield _still("io", "network", "eth0", "speed", value=10000)


def _system() -> Iterator[Field]:
    yield Field(("system", "uptime_seconds"), 10**6, 5, 1.0, 0, low=10**6)
    for name in ("processes_total", "processes_running", "sockets_used", "tcp_established"):
        yield _gauge("system", name, first=180, step=3)
    for name in ("tcp_in_use", "tcp_time_wait", "udp_in_use", "pids_used", "conntrack_used"):
        yield _gauge("system", name, first=60, step=2)
    yield _gauge("system", "file_handles_used", first=1800, step=30)
    for name in ("pids_percent", "conntrack_percent", "file_handles_percent", "processes_blocked"):
        yield _still("system", name, value=1)
    yield from (_still("system", name) for name in ("tcp_orphan", "reboot_required"))
    yield from _counter("system", "tcp_retransmits", first=10**4, rate=0.4)
    for resource in ("cpu", "memory", "io"):
        for name in ("some_avg10", "some_avg60", "full_avg10", "full_avg60"):
            busy = resource == "cpu" and name.startswith("some")
            path = ("pressure", resource, name)
            yield _percent(*path, first=4, decimals=2) if busy else _still(*path)


def _agent() -> Iterator[Field]:
    yield _still("agent", "interval_seconds", value=STEP_MS // 1000)
    yield from (_still("agent", name) for name in ("clock_offset_ms", "collectors_failed"))
    yield _gauge("agent", "cpu_percent", first=0.3, step=0.02, decimals=2)
    yield _gauge("agent", "rss_bytes", first=24e6, step=8192)
    yield _gauge("agent", "collect_ms", first=2, step=0.2, decimals=2)


def fields() -> list[Field]:
    """Return every number of one report, in its order."""
    return [*_cpu(), *_memory(), *_disks(), *_network(), *_system(), *_agent()]


_FIFTY = re.compile(
    r"cpu\.(cpu_percent_.*|cpu_count_.*|load_average.*|ctx_switches.*)|"
    r"memory\.(memory_.*|swap_total|swap_used)|disk\..*\.(total|used|free|percent)|"
    r"io\.disk_io\.vda\..*_(count|bytes).*|io\.network\.eth0\.(bytes|packets)_.*|"
    r"system\.(uptime_seconds|processes_total)|agent\.interval_seconds"
)


def fifty_fields() -> list[Field]:
    """Return the 50 numbers that storages are compared by: each counter with its rate."""
    return [field for field in fields() if _FIFTY.fullmatch(".".join(field.path))]


class Server:
    """One simulated server; each tick gives the same numbers in both sides' words."""

    def __init__(self, number: int, time_ms: int, step_ms: int, all_fields: list[Field]) -> None:
        self.hostname = _names(number)[0]
        self.time_ms = time_ms
        self._step_ms = step_ms
        self._fields = all_fields
        self._chance = random.Random(SEED * 1000 + number)
        self._values = [field.start(self._chance) for field in all_fields]
        self._json = _json_template(self.hostname, number, all_fields)
        self._line = _line_template(self.hostname, all_fields)

    def tick(self) -> tuple[bytes, bytes]:
        """Let a step pass; return the report and the line of line protocol."""
        self.time_ms += self._step_ms
        moved = zip(self._fields, self._values, strict=True)
        self._values = [field.next(value, self._chance) for field, value in moved]
        numbers = [
            f"{value:.{field.decimals}f}"
            for field, value in zip(self._fields, self._values, strict=True)
        ]
        stamp = datetime.fromtimestamp(self.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        report = self._json % (stamp.replace("+00:00", "Z"), *numbers)
        return report.encode(), (self._line % (*numbers, self.time_ms)).encode()


@dataclass(frozen=True)
class Batch:
    """What one request carries: the same samples as JSON and as line protocol."""

    samples: int
    report: bytes
    lines: bytes


class Fleet:
    """Servers whose time goes on from batch to batch; `start_ms` is before their first tick."""

    def __init__(
        self,
        start_ms: int,
        servers: int = SERVERS,
        step_ms: int = STEP_MS,
        all_fields: list[Field] | None = None,
    ) -> None:
        self.fields = all_fields or fields()
        self.step_ms = step_ms
        self.samples_made = 0
        self._servers = deque(Server(n, start_ms, step_ms, self.fields) for n in range(servers))
        self.hostnames = [server.hostname for server in self._servers]
        self._starts = [self.now_ms]

    @property
    def now_ms(self) -> int:
        """The time of the newest tick."""
        return max(server.time_ms for server in self._servers)

    def go_on_at(self, time_ms: int) -> None:
        """Let the next tick of each server come a step after `time_ms`, or later."""
        for server in self._servers:
            server.time_ms = max(server.time_ms, time_ms)
        self._starts.append(self.now_ms)

    def spans(self) -> list[tuple[int, int]]:
        """Return for each time without a break when it began and ended, both after no tick."""
        edges = [start_ms + 1 for start_ms in [*self._starts, self.now_ms]]
        return [(start, end) for start, end in pairwise(edges) if start < end]

    def batches(self, requests: int, size: int) -> list[Batch]:
        """Make requests of `size` samples each, as an agent sends its backlog: one server each."""
        return [self._next(size) for _ in range(requests)]

    def whole_ticks(self, requests: int) -> list[Batch]:
        """Make requests with one sample of every server each, all of the same tick."""
        return [self._batch([server.tick() for server in self._servers]) for _ in range(requests)]

    def _next(self, size: int) -> Batch:
        server = self._servers[0]
        self._servers.rotate(-1)
        return self._batch([server.tick() for _ in range(size)])

    def _batch(self, pairs: list[tuple[bytes, bytes]]) -> Batch:
        self.samples_made += len(pairs)
        reports = b",".join(report for report, _ in pairs)
        body = reports if len(pairs) == 1 else b"[" + reports + b"]"
        return Batch(len(pairs), body, b"".join(line for _, line in pairs))


def _names(number: int) -> tuple[str, str, str]:
    """Return hostname, boot and machine of a server."""
    return f"web-{number:03d}", f"016f06c0-23b5-4bb9-b3f5-{number:012x}", f"{number:064x}"


def as_of(number: int, report: bytes) -> bytes:
    """Return the report of the first server as one of another: its names are changed."""
    for name, other in zip(_names(0), _names(number), strict=True):
        report = report.replace(f'"{name}"'.encode(), f'"{other}"'.encode())
    return report


def _json_template(hostname: str, number: int, all_fields: list[Field]) -> str:
    """Write the report once, with %s where a number or the time stands."""
    report: dict[str, object] = {"hostname": hostname, "timestamp": "%s"}
    marks: Callable[[int], str] = "@{:03d}@".format
    for index, field in enumerate(all_fields):
        _put(report, field.path, marks(index))
    agent, system, disk = report["agent"], report["system"], report["disk"]
    assert isinstance(agent, dict) and isinstance(system, dict) and isinstance(disk, dict)
    _, boot_id, machine_id = _names(number)
    agent.update(version="0.1.0", boot_id=boot_id)
    system.update(_TEXTS, machine_id=machine_id)
    names = {"device": "/dev/vda1", "mountpoint": "/", "fstype": "ext4"}
    disk["partitions"] = [names | part for part in _as_list(disk["partitions"])]
    text = msgspec.json.encode(_with_lists(report)).decode()
    for index in range(len(all_fields)):
        text = text.replace(f'"{marks(index)}"', "%s")
    return text


def _put(tree: dict[str, object], path: tuple[str, ...], value: str) -> None:
    for step in path[:-1]:
        branch = tree.setdefault(step, {})
        assert isinstance(branch, dict)
        tree = branch
    tree[path[-1]] = value


def _as_list(branch: object) -> list[dict[str, object]]:
    assert isinstance(branch, dict)
    return list(branch.values())


def _with_lists(report: dict[str, object]) -> dict[str, object]:
    """Turn the maps that count 0, 1, 2 … into the lists of the report."""
    cpu = report["cpu"]
    assert isinstance(cpu, dict)
    lists = {name: _as_list(cpu[name]) for name in ("cpu_percent_per_core", "load_average")}
    return report | {"cpu": cpu | lists}


def _line_template(hostname: str, all_fields: list[Field]) -> str:
    """Write one line of line protocol: one tag and all numbers, the cheapest form it has."""
    pairs = ",".join("_".join(field.path) + "=%s" for field in all_fields)
    return f"host,name={hostname} {pairs} %s\n"
