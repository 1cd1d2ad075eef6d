"""How often somebody may try: counts of failures that fade, in the memory of this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock

_MOST_KNOWN = 10_000
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
    """Lets each name fail `most` times within `seconds`; a bucket that fills again steadily."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._per_second = most / seconds
        self._clock = clock
        self._failed: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, name: str) -> float:
        """Return the seconds until this name may try again, 0 for now."""
        with self._lock:
            over = self._count(name) - (self._most - 1)
        return max(over / self._per_second, 0.0)

    def note_failure(self, name: str) -> None:
        """Count one more failure."""
        with self._lock:
            self._failed[name] = (self._count(name) + 1, self._clock())
            self._failed.move_to_end(name)
            while len(self._failed) > _MOST_KNOWN:
                self._failed.popitem(last=False)

    def _count(self, name: str) -> float:
        failures, since = self._failed.get(name, (0.0, 0.0))
        return max(failures - (self._clock() - since) * self._per_second, 0.0)
