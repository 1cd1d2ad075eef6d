"""Uptime, the number of processes, and whether a reboot is due."""

from __future__ import annotations

from hostpulse_agent.host import Host

REBOOT_FILES = ("run/reboot-required", "var/run/reboot-required")


class System:
    """Reads /proc/uptime and counts the processes."""

    name = "system"

    def __init__(self, host: Host) -> None:
        self._tree = host.tree
        release = host.tree.maybe("etc/os-release")
        # Only Debian's family leaves a mark, so only there its absence means no.
        self._marks_reboots = "debian" in release.lower()
        self._sees_all = "hidepid=" not in host.tree.maybe("proc/self/mounts")

    def collect(self, errors: list[str]) -> dict[str, object]:
        section: dict[str, object] = {}
        uptime = self._tree.maybe("proc/uptime").split()
        if uptime:
            section["uptime_seconds"] = int(float(uptime[0]))
        if self._sees_all:
            section["processes_total"] = self._tree.count_numbered("proc")
        if any(self._tree.exists(name) for name in REBOOT_FILES):
            section["reboot_required"] = 1
        elif self._marks_reboots:
            section["reboot_required"] = 0
        return {"system": section}
