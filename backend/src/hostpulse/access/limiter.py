"""How much of this process a key, a person, an organisation and an address may ask for a minute."""

from __future__ import annotations

from time import monotonic

from hostpulse.access.denied import AccessDenied
from hostpulse.access.principal import NOBODY, Need, Principal
from hostpulse.access.throttle import Throttle, network_of

WRONG_KEY_COST = 10
"""How many requests without a key a request with a wrong one counts for."""


class Limiter:
    """Counts requests; the numbers, of a minute, are those of the settings.

    An address counts only while nobody knows who asks: a fleet may sit behind one.
    """

    def __init__(self, of_key: int, of_person: int, of_tenant: int, of_address: int) -> None:
        self._of_key = Throttle(of_key, 60.0, monotonic)
        self._of_person = Throttle(of_person, 60.0, monotonic)
        self._of_tenant = Throttle(of_tenant, 60.0, monotonic)
        self._of_address = Throttle(of_address, 60.0, monotonic)

    def check(self, who: Principal) -> None:
        """Count a request of somebody known; raises AccessDenied.

        Many programs share an ingest key, so it has what its organisation has. What a person may is
        a part of that, so nobody at a page takes it from the agents.
        """
        is_shared = not who.server and Need.INGEST in who.grants
        if who.key and not is_shared:
            _count(self._of_key, who.key, "with this key", by=who)
        elif person := who.user or who.session:
            _count(self._of_person, person, "by you", by=who)
        _count(self._of_tenant, who.tenant, "by this organisation", by=who)

    def check_stranger(self, address: str, cost: int = 1) -> None:
        """Count a request of nobody known; raises AccessDenied."""
        _count(self._of_address, network_of(address), "from this address", cost)


def _count(
    throttle: Throttle, name: str, whose: str, cost: int = 1, by: Principal = NOBODY
) -> None:
    if (wait_seconds := throttle.wait(name, cost)) > 0:
        text = f"Too many requests {whose}; wait a little."
        raise AccessDenied(429, text, wait_seconds, by)
    throttle.count(name, cost)
