"""How often somebody may do something: counts that fade, in the memory of this process."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

_MOST_KNOWN = 20_000
_FREE_FAILURES = 5
_LONGEST_WAIT_SECONDS = 900.0


def wait_seconds(failures: int) -> float:
    """Return how long an account waits after so many failures in a row: 1 s, doubling, 15 min."""
    if failures < _FREE_FAILURES:
        return 0.0
    return min(2.0 ** min(failures - _FREE_FAILURES, 20), _LONGEST_WAIT_SECONDS)


def network_of(address: str) -> str:
    """Return what counts as one client: an IPv4 address, or a /64 of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ".".join(found.exploded.split(":")[:4]))
    return str(found)


class Throttle:
    """Lets each name do `most` things within `seconds`, and then one as often as that allows.

    `clock` is seconds. One number is kept for each name: when all that it did is forgotten (the
    generic cell rate algorithm). It costs a post under 1 µs; the library `limits` costs 30.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._each_seconds = seconds / most
        self._clock = clock
        self._forgotten_at: dict[str, float] = {}

    def wait(self, name: str, cost: int = 1) -> float:
        """Return the seconds until this name may do so much, 0 for now."""
        now = self._clock()
        after = max(self._forgotten_at.get(name, now), now) + cost * self._each_seconds
        return max(after - now - self._seconds, 0.0)

    def count(self, name: str, cost: int = 1) -> None:
        """Count what a name did."""
        now = self._clock()
        if len(self._forgotten_at) >= _MOST_KNOWN and name not in self._forgotten_at:
            self._tidy(now)
        before = max(self._forgotten_at.get(name, now), now)
        self._forgotten_at[name] = before + cost * self._each_seconds

    def _tidy(self, now: float) -> None:
        """Forget whoever did nothing lately; in a flood of names, everybody."""
        known = {name: at for name, at in list(self._forgotten_at.items()) if at > now}
        self._forgotten_at = known if len(known) < _MOST_KNOWN else {}
