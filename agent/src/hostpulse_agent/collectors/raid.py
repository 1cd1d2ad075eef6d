"""Linux software RAID: disks wanted and working, and how far a recovery is."""

from __future__ import annotations

import re

from hostpulse_agent.host import Host
from hostpulse_agent.kept import SLOW_SECONDS, Kept

ARRAY = re.compile(r"(md\S+) : (active|inactive)\s*(.*)")
DISKS = re.compile(r"\[(\d+)/(\d+)\]")
SYNC = re.compile(r"(?:recovery|resync|reshape|check)\s*=\s*([\d.]+)%")


def _members(rest: str) -> dict[str, float]:
    """Count the disks of an array that has no [wanted/working], like RAID 0 or an inactive one."""
    members = [word for word in rest.split() if re.search(r"\[\d+\]", word)]
    working = [word for word in members if "(F)" not in word]
    return {"disks_total": len(members), "disks_active": len(working)}


def parse(mdstat: str) -> dict[str, dict[str, float]]:
    """Return what /proc/mdstat says of each array."""
    arrays: dict[str, dict[str, float]] = {}
    current: dict[str, float] = {}
    for line in mdstat.splitlines():
        head = ARRAY.match(line)
        if head:
            current = arrays[head[1]] = _members(head[3])
            current["degraded"] = int(
                head[2] == "inactive" or current["disks_active"] < current["disks_total"]
            )
        disks = DISKS.search(line)
        if disks and current:
            wanted, working = int(disks[1]), int(disks[2])
            current.update(disks_total=wanted, disks_active=working, degraded=int(working < wanted))
        sync = SYNC.search(line)
        if sync and current:
            current["sync_percent"] = float(sync[1])
    return arrays


class Raid:
    """Reads /proc/mdstat."""

    name = "raid"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._arrays = Kept(SLOW_SECONDS, lambda: parse(host.tree.maybe("proc/mdstat")))

    def collect(self, errors: list[str]) -> dict[str, object]:
        arrays = self._arrays.get(self._host.monotonic())
        return {"raid": arrays} if arrays else {}
