"""Invented servers whose every number is known at every time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.backend_under_test import INTERVAL_MS, NOW_MS, Backend, report

GIB = 2**30
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
BATCH = 150
BOOT_MS = NOW_MS - 4_000_000_000


@dataclass(frozen=True)
class Machine:
    """A server: what it is, and about how busy it is."""

    name: str = "web-1"
    tags: tuple[str, ...] = ("prod",)
    cores: int = 4
    memory_bytes: int = 16 * GIB
    cpu: float = 40.0
    os: str = "Debian GNU/Linux 12 (bookworm)"
    kernel: str = "6.1.0-40-amd64"
    mount: str = "/srv"
    nic: str = "eth0"
    disk: str = "sda"
    sensor: str = "Package id 0"
    custom: str = "queue_depth"
    lag_ms: int = 0  # how far its ups and downs are behind those of others

    def cpu_at(self, time_ms: int) -> float:
        """CPU percent, between 0.8 and 1.2 times `cpu`."""
        return round(self.cpu * (1 + 0.2 * self._wave(time_ms, 97_000)), 1)

    def memory_at(self, time_ms: int) -> int:
        """Used bytes, around half."""
        return int(self.memory_bytes * (0.5 + 0.1 * self._wave(time_ms, 310_000)))

    def received_at(self, time_ms: int) -> float:
        """Received bytes per second."""
        return round(4e6 + 1e6 * self._wave(time_ms, 53_000), 1)

    def load_at(self, time_ms: int) -> float:
        """Load of the last minute."""
        return round(self.cores * self.cpu_at(time_ms) / 100, 2)

    def _wave(self, time_ms: int, slowness_ms: int) -> float:
        return math.sin((time_ms - self.lag_ms) / slowness_ms)

    def report(self, time_ms: int) -> dict[str, Any]:
        """What the agent there would send."""
        return report(
            self.name,
            time_ms,
            tags=list(self.tags),
            agent={"version": "0.1.0", "interval_seconds": INTERVAL_MS // 1000},
            cpu=self._cpu(time_ms),
            memory=self._memory(time_ms),
            disk={
                "partitions": [self._partition("/", 40, 30), self._partition(self.mount, 800, 50)]
            },
            io={"network": self._network(time_ms), "disk_io": self._disk_io(time_ms)},
            system=self._system(time_ms),
            temperatures={self.sensor: 45.0},
            custom={self.custom: 4},
        )

    def _cpu(self, time_ms: int) -> dict[str, Any]:
        cpu, load = self.cpu_at(time_ms), self.load_at(time_ms)
        return {
            "cpu_percent_total": cpu,
            "cpu_percent_user": round(cpu * 0.75, 1),
            "cpu_percent_system": round(cpu * 0.25, 1),
            "cpu_percent_per_core": [cpu] * self.cores,
            "cpu_count_logical": self.cores,
            "load_average": [load, load, load],
        }

    def _memory(self, time_ms: int) -> dict[str, Any]:
        total, used = self.memory_bytes, self.memory_at(time_ms)
        return {
            "memory_total": total,
            "memory_used": used,
            "memory_percent": round(100 * used / total, 1),
            "memory_cached": total // 10,
            "swap_total": 2 * GIB,
            "swap_used": GIB // 8,
            "swap_percent": 6.3,
        }

    def _partition(self, mount: str, gib: int, percent: int) -> dict[str, Any]:
        total = gib * GIB
        return {
            "device": f"/dev/{self.disk}1",
            "mountpoint": mount,
            "fstype": "ext4",
            "total": total,
            "used": total * percent // 100,
            "free": total - total * percent // 100,
            "percent": percent,
        }

    def _network(self, time_ms: int) -> dict[str, Any]:
        received = self.received_at(time_ms)
        rates = {"bytes_recv_per_sec": received, "bytes_sent_per_sec": received / 2}
        return {self.nic: {**rates, "isup": 1, "speed": 1000, "addresses": ["10.0.0.5"]}}

    def _disk_io(self, time_ms: int) -> dict[str, Any]:
        busy = round(self.cpu_at(time_ms) / 2, 1)
        rates = {"read_bytes_per_sec": 1.5e6, "write_bytes_per_sec": 2.5e6}
        return {self.disk: {**rates, "busy_percent": busy, "await_ms": 0.8}}

    def _system(self, time_ms: int) -> dict[str, Any]:
        return {
            "uptime_seconds": (time_ms - BOOT_MS) // 1000,
            "processes_total": 180,
            "processes_running": 2,
            "tcp_established": 55,
            "os": self.os,
            "kernel": self.kernel,
            "architecture": "x86_64",
            "cpu_model": "AMD EPYC 7B13",
        }


def times(span_ms: int, end_ms: int = NOW_MS, step_ms: int = INTERVAL_MS) -> list[int]:
    """Return the instants of the span that ends then, the end included."""
    return list(range(end_ms - span_ms, end_ms + 1, step_ms))


def feed(backend: Backend, machine: Machine, at: list[int]) -> None:
    """Post the machine's reports of these instants."""
    for batch in _batches([machine.report(time_ms) for time_ms in at]):
        answer = backend.accept(batch)
        assert answer["accepted"] + answer["duplicates"] == len(batch), answer
        assert not answer["rejected_fields"], answer["rejected_fields"]


def feed_once(backend: Backend, machines: list[Machine]) -> None:
    """Post one report of each machine, of the backend's present time."""
    now_ms = backend.clock.now_ms
    for batch in _batches([machine.report(now_ms) for machine in machines]):
        assert backend.accept(batch)["accepted"] == len(batch)


def _batches(reports: list[Any]) -> Iterator[list[Any]]:
    for first in range(0, len(reports), BATCH):
        yield reports[first : first + BATCH]
