"""A relay in front of a server that can stop to forward and keep every connection open."""

from __future__ import annotations

import socket
from collections.abc import Collection
from contextlib import suppress
from threading import Thread
from types import TracebackType

REQUESTS, ANSWERS = "requests", "answers"
_AT_ONCE = 1 << 16


class Relay:
    """Forwards connections to a server."""

    def __init__(self, host: str, port: int) -> None:
        self.swallowed_bytes = 0
        self._target = (host, port)
        self._lost_on_new: Collection[str] = ()
        self._links: list[_Link] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [Thread(target=self._accept, name="relay")]
        self._threads[0].start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, _kind: type | None, _error: object, _trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self.close_all()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def lose(self, *kinds: str) -> None:
        """Take these on every connection, also new ones, and forward them no more."""
        self._lost_on_new = kinds
        for link in self._links:
            link.lost = kinds

    def forward_new(self) -> None:
        """Forward everything on connections made from now on; the others stay as they are."""
        self._lost_on_new = ()

    def close_all(self) -> None:
        """Close the connections of now, at both ends."""
        for link in self._links:
            link.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            link = _Link(client, socket.create_connection(self._target), self._lost_on_new)
            self._links.append(link)
            for ends in ((link.client, link.server, REQUESTS), (link.server, link.client, ANSWERS)):
                thread = Thread(target=self._pump, args=(link, *ends), name="relay")
                self._threads.append(thread)
                thread.start()

    def _pump(self, link: _Link, source: socket.socket, sink: socket.socket, kind: str) -> None:
        with suppress(OSError):
            while data := source.recv(_AT_ONCE):
                if kind in link.lost:
                    self.swallowed_bytes += len(data)
                else:
                    sink.sendall(data)
            if kind not in link.lost:
                sink.shutdown(socket.SHUT_WR)


class _Link:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, client: socket.socket, server: socket.socket, lost: Collection[str]) -> None:
        self.client, self.server, self.lost = client, server, lost

    def close(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):  # the other end may have closed it
                end.shutdown(socket.SHUT_RDWR)
            end.close()
