"""Bytes, operations, busy time and latency of each whole disk."""

from __future__ import annotations

import re

from hostpulse_agent.host import Host
from hostpulse_agent.rates import Growth, Rates

SECTOR_BYTES = 512
# Layers over other disks (counted there) and things that are no disk of their own.
SKIPPED = re.compile(r"(loop|ram|zram|sr|fd|dm-|md|nbd)\d")
WHOLE_DISK = re.compile(r"(sd|hd|vd|xvd)[a-z]+|(nvme\d+n|mmcblk|pmem)\d+")
SENT = (
    "read_count", "write_count", "read_bytes", "write_bytes",
    "read_time", "write_time", "busy_time",
)  # fmt: skip
RATED = ("read_count", "write_count", "read_bytes", "write_bytes")


def parse_line(words: list[str]) -> dict[str, int]:
    """Return the counters of one line of /proc/diskstats."""
    numbers = [int(word) for word in words[3:14]]
    return {
        "read_count": numbers[0],
        "write_count": numbers[4],
        "read_bytes": numbers[2] * SECTOR_BYTES,
        "write_bytes": numbers[6] * SECTOR_BYTES,
        "read_time": numbers[3],
        "write_time": numbers[7],
        "busy_time": numbers[9],
        "queue_time": numbers[10],
    }


def derived(grown: Growth) -> dict[str, float]:
    """Return rates, busy share, latency and queue as iostat computes them."""
    by, elapsed_ms = grown.by, grown.seconds * 1000.0
    operations = by["read_count"] + by["write_count"]
    waited_ms = by["read_time"] + by["write_time"]
    rates = Growth(grown.seconds, {name: by[name] for name in RATED}).per_second()
    return {
        **rates,
        "busy_percent": round(min(100.0, 100.0 * by["busy_time"] / elapsed_ms), 1),
        "await_ms": round(waited_ms / operations, 2) if operations else 0.0,
        "queue_length": round(by["queue_time"] / elapsed_ms, 2),
    }


class DiskIo:
    """Reads /proc/diskstats."""

    name = "disk_io"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rates = Rates()
        self._whole: dict[str, bool] = {}

    def _is_whole(self, name: str) -> bool:
        known = self._whole.get(name)
        if known is None:
            tree = self._host.tree
            known = not SKIPPED.match(name) and (
                tree.exists(f"sys/block/{name.replace('/', '!')}")
                if tree.exists("sys/block")
                else WHOLE_DISK.fullmatch(name) is not None
            )
            self._whole[name] = known
        return known

    def collect(self, errors: list[str]) -> dict[str, object]:
        text = self._host.tree.maybe("proc/diskstats")
        at = self._host.monotonic()
        disks: dict[str, dict[str, int]] = {}
        for line in text.splitlines():
            words = line.split()
            if len(words) >= 14 and self._is_whole(words[2]):
                disks[words[2]] = parse_line(words)
        grown = self._rates.growth(disks, at)
        shown: dict[str, dict[str, float]] = {}
        for name, counters in disks.items():
            shown[name] = {field: counters[field] for field in SENT}
            if name in grown:
                shown[name].update(derived(grown[name]))
        return {"io": {"disk_io": shown}} if disks else {}
