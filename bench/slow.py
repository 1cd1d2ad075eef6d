"""Slow senders: connections that are held open by silence, or by one byte a second."""

from __future__ import annotations

import contextlib
import multiprocessing
import selectors
import socket
import time
from multiprocessing.sharedctypes import Synchronized

from process import START_SECONDS, BenchError

_TRICKLE_SECONDS = 1.0


class _Sender:
    """One of the three kinds; opened anew whenever the server loses its patience."""

    def __init__(self, port: int, path: str, kind: int) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
        whole = head + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        kinds = ((b"", b""), (head + b"X-Slow: ", b"a"), (whole, b" "))
        self._first, self._then = kinds[kind]
        self._address = ("127.0.0.1", port)

    def open(self) -> socket.socket:
        """Connect and begin a request, or say nothing at all."""
        self._socket = socket.create_connection(self._address, timeout=10)
        self._socket.sendall(self._first)
        return self._socket

    def trickle(self) -> None:
        """Send one more byte; a connection that was closed is noticed by reading."""
        with contextlib.suppress(OSError):
            self._socket.sendall(self._then)

    def close(self) -> None:
        self._socket.close()


def _hold(port: int, path: str, count: int, is_open: Synchronized[int]) -> None:
    senders = [_Sender(port, path, number % 3) for number in range(count)]
    with selectors.DefaultSelector() as selector:
        for sender in senders:
            selector.register(sender.open(), selectors.EVENT_READ, sender)
            is_open.value += 1
        while True:
            for sender in senders:
                sender.trickle()
            _reopen_closed(selector, time.monotonic() + _TRICKLE_SECONDS)


def _reopen_closed(selector: selectors.BaseSelector, until: float) -> None:
    """Open anew at once what the server closes."""
    while (left := until - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            selector.unregister(key.fileobj)
            key.data.close()
            selector.register(key.data.open(), selectors.EVENT_READ, key.data)


class SlowSenders:
    """`count` slow connections to one server: a third silent, the others dripping."""

    def __init__(self, port: int, path: str, count: int) -> None:
        is_open: Synchronized[int] = multiprocessing.Value("i", 0)
        target = (port, path, count, is_open)
        self._process = multiprocessing.Process(target=_hold, args=target, daemon=True)
        self._process.start()
        deadline = time.monotonic() + START_SECONDS
        while is_open.value < count:
            if not self.alive() or time.monotonic() > deadline:
                self.stop()
                raise BenchError(f"only {is_open.value} of {count} slow senders could connect")
            time.sleep(0.05)

    def alive(self) -> bool:
        """Tell whether all are held open: the first one that cannot connect again ends them."""
        return self._process.is_alive()

    def stop(self) -> None:
        self._process.terminate()
        self._process.join()
