"""Ends waits for a server that neither answers nor closes the connection."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from time import monotonic
from typing import Protocol

from psycopg import OperationalError

_LOOK_SECONDS = 0.25


class Connected(Protocol):
    """Something on a socket."""

    def fileno(self) -> int:
        """Return the socket's number; raises OperationalError once it is closed."""


class Deadlines:
    """Shuts the socket of each connection that is used for longer than was agreed.

    Each time `when_silent` is called before.
    """

    def __init__(self, when_silent: Callable[[], object]) -> None:
        self._when_silent = when_silent
        self._lock = Lock()
        self._latest: dict[Connected, float] = {}
        self._closing = Event()
        self._thread = Thread(target=self._watch, name="postgres-deadlines", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    @contextmanager
    def within(self, connection: Connected, seconds: float) -> Iterator[None]:
        """Give what is done with `connection` meanwhile so many seconds."""
        with self._lock:
            self._latest[connection] = monotonic() + seconds
        try:
            yield
        finally:
            with self._lock:
                del self._latest[connection]

    def close(self) -> None:
        """Watch no longer."""
        self._closing.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            now = monotonic()
            with self._lock:
                for connection in [one for one, latest in self._latest.items() if latest < now]:
                    self._when_silent()
                    _shut(connection)


def _shut(connection: Connected) -> None:
    with suppress(OSError, OperationalError):  # it is closed already
        borrowed = socket.socket(fileno=connection.fileno())
        try:
            borrowed.shutdown(socket.SHUT_RDWR)
        finally:
            borrowed.detach()
