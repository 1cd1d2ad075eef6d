"""Failed attempts to come in, counted by where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from hostpulse.access.denied import AccessDenied
from hostpulse.access.sessions import Client
from hostpulse.access.throttle import Throttle, network_of

_MOST, _SECONDS = 10, 300.0


class Tries:
    """Whoever failed too often waits; all ways in count together."""

    def __init__(self) -> None:
        self._throttle = Throttle(_MOST, _SECONDS, monotonic)

    @contextmanager
    def attempt(self, client: Client) -> Iterator[None]:
        """Count the block if it raises AccessDenied; raises it at once for one who has to wait."""
        network = network_of(client.address)
        if (wait := self._throttle.wait(network)) > 0:
            raise AccessDenied(429, "Too many failed attempts from here; wait a while.", wait)
        try:
            yield
        except AccessDenied:
            self._throttle.count(network)
            raise
