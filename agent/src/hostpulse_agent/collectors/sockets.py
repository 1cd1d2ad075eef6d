"""Sockets and TCP, from the kernel's own sums: listing connections costs too much."""

from __future__ import annotations

from hostpulse_agent.host import Host
from hostpulse_agent.rates import Rates

# (first word of the line, its number, our name); the IPv6 files have lines of their own.
SOCKSTAT = (
    ("sockets", "used", "sockets_used"),
    ("TCP", "inuse", "tcp_in_use"),
    ("TCP6", "inuse", "tcp_in_use"),
    ("TCP", "tw", "tcp_time_wait"),
    ("TCP", "orphan", "tcp_orphan"),
    ("UDP", "inuse", "udp_in_use"),
    ("UDP6", "inuse", "udp_in_use"),
)


def parse_sockstat(text: str) -> dict[str, int]:
    """Return the sums over IPv4 and IPv6 under our names."""
    lines: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        protocol, _, rest = line.partition(":")
        words = rest.split()
        lines[protocol] = dict(zip(words[::2], words[1::2]))
    found: dict[str, int] = {}
    for protocol, word, name in SOCKSTAT:
        value = lines.get(protocol, {}).get(word)
        if value is not None:
            found[name] = found.get(name, 0) + int(value)
    return found


def parse_tcp(snmp: str) -> dict[str, int]:
    """Return the Tcp line of /proc/net/snmp by the names in its heading."""
    lines = [line.split() for line in snmp.splitlines() if line.startswith("Tcp:")]
    if len(lines) != 2:
        return {}
    return dict(zip(lines[0][1:], map(int, lines[1][1:])))


class Sockets:
    """Reads /proc/net/sockstat, sockstat6 and snmp."""

    name = "sockets"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._rates = Rates()

    def collect(self, errors: list[str]) -> dict[str, object]:
        tree = self._host.tree
        text = tree.maybe("proc/net/sockstat") + tree.maybe("proc/net/sockstat6")
        section: dict[str, object] = dict(parse_sockstat(text))
        tcp = parse_tcp(tree.maybe("proc/net/snmp"))
        at = self._host.monotonic()
        if "CurrEstab" in tcp:
            section["tcp_established"] = tcp["CurrEstab"]
        if "RetransSegs" in tcp:
            counters = {"tcp_retransmits": tcp["RetransSegs"]}
            section.update(counters)
            for grown in self._rates.growth({"": counters}, at).values():
                section.update(grown.per_second())
        return {"system": section} if section else {}
