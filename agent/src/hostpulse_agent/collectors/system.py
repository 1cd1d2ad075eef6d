"""Uptime, processes, and whether a reboot is due."""

from __future__ import annotations

from hostpulse_agent.host import Host

REBOOT_FILES = ("run/reboot-required", "var/run/reboot-required")


class System:
    """Reads /proc/uptime, /proc/stat and the list of processes."""

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
        section.update(self._processes())
        if any(self._tree.exists(name) for name in REBOOT_FILES):
            section["reboot_required"] = 1
        elif self._marks_reboots:
            section["reboot_required"] = 0
        return {"system": section}

    def _processes(self) -> dict[str, object]:
        found: dict[str, object] = {}
        for line in self._tree.maybe("proc/stat").splitlines():
            if line.startswith("procs_"):
                name, value = line.split()
                found["processes_" + name[len("procs_") :]] = int(value)
        if self._sees_all:
            total = sum(name.isdigit() for name in self._tree.names("proc"))
            if total:
                found["processes_total"] = total
        return found
