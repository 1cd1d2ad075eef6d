"""Every metric once: its name, where a report carries it, its unit, range and label."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

MAX_NUMBER = 2**63 - 1
DECIMALS = 3  # of every metric that may have a fraction
LOAD_PERIODS = ("1m", "5m", "15m")


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the catalogue.

    `section` and `field` say where the report carries the number (`disk.partitions` + `percent`),
    `per` what its instances are (a core, a mount, …; empty for the whole server), `group` which
    question of the API answers it. Values outside `low`..`high` are refused, the rest is rounded
    to `decimals`. A `counter` only grows until a reboot. `warning` and `critical` colour a value.
    """

    name: str
    section: str
    field: str
    unit: str
    label: str
    group: str
    per: str = ""
    low: float = 0.0
    high: float = MAX_NUMBER
    decimals: int = 0
    counter: bool = False
    warning: float | None = None
    critical: float | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Where a family of metrics stands in the report and what its instances are."""

    path: str
    group: str
    per: str = ""
    prefix: str = ""

    def number(self, field: str, unit: str, label: str, **more: float | bool | str) -> Metric:
        """Describe one number of this section; `name=` overrides prefix + field."""
        name = str(more.pop("name", self.prefix + field))
        per = str(more.pop("per", self.per))
        return Metric(name, self.path, field, unit, label, self.group, per, **more)  # type: ignore[arg-type]

    def percent(self, field: str, label: str, **more: float | bool | str) -> Metric:
        return self.number(field, "percent", label, **{"high": 100.0, "decimals": DECIMALS, **more})

    def flag(self, field: str, label: str, **more: float | bool | str) -> Metric:
        """A yes (1) or no (0)."""
        return self.number(field, "flag", label, high=1.0, **more)

    def counter(
        self, field: str, unit: str, label: str, decimals: int = DECIMALS
    ) -> tuple[Metric, ...]:
        """A growing counter and the rate made of it."""
        rate_unit = f"{unit}_per_sec"
        return (
            self.number(field, unit, f"{label}, since boot", counter=True),
            self.number(f"{field}_per_sec", rate_unit, label, decimals=decimals),
        )


_CPU = Section("cpu", "cpu")
_MEMORY = Section("memory", "memory")
_PARTITION = Section("disk.partitions", "disk", per="mountpoint", prefix="disk_")
_NETWORK = Section("io.network", "network", per="interface")
_DISK_IO = Section("io.disk_io", "io", per="disk")
_SYSTEM = Section("system", "system")
_PRESSURE = Section("pressure", "system", per="resource", prefix="pressure_")
_TEMPERATURES = Section("temperatures", "system", per="sensor")
_RAID = Section("raid", "disk", per="array", prefix="raid_")
_AGENT = Section("agent", "agent", prefix="agent_")

METRICS: tuple[Metric, ...] = (
    # cpu: shares of all cores; idle is what is missing to 100
    _CPU.percent("cpu_percent_total", "CPU", warning=85.0, critical=95.0),
    _CPU.percent("cpu_percent_per_core", "CPU core", per="core"),
    _CPU.percent("cpu_percent_user", "CPU in user programs"),
    _CPU.percent("cpu_percent_system", "CPU in the kernel"),
    _CPU.percent("cpu_percent_iowait", "CPU idle while waiting for disks", warning=40.0),
    _CPU.percent("cpu_percent_steal", "CPU taken by the hypervisor", warning=10.0),
    _CPU.percent("cpu_percent_irq", "CPU in interrupts"),
    _CPU.percent("cpu_percent_nice", "CPU in low-priority programs"),
    _CPU.number("cpu_count_logical", "count", "Logical cores"),
    _CPU.number("cpu_count_physical", "count", "Physical cores"),
    _CPU.number("load_average", "load", "Load average", per="period", decimals=DECIMALS),
    *_CPU.counter("ctx_switches", "count", "Context switches"),
    *_CPU.counter("interrupts", "count", "Interrupts"),
    # memory: used = total - available
    _MEMORY.number("memory_total", "bytes", "Memory size"),
    _MEMORY.number("memory_used", "bytes", "Memory used"),
    _MEMORY.percent("memory_percent", "Memory used", warning=90.0, critical=95.0),
    _MEMORY.number("memory_available", "bytes", "Memory available"),
    _MEMORY.number("memory_free", "bytes", "Memory free"),
    _MEMORY.number("memory_buffers", "bytes", "Memory in buffers"),
    _MEMORY.number("memory_cached", "bytes", "Memory in the page cache"),
    _MEMORY.number("memory_zfs_arc", "bytes", "Memory in the ZFS cache"),
    _MEMORY.number("swap_total", "bytes", "Swap size"),
    _MEMORY.number("swap_used", "bytes", "Swap used"),
    _MEMORY.percent("swap_percent", "Swap used", warning=80.0, critical=90.0),
    *_MEMORY.counter("swap_in_bytes", "bytes", "Swapped in"),
    *_MEMORY.counter("swap_out_bytes", "bytes", "Swapped out"),
    _MEMORY.number("oom_kills", "count", "Processes killed for lack of memory", counter=True),
    # disk: per mount, percent as df says it
    _PARTITION.number("total", "bytes", "Disk size"),
    _PARTITION.number("used", "bytes", "Disk used"),
    _PARTITION.number("free", "bytes", "Disk free"),
    _PARTITION.percent("percent", "Disk used", warning=90.0, critical=98.0),
    _PARTITION.number("inodes_total", "count", "Inodes"),
    _PARTITION.number("inodes_used", "count", "Inodes used"),
    _PARTITION.percent("inodes_percent", "Inodes used", warning=90.0, critical=98.0),
    _PARTITION.flag("readonly", "Mounted read-only"),
    _PARTITION.flag("stuck", "File system does not answer"),
    # io.network: per interface
    *_NETWORK.counter("bytes_sent", "bytes", "Network out"),
    *_NETWORK.counter("bytes_recv", "bytes", "Network in"),
    *_NETWORK.counter("packets_sent", "count", "Packets out"),
    *_NETWORK.counter("packets_recv", "count", "Packets in"),
    *_NETWORK.counter("errin", "count", "Receive errors"),
    *_NETWORK.counter("errout", "count", "Send errors"),
    *_NETWORK.counter("dropin", "count", "Incoming packets dropped"),
    *_NETWORK.counter("dropout", "count", "Outgoing packets dropped"),
    _NETWORK.flag("isup", "Interface is up", name="interface_up"),
    _NETWORK.number("speed", "mbit_per_sec", "Link speed", name="interface_speed_mbit"),
    # io.disk_io: per whole disk
    *_DISK_IO.counter("read_count", "count", "Disk reads"),
    *_DISK_IO.counter("write_count", "count", "Disk writes"),
    *_DISK_IO.counter("read_bytes", "bytes", "Disk read"),
    *_DISK_IO.counter("write_bytes", "bytes", "Disk written"),
    _DISK_IO.number("read_time", "ms", "Time spent reading, since boot", counter=True),
    _DISK_IO.number("write_time", "ms", "Time spent writing, since boot", counter=True),
    _DISK_IO.number("busy_time", "ms", "Time busy, since boot", counter=True),
    _DISK_IO.percent("busy_percent", "Disk busy", name="disk_busy_percent"),
    _DISK_IO.number("await_ms", "ms", "Disk latency", name="disk_await_ms", decimals=DECIMALS),
    _DISK_IO.number(
        "queue_length", "count", "Disk queue", name="disk_queue_length", decimals=DECIMALS
    ),
    # system
    _SYSTEM.number("uptime_seconds", "seconds", "Uptime"),
    _SYSTEM.number("processes_total", "count", "Processes"),
    _SYSTEM.number("processes_running", "count", "Processes running"),
    _SYSTEM.number("processes_blocked", "count", "Processes blocked on disks"),
    _SYSTEM.number("sockets_used", "count", "Sockets"),
    _SYSTEM.number("tcp_established", "count", "TCP connections established"),
    _SYSTEM.number("tcp_in_use", "count", "TCP sockets"),
    _SYSTEM.number("tcp_time_wait", "count", "TCP sockets in TIME-WAIT"),
    _SYSTEM.number("tcp_orphan", "count", "TCP sockets without a process"),
    _SYSTEM.number("udp_in_use", "count", "UDP sockets"),
    *_SYSTEM.counter("tcp_retransmits", "count", "TCP segments sent again"),
    _SYSTEM.number("file_handles_used", "count", "Open files"),
    _SYSTEM.percent("file_handles_percent", "Open files of the limit", warning=90.0, critical=95.0),
    _SYSTEM.number("pids_used", "count", "Process ids in use"),
    _SYSTEM.percent("pids_percent", "Process ids of the limit", warning=90.0, critical=95.0),
    _SYSTEM.number("conntrack_used", "count", "Tracked connections"),
    _SYSTEM.percent(
        "conntrack_percent", "Tracked connections of the limit", warning=75.0, critical=95.0
    ),
    _SYSTEM.flag("reboot_required", "Reboot required"),
    # pressure stall information, per cpu, memory, io
    _PRESSURE.percent("some_avg10", "Time with some tasks stalled, 10 s"),
    _PRESSURE.percent("some_avg60", "Time with some tasks stalled, 60 s"),
    _PRESSURE.percent("full_avg10", "Time with all tasks stalled, 10 s"),
    _PRESSURE.percent("full_avg60", "Time with all tasks stalled, 60 s"),
    _TEMPERATURES.number(
        "", "celsius", "Temperature", name="temperature_celsius",
        low=-273.0, high=1000.0, decimals=DECIMALS, warning=75.0, critical=90.0,
    ),
    # raid: Linux software RAID, per array
    _RAID.number("disks_total", "count", "RAID disks wanted"),
    _RAID.number("disks_active", "count", "RAID disks working"),
    _RAID.flag("degraded", "RAID array degraded", critical=1.0),
    _RAID.percent("sync_percent", "RAID recovery done"),
    # the agent itself
    _AGENT.number(
        "interval_seconds", "seconds", "Interval between reports",
        low=1.0, high=300.0, decimals=DECIMALS,
    ),
    _AGENT.number(
        "clock_offset_ms", "ms", "Correction of the clock", name="clock_offset_ms",
        low=-600_000_000_000, high=3_000_000_000_000,  # a clock 19 years ahead, 95 behind
    ),
    _AGENT.percent("cpu_percent", "CPU of the agent", high=MAX_NUMBER),
    _AGENT.number("rss_bytes", "bytes", "Memory of the agent"),
    _AGENT.number("collect_ms", "ms", "Time to collect", decimals=DECIMALS),
    _AGENT.number("collectors_failed", "count", "Collectors that failed"),
    _AGENT.number("spool_reports", "count", "Reports waiting in the spool"),
    _AGENT.number("spool_bytes", "bytes", "Size of the spool"),
    _AGENT.number("dropped_reports", "count", "Reports dropped from a full spool", counter=True),
    _AGENT.number("refused_reports", "count", "Reports the backend refused", counter=True),
)  # fmt: skip

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}

# Sums over the instances that carry traffic of their own; stored as instance ''.
TOTALS = ("bytes_sent_per_sec", "bytes_recv_per_sec", "read_bytes_per_sec", "write_bytes_per_sec")

CUSTOM_PREFIX = "custom."
CUSTOM_DECIMALS = 6


def custom(name: str) -> Metric:
    """Catalogue a number that arrived under `custom`: any finite value, no unit known."""
    field = sys.intern(name.removeprefix(CUSTOM_PREFIX))
    return Metric(
        CUSTOM_PREFIX + field, "custom", field, "", field, "custom", low=-MAX_NUMBER,
        decimals=CUSTOM_DECIMALS,
    )  # fmt: skip


def find(name: str) -> Metric | None:
    """Return the metric of that name, catalogued or custom; None if no such name can exist."""
    if name.startswith(CUSTOM_PREFIX):
        return custom(name)
    return BY_NAME.get(name)


def of_section(path: str) -> Iterator[Metric]:
    """Yield the metrics that a section of the report carries, in catalogue order."""
    return (metric for metric in METRICS if metric.section == path)


def of_group(group: str) -> Iterator[Metric]:
    """Yield the metrics of one group (`cpu`, `memory`, `disk`, `io`, `network`, `system`, …)."""
    return (metric for metric in METRICS if metric.group == group)
