"""How much of this process one key, one organisation and one address may ask for in a minute."""

from __future__ import annotations

from math import ceil
from time import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from hostpulse.access.denied import AccessDenied
from hostpulse.access.principal import Need, Principal
from hostpulse.access.throttle import network_of

WRONG_KEY_COST = 10
"""How many requests without a key a request with a wrong one counts for."""


class Limiter:
    """Counts requests in a window of a minute that slides; the numbers are those of the settings.

    An address counts only while nobody knows who asks: a fleet may sit behind one.
    """

    def __init__(self, of_key: int, of_tenant: int, of_address: int) -> None:
        self._window = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._of_key = RateLimitItemPerMinute(of_key, namespace="key")
        self._of_tenant = RateLimitItemPerMinute(of_tenant, namespace="tenant")
        self._of_address = RateLimitItemPerMinute(of_address, namespace="address")

    def check(self, who: Principal) -> None:
        """Count a request of somebody known; raises AccessDenied.

        Many programs share an ingest key, so it has what its organisation has.
        """
        is_shared = not who.server and Need.INGEST in who.grants
        if who.key and not is_shared:
            self._count(self._of_key, who.key, "with this key")
        self._count(self._of_tenant, who.tenant, "by this organisation")

    def check_stranger(self, address: str, cost: int = 1) -> None:
        """Count a request of nobody known; raises AccessDenied."""
        self._count(self._of_address, network_of(address), "from this address", cost)

    def _count(self, most: RateLimitItemPerMinute, name: str, whose: str, cost: int = 1) -> None:
        if self._window.hit(most, name, cost=cost):
            return
        reset_time = self._window.get_window_stats(most, name).reset_time
        wait_seconds = min(max(ceil(reset_time - time()), 1), 60)
        raise AccessDenied(429, f"Too many requests {whose}; wait a little.", wait_seconds)
