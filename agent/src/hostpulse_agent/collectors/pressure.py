"""Pressure stall information: the share of time in which tasks waited for a resource."""

from __future__ import annotations

from hostpulse_agent.host import Host

RESOURCES = ("cpu", "memory", "io")
AVERAGES = ("avg10", "avg60")


def parse(text: str) -> dict[str, float]:
    """Return `some_avg10` and so on from one file of /proc/pressure."""
    found = {}
    for line in text.splitlines():
        kind, *words = line.split()
        for word in words:
            name, _, value = word.partition("=")
            if name in AVERAGES:
                found[f"{kind}_{name}"] = float(value)
    return found


class Pressure:
    """Reads /proc/pressure; kernels before 4.20 and many containers have none."""

    name = "pressure"

    def __init__(self, host: Host) -> None:
        self._tree = host.tree
        self._is_there = host.tree.exists("proc/pressure")

    def collect(self, errors: list[str]) -> dict[str, object]:
        if not self._is_there:
            return {}
        section = {}
        for resource in RESOURCES:
            found = parse(self._tree.maybe(f"proc/pressure/{resource}"))
            if found:
                section[resource] = found
        return {"pressure": section} if section else {}
