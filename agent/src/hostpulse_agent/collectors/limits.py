"""What is used of the kernel's limits: open files, process ids, tracked connections."""

from __future__ import annotations

from hostpulse_agent.host import Host
from hostpulse_agent.kept import SLOW_SECONDS, Kept

LIMIT_SECONDS = 60.0
CONNTRACK = "proc/sys/net/netfilter/nf_conntrack_"


def use_of(name: str, used: int | None, limit: int | None) -> dict[str, object]:
    """Return `<name>_used`, and `<name>_percent` when the limit is known."""
    if used is None:
        return {}
    section: dict[str, object] = {f"{name}_used": used}
    if limit:
        section[f"{name}_percent"] = round(min(100.0, 100.0 * used / limit), 1)
    return section


class Limits:
    """Reads /proc/sys/fs/file-nr, /proc/loadavg and nf_conntrack."""

    name = "limits"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._section = Kept(SLOW_SECONDS, self._ask)
        tree = host.tree
        self._limits: Kept[dict[str, int | None]] = Kept(
            LIMIT_SECONDS,
            lambda: {
                "pids": tree.number("proc/sys/kernel/pid_max"),
                "conntrack": tree.number(CONNTRACK + "max"),
            },
        )

    def collect(self, errors: list[str]) -> dict[str, object]:
        section = self._section.get(self._host.monotonic())
        return {"system": section} if section else {}

    def _ask(self) -> dict[str, object]:
        tree = self._host.tree
        limits = self._limits.get(self._host.monotonic())
        section: dict[str, object] = {}
        handles = tree.maybe("proc/sys/fs/file-nr").split()
        if len(handles) == 3:
            allocated, unused, most = map(int, handles)
            section.update(use_of("file_handles", allocated - unused, most))
        # Threads take process ids as well; loadavg says running/all of them.
        tasks = tree.maybe("proc/loadavg").split()
        if len(tasks) >= 4:
            section.update(use_of("pids", int(tasks[3].partition("/")[2]), limits["pids"]))
        if limits["conntrack"]:
            section.update(
                use_of("conntrack", tree.number(CONNTRACK + "count"), limits["conntrack"])
            )
        return section
