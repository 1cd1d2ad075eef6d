"""Takes the pictures of the README from the real pages: `.venv/bin/python docs/screenshot.py`.

A real backend gets reports of 25 invented servers by POST, and headless Chromium looks at it. All
numbers come from one seed and both clocks are set, so the pictures change only with the pages.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parent / "screenshots"
sys.path.insert(0, str(FOLDER.parent.parent))

from tests.backend_under_test import NOW_MS, Backend, Clock, report  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
GIB = 2**30
STEP_MS = 5000
SEEN_MS = NOW_MS + 2000  # the pictures are taken between two reports
HOUR_MS = 3_600_000
BATCH = 100
AWAY_MS = {"build-2": (HOUR_MS, 9 * 60_000), "edge-fra-2": (HOUR_MS, 35_000)}
GAP_MS = {"db-1": (26 * 60_000, 22 * 60_000)}


@dataclass(frozen=True)
class Machine:
    """An invented server: how big it is and how much it does."""

    name: str
    tags: tuple[str, ...]
    cores: int
    memory_gib: int
    cpu: float
    memory: float
    disk: float
    traffic: float


def machines() -> list[Machine]:
    """Return the fleet."""
    web = [Machine(f"web-{n}", ("prod", "web"), 4, 8, 24 + 3 * n, 52, 38, 4e6) for n in range(1, 8)]
    api = [Machine(f"api-{n}", ("prod", "api"), 8, 16, 33 + n, 61, 31, 2.5e6) for n in range(1, 6)]
    edge = [
        Machine(f"edge-{place}-{n}", ("prod", "edge", f"region:{place}"), 2, 4, 12, 34, 22, 2e7)
        for place in ("fra", "nyc")
        for n in (1, 2)
    ]
    return [
        *web, *api, *edge,
        Machine("db-1", ("prod", "db"), 16, 64, 41, 78, 71, 6e6),
        Machine("db-2", ("prod", "db"), 16, 64, 9, 74, 71, 3e6),
        Machine("db-archive", ("db",), 4, 32, 3, 44, 93, 2e5),
        Machine("cache-1", ("prod",), 4, 32, 8, 88, 12, 9e6),
        Machine("queue-1", ("prod",), 4, 8, 19, 47, 26, 1e6),
        Machine("build-1", ("ci",), 16, 32, 88, 63, 66, 1.5e6),
        Machine("build-2", ("ci",), 16, 32, 20, 40, 58, 1e5),
        Machine("mail", ("office",), 2, 4, 4, 56, 49, 8e4),
        Machine("backup", ("office",), 2, 8, 14, 31, 84, 3e7),
    ]  # fmt: skip


class Life:
    """One machine from tick to tick."""

    def __init__(self, machine: Machine) -> None:
        self._it = machine
        self._chance = random.Random(machine.name)  # noqa: S311 - invented numbers
        self._phase = self._chance.uniform(0, 6.28)
        self._swing = 0.0
        self._loads = [machine.cpu / 100 * machine.cores * 1.15] * 3
        self._up_seconds = int(86_400 * self._chance.uniform(0.2, 90))

    def report(self, time_ms: int) -> dict[str, Any]:
        """Return what the agent there would send at this time."""
        it, chance = self._it, self._chance
        self._swing = 0.93 * self._swing + chance.gauss(0, 1)
        wave = math.sin(time_ms / 420_000 + self._phase)
        cpu = min(max(it.cpu * (1 + 0.25 * wave + 0.07 * self._swing), 0.4), 99.6)
        memory = min(max(it.memory + 1.5 * wave + 0.1 * self._swing, 2), 97)
        flow = it.traffic * max(0.1, 1 + 0.4 * wave + 0.12 * self._swing)
        agent = {"version": "0.1.0", "interval_seconds": 5}
        return report(
            it.name, time_ms, tags=list(it.tags), agent=agent, cpu=self._cpu(cpu, wave),
            memory=self._memory(memory), disk=self._disk(), io=self._io(flow, cpu),
            system=self._system(cpu), temperatures={"Package": round(38 + cpu / 3, 1)},
        )  # fmt: skip

    def _cpu(self, cpu: float, wave: float) -> dict[str, Any]:
        cores = self._it.cores
        load = cpu / 100 * cores * 1.15
        for i, share in enumerate((0.1, 0.02, 0.006)):
            self._loads[i] += share * (load - self._loads[i])
        return {
            "cpu_percent_total": round(cpu, 1),
            "cpu_percent_user": round(cpu * 0.66, 1),
            "cpu_percent_system": round(cpu * 0.22, 1),
            "cpu_percent_iowait": round(cpu * 0.09, 1),
            "cpu_percent_irq": round(cpu * 0.03, 1),
            "cpu_percent_per_core": [
                round(min(max(cpu * self._chance.gauss(1, 0.25) + 4 * math.sin(n), 0), 100), 1)
                for n in range(cores)
            ],
            "cpu_count_logical": cores,
            "load_average": [round(one, 2) for one in self._loads],
        }

    def _memory(self, percent: float) -> dict[str, Any]:
        total = self._it.memory_gib * GIB
        return {
            "memory_total": total,
            "memory_used": int(total * percent / 100),
            "memory_percent": round(percent, 1),
            "memory_cached": int(total * (96 - percent) / 100 * 0.7),
            "memory_buffers": int(total * 0.01),
            "swap_total": 2 * GIB,
            "swap_used": int(0.04 * GIB),
            "swap_percent": 2.0,
        }

    def _disk(self) -> dict[str, Any]:
        return {
            "partitions": [
                self._partition("/dev/nvme0n1p2", "/", 40, self._it.disk * 0.6),
                self._partition("/dev/nvme1n1", "/srv", 800, self._it.disk),
            ]
        }

    def _partition(self, device: str, mount: str, gib: int, percent: float) -> dict[str, Any]:
        used = int(gib * GIB * percent / 100)
        return {
            "device": device, "mountpoint": mount, "fstype": "ext4", "total": gib * GIB,
            "used": used, "free": gib * GIB - used, "percent": round(percent, 1),
            "inodes_percent": 4.0, "readonly": 0, "stuck": 0,
        }  # fmt: skip

    def _io(self, flow: float, cpu: float) -> dict[str, Any]:
        network = {
            "bytes_recv_per_sec": round(flow, 1),
            "bytes_sent_per_sec": round(flow * 0.7, 1),
            "isup": 1,
            "speed": 10_000,
            "addresses": [f"10.0.{self._it.cores}.{len(self._it.name)}"],
        }
        disks = {
            name: {
                "read_bytes_per_sec": round(flow * share * 0.6, 1),
                "write_bytes_per_sec": round(flow * share * 1.4, 1),
                "busy_percent": round(min(cpu * share, 100), 1),
                "await_ms": round(0.3 + cpu * share / 40 * self._chance.uniform(0.8, 1.3), 2),
            }
            for name, share in (("nvme0n1", 0.2), ("nvme1n1", 0.8))
        }
        return {"network": {"eth0": network}, "disk_io": disks}

    def _system(self, cpu: float) -> dict[str, Any]:
        return {
            "uptime_seconds": self._up_seconds,
            "processes_total": 140 + 8 * self._it.cores,
            "processes_running": 1 + int(cpu * self._it.cores / 100),
            "tcp_established": int(40 + self._it.traffic / 40_000),
            "os": "Debian GNU/Linux 12 (bookworm)",
            "kernel": "6.1.0-40-amd64",
            "cpu_model": "AMD EPYC 7B13",
            "architecture": "x86_64",
            "virtualization": "kvm",
        }


def reports(machine: Machine) -> Iterator[dict[str, Any]]:
    """Yield an hour of a machine's reports, without the time it was away."""
    life = Life(machine)
    _start, last = AWAY_MS.get(machine.name, (0, 0))
    gap_start, gap_end = GAP_MS.get(machine.name, (0, 0))
    for ago_ms in range(HOUR_MS, last - 1, -STEP_MS):
        made = life.report(NOW_MS - ago_ms)
        if not gap_end < ago_ms <= gap_start:
            yield made


def feed(backend: Backend) -> None:
    """Post the hour of every machine, each batch at the time of its last report."""
    for machine in machines():
        waiting = list(reports(machine))
        _start, last = AWAY_MS.get(machine.name, (0, 0))
        backend.clock.now_ms = NOW_MS - last
        for first in range(0, len(waiting), BATCH):
            backend.accept(waiting[first : first + BATCH])
    backend.clock.now_ms = SEEN_MS


def take(page: Page, url: str, name: str, ready: str) -> None:
    """Save what the page shows once `ready` is there."""
    page.goto(url)
    page.wait_for_selector(ready)
    page.wait_for_timeout(1500)
    page.screenshot(path=FOLDER / name)
    print(f"{name}: {(FOLDER / name).stat().st_size // 1024} kB")


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with Backend(Clock()) as backend, sync_playwright() as playwright:
        feed(backend)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        size: Any = {"width": 1360, "height": 820}
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=size, color_scheme=scheme, timezone_id="UTC")
            page.clock.set_fixed_time(SEEN_MS / 1000)
            if scheme == "light":
                take(page, f"{backend.url}/", "servers.png", "tbody tr >> nth=20")
            else:
                take(page, f"{backend.url}/servers/db-1", "server.png", "canvas")
        browser.close()


if __name__ == "__main__":
    main()
