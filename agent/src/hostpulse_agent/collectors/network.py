"""Traffic, errors, drops and state of each network interface."""

from __future__ import annotations

import re

from hostpulse_agent.host import Addresses, Host
from hostpulse_agent.kept import Kept
from hostpulse_agent.rates import Rates

# One end of a container's cable: it comes and goes under a random name.
SHORT_LIVED = re.compile(r"veth|cali[0-9a-f]|lxc[0-9a-f]{8}|fwbr|fwln|fwpr")
FIELDS = (
    ("bytes_recv", 0), ("packets_recv", 1), ("errin", 2), ("dropin", 3),
    ("bytes_sent", 8), ("packets_sent", 9), ("errout", 10), ("dropout", 11),
)  # fmt: skip
DECIMALS = {"errin": 3, "errout": 3, "dropin": 3, "dropout": 3}
FACTS_SECONDS = 60.0
LINK_UP = ("up", "unknown")  # loopback and tunnels never know


def parse(text: str) -> dict[str, dict[str, int]]:
    """Return the counters of /proc/net/dev by interface."""
    found = {}
    for line in text.splitlines()[2:]:
        # Old kernels leave no space after the colon, and an alias has a colon in its name.
        name, _, numbers = line.rpartition(":")
        values = numbers.split()
        found[name.strip()] = {field: int(values[place]) for field, place in FIELDS}
    return found


class Network:
    """Reads /proc/net/dev; speeds and addresses, which seldom change, once a minute."""

    name = "network"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rates = Rates()
        self._speeds: dict[str, int] = {}
        self._facts: Kept[Addresses] = Kept(FACTS_SECONDS, self._ask_facts)
        self._unused: Kept[set[str]] = Kept(FACTS_SECONDS, self._ask_unused)
        self._known: frozenset[str] = frozenset()

    def _ask_facts(self) -> Addresses:
        self._speeds = {}
        for name in self._known:
            speed = self._host.tree.number(f"sys/class/net/{name}/speed")
            if speed is not None and 0 < speed < 2**31:
                self._speeds[name] = speed
        try:
            return self._host.addresses()
        except OSError:  # a sandbox may forbid the question; the counters are still right
            return {}

    def _is_up(self, name: str) -> dict[str, int]:
        state = self._host.tree.maybe(f"sys/class/net/{name}/operstate").strip()
        return {"isup": int(state in LINK_UP)} if state else {}

    def _ask_unused(self) -> set[str]:
        """Return the interfaces that never carried anything and are no card of their own.

        An unplugged card is news, a dummy of the kernel is not.
        """
        tree = self._host.tree
        return {
            name
            for name, counters in parse(tree.maybe("proc/net/dev")).items()
            if not (counters["packets_recv"] or counters["packets_sent"])
            and self._is_up(name).get("isup") != 1
            and not tree.exists(f"sys/class/net/{name}/device")
        }

    def collect(self, errors: list[str]) -> dict[str, object]:
        text = self._host.tree.maybe("proc/net/dev")
        at = self._host.monotonic()
        unused = self._unused.get(at)
        interfaces = {
            name: counters
            for name, counters in parse(text).items()
            if not SHORT_LIVED.match(name) and (name not in unused or counters["packets_recv"])
        }
        if not interfaces:
            return {}
        if interfaces.keys() != self._known:
            self._known = frozenset(interfaces)
            self._facts.forget()
        return {"io": {"network": self._describe(interfaces, at)}}

    def _describe(self, interfaces: dict[str, dict[str, int]], at: float) -> dict[str, object]:
        addresses = self._facts.get(at)
        grown = self._rates.growth(interfaces, at)
        shown: dict[str, object] = {}
        for name, counters in interfaces.items():
            one: dict[str, object] = dict(counters)
            if name in grown:
                for field, amount in grown[name].by.items():
                    rate = amount / grown[name].seconds
                    one[f"{field}_per_sec"] = round(rate, DECIMALS.get(field, 1))
            one.update(self._is_up(name))
            if name in self._speeds:
                one["speed"] = self._speeds[name]
            if addresses.get(name):
                one["addresses"] = addresses[name]
            shown[name] = one
        return shown
