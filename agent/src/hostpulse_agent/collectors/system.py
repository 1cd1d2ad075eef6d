"""Uptime, the number of processes, and whether a reboot is due."""

from __future__ import annotations

from hostpulse_agent.host import Host
from hostpulse_agent.kept import SLOW_SECONDS, Kept

REBOOT_FILES = ("run/reboot-required", "var/run/reboot-required")


class System:
    """Reads /proc/uptime and counts the processes."""

    name = "system"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tree = host.tree
        self._slow = Kept(SLOW_SECONDS, self._ask_slow)
        release = host.tree.maybe("etc/os-release")
        # Only Debian's family leaves a mark, so only there its absence means no.
        self._marks_reboots = "debian" in release.lower()
        self._sees_all = "hidepid=" not in host.tree.maybe("proc/self/mounts")

    def collect(self, errors: list[str]) -> dict[str, object]:
        section = dict(self._slow.get(self._host.monotonic()))
        uptime = self._tree.maybe("proc/uptime").split()
        if uptime:
            section["uptime_seconds"] = int(float(uptime[0]))
        return {"system": section}

    def _ask_slow(self) -> dict[str, object]:
        found: dict[str, object] = {}
        if self._sees_all:
            found["processes_total"] = self._tree.count_numbered("proc")
        if any(self._tree.exists(name) for name in REBOOT_FILES):
            found["reboot_required"] = 1
        elif self._marks_reboots:
            found["reboot_required"] = 0
        return found
