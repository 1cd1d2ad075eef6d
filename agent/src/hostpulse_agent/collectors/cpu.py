"""CPU: shares of time by mode and by core, load, context switches, interrupts."""

from __future__ import annotations

from hostpulse_agent.host import Host
from hostpulse_agent.kept import Kept
from hostpulse_agent.rates import Counters, Growth, Rates

MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
# These fall a little on healthy kernels; their fall is no reset.
UNSTEADY = ("idle", "iowait", "steal")
SHARES = {
    "cpu_percent_user": ("user",),
    "cpu_percent_system": ("system",),
    "cpu_percent_iowait": ("iowait",),
    "cpu_percent_steal": ("steal",),
    "cpu_percent_irq": ("irq", "softirq"),
    "cpu_percent_nice": ("nice",),
}
PHYSICAL_SECONDS = 600.0


def _steady(before: Counters, after: dict[str, int]) -> dict[str, int]:
    """Lift the unsteady counters to their last value."""
    for mode in UNSTEADY:
        if mode in after and mode in before:
            after[mode] = max(after[mode], before[mode])
    return after


def _busy_percent(grown: dict[str, int]) -> float | None:
    total = sum(grown.values())
    if total <= 0:
        return None
    idle = grown.get("idle", 0) + grown.get("iowait", 0)
    return round(100.0 * (total - idle) / total, 1)


def physical_cores(cpuinfo: str) -> int:
    """Count the distinct cores that /proc/cpuinfo names; 0 when it does not name them."""
    cores = set()
    package = ""
    for line in cpuinfo.splitlines():
        if line.startswith("physical id"):
            package = line
        elif line.startswith("core id"):
            cores.add((package, line))
    return len(cores)


class Cpu:
    """Reads /proc/stat and /proc/loadavg."""

    name = "cpu"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._times = Rates()
        self._events = Rates()
        self._last: dict[str, dict[str, int]] = {}
        self._physical = Kept(
            PHYSICAL_SECONDS, lambda: physical_cores(host.tree.maybe("proc/cpuinfo"))
        )

    def collect(self, errors: list[str]) -> dict[str, object]:
        stat = self._host.tree.text("proc/stat")
        at = self._host.monotonic()
        times: dict[str, dict[str, int]] = {}
        events: dict[str, int] = {}
        tasks: dict[str, int] = {}
        for line in stat.splitlines():
            if line.startswith("cpu"):
                name, *words = line.split()
                after = dict(zip(MODES, map(int, words)))
                times[name] = _steady(self._last.get(name, {}), after)
            elif line.startswith("ctxt"):
                events["ctx_switches"] = int(line.split()[1])
            elif line.startswith("intr"):
                events["interrupts"] = int(line.split(None, 2)[1])
            elif line.startswith("procs_"):
                name, value = line.split()
                tasks["processes_" + name[len("procs_") :]] = int(value)
        self._last = times
        section: dict[str, object] = {"cpu_count_logical": len(times) - 1, **events}
        section.update(self._shares(self._times.growth(times, at), len(times) - 1))
        for grown in self._events.growth({"": events}, at).values():
            section.update(grown.per_second())
        section.update(self._load(at))
        return {"cpu": section, "system": tasks}

    def _shares(self, grown: dict[str, Growth], cores: int) -> dict[str, object]:
        whole = grown.pop("cpu", None)
        total = sum(whole.by.values()) if whole else 0
        if whole is None or total <= 0:
            return {}
        shares: dict[str, object] = {"cpu_percent_total": _busy_percent(whole.by)}
        for name, modes in SHARES.items():
            if modes[0] in whole.by:
                spent = sum(whole.by.get(mode, 0) for mode in modes)
                shares[name] = round(100.0 * spent / total, 1)
        per_core = [_busy_percent(core.by) for core in grown.values()]
        # A list has no place for a core without a value, so it comes whole or not at all.
        if len(per_core) == cores and None not in per_core:
            shares["cpu_percent_per_core"] = per_core
        return shares

    def _load(self, at: float) -> dict[str, object]:
        found: dict[str, object] = {}
        words = self._host.tree.maybe("proc/loadavg").split()
        if words:
            found["load_average"] = [float(word) for word in words[:3]]
        physical = self._physical.get(at)
        if physical:
            found["cpu_count_physical"] = physical
        return found
