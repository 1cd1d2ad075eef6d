"""Memory and swap, as /proc/meminfo and /proc/vmstat tell it."""

from __future__ import annotations

from hostpulse_agent.host import Host
from hostpulse_agent.rates import Rates

WANTED = frozenset(
    [
        "MemTotal",
        "MemFree",
        "MemAvailable",
        "Buffers",
        "Cached",
        "SReclaimable",
        "Shmem",
        "SwapTotal",
        "SwapFree",
        "SwapCached",
    ]
)
ARC = "proc/spl/kstat/zfs/arcstats"


def parse_meminfo(text: str) -> dict[str, int]:
    """Return the wanted lines of /proc/meminfo in bytes."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name in WANTED:
            found[name] = int(value.split()[0]) * 1024
    return found


def available_bytes(info: dict[str, int]) -> int:
    """Return what programs can still get; estimated where the kernel is older than 3.14."""
    if "MemAvailable" in info:
        return info["MemAvailable"]
    cache = sum(info.get(name, 0) for name in ("Buffers", "Cached", "SReclaimable"))
    # Shared memory is counted in Cached but cannot be taken back.
    return info["MemFree"] + cache - info.get("Shmem", 0)


def parse_arc(text: str) -> dict[str, int]:
    """Return size and floor of the ZFS cache."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] in ("size", "c_min"):
            found[words[0]] = int(words[2])
    return found


def vmstat_number(text: str, name: str) -> dict[str, int]:
    """Return one line of /proc/vmstat, or nothing where the kernel does not have it."""
    start = text.find(f"\n{name} ")
    if start < 0:
        return {}
    return {name: int(text[start + len(name) + 2 :].partition("\n")[0])}


def _percent(part: int, whole: int) -> float:
    return round(100.0 * part / whole, 1)


class Memory:
    """In a container the parts may not fit the whole, so each is held between 0 and the total."""

    name = "memory"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._swap = Rates()
        # In an LXC container the cache is the host's and none of the memory shown here.
        is_lxc = "fuse.lxcfs" in host.tree.maybe("proc/self/mounts")
        self._has_arc = host.tree.exists(ARC) and not is_lxc

    def collect(self, errors: list[str]) -> dict[str, object]:
        tree = self._host.tree
        info = parse_meminfo(tree.text("proc/meminfo"))
        arc = parse_arc(tree.maybe(ARC)) if self._has_arc else {}
        section = self._memory(info, arc)
        section.update(self._swap_space(info))
        section.update(self._events())
        return {"memory": section}

    def _memory(self, info: dict[str, int], arc: dict[str, int]) -> dict[str, object]:
        total = info["MemTotal"]

        def within(value: int) -> int:
            return max(0, min(value, total))

        arc_size = arc.get("size", 0)
        reclaimable = max(0, arc_size - arc.get("c_min", 0))
        available = within(available_bytes(info) + reclaimable)
        section: dict[str, object] = {
            "memory_total": total,
            "memory_used": total - available,
            "memory_available": available,
            "memory_free": within(info["MemFree"]),
        }
        if total:
            section["memory_percent"] = _percent(total - available, total)
        if "Buffers" in info:
            section["memory_buffers"] = within(info["Buffers"])
        if "Cached" in info:
            section["memory_cached"] = within(info["Cached"] + info.get("SReclaimable", 0))
        if arc:
            section["memory_zfs_arc"] = within(arc_size)
        return section

    def _swap_space(self, info: dict[str, int]) -> dict[str, object]:
        if "SwapTotal" not in info:
            return {}
        total = info["SwapTotal"]
        # What is cached is in memory as well and costs nothing to drop from swap.
        used = max(0, total - info.get("SwapFree", 0) - info.get("SwapCached", 0))
        section: dict[str, object] = {"swap_total": total, "swap_used": used}
        if total:
            section["swap_percent"] = _percent(used, total)
        return section

    def _events(self) -> dict[str, object]:
        text = "\n" + self._host.tree.maybe("proc/vmstat")
        at = self._host.monotonic()
        page = self._host.page_bytes
        swap: dict[str, int] = {}
        for name, field in (("pswpin", "swap_in_bytes"), ("pswpout", "swap_out_bytes")):
            for value in vmstat_number(text, name).values():
                swap[field] = value * page
        section: dict[str, object] = dict(swap)
        for grown in self._swap.growth({"": swap}, at).values():
            section.update(grown.per_second())
        for value in vmstat_number(text, "oom_kill").values():
            section["oom_kills"] = value
        return section
