"""Failed attempts to come in, counted for every process by where they come from, and in all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.principal import Principal
from hostpulse.access.sessions import Client
from hostpulse.access.throttle import network_of
from hostpulse.control import attempt_rows, people_rows

_WINDOW_MS = 300_000
_ALL = ""


class Tries:
    """Whoever failed too often within five minutes waits; all ways in count together."""

    def __init__(self, means: Means, most: int = 10, most_in_all: int = 1000) -> None:
        self._store, self._clock_ms, _ = means
        self._most, self._most_in_all = most, most_in_all

    def attempt(self, client: Client) -> AbstractContextManager[None]:
        """Count the block if it raises AccessDenied; raises it at once for one who has to wait.

        When too many fail everywhere, those go on who ask from where somebody is signed in.
        """
        return self._counted(network_of(client.address), in_all=True)

    def proof(self, who: Principal) -> AbstractContextManager[None]:
        """Do the same for somebody who is signed in and shows once more who they are."""
        return self._counted(who.user or who.name, in_all=False)

    @contextmanager
    def _counted(self, source: str, in_all: bool) -> Iterator[None]:
        self._check(source, in_all)
        try:
            yield
        except AccessDenied:
            now_ms = self._clock_ms()
            with self._store.system_transaction() as connection:
                attempt_rows.tidy(connection, now_ms)
                attempt_rows.count(connection, source, now_ms, _WINDOW_MS // self._most)
                if in_all:
                    attempt_rows.count(connection, _ALL, now_ms, _WINDOW_MS // self._most_in_all)
            raise

    def _check(self, source: str, in_all: bool) -> None:
        now_ms = self._clock_ms()
        with self._store.system_transaction() as connection:
            known = attempt_rows.forgotten_ms(connection, (source, _ALL))
            wait = _wait_seconds(known.get(source, 0), now_ms, self._most)
            wait_all = _wait_seconds(known.get(_ALL, 0), now_ms, self._most_in_all)
            if not in_all:
                wait_all = 0
            elif wait_all > 0:
                seen = people_rows.addresses(connection)
                wait_all = 0 if source in {network_of(address) for address in seen} else wait_all
        if wait > 0:
            raise AccessDenied(429, "Too many failed attempts from here; wait a while.", wait)
        if wait_all > 0:
            raise AccessDenied(429, "Too many failed attempts everywhere; wait a little.", wait_all)


def _wait_seconds(forgotten_ms: int, now_ms: int, most: int) -> float:
    """Return how long it is until one more may fail: the generic cell rate algorithm."""
    after_ms = max(forgotten_ms, now_ms) + _WINDOW_MS // most
    return max(after_ms - now_ms - _WINDOW_MS, 0) / 1000
