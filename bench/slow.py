"""Slow senders: connections that are held open by silence, or by one byte a second."""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from multiprocessing.sharedctypes import Synchronized

_TRICKLE_SECONDS = 1.0


class _Sender:
    """One of the three kinds; opened anew whenever the server loses its patience."""

    def __init__(self, port: int, path: str, kind: int) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        whole = f"{head}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        self._port = port
        self._first, self._then = ((b"", b""), (head.encode() + b"X-Slow: ", b"a"), (whole.encode(), b" "))[kind]
        self.socket: socket.socket | None = None

    def open(self) -> socket.socket:
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        if self._first:
            self.socket.sendall(self._first)
        return self.socket

    def trickle(self) -> None:
        if self.socket is not None and self._then:
            self.socket.sendall(self._then)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _hold(port: int, path: str, count: int, is_open: Synchronized[int]) -> None:
    senders = [_Sender(port, path, number % 3) for number in range(count)]
    with selectors.DefaultSelector() as selector:
        while True:
            for sender in senders:
                if sender.socket is None:
                    selector.register(sender.open(), selectors.EVENT_READ, sender)
            is_open.value = count
            _trickle(senders, selector)
            _drop_closed(selector, time.monotonic() + _TRICKLE_SECONDS)


def _trickle(senders: list[_Sender], selector: selectors.BaseSelector) -> None:
    for sender in senders:
        try:
            sender.trickle()
        except OSError:
            _drop(sender, selector)


def _drop_closed(selector: selectors.BaseSelector, until: float) -> None:
    while (left := until - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            _drop(key.data, selector)


def _drop(sender: _Sender, selector: selectors.BaseSelector) -> None:
    if sender.socket is not None:
        selector.unregister(sender.socket)
        sender.close()


class SlowSenders:
    """`count` slow connections to one server: a third silent, the others dripping."""

    def __init__(self, port: int, path: str, count: int = 300) -> None:
        self._open: Synchronized[int] = multiprocessing.Value("i", 0)
        target = (port, path, count, self._open)
        self._process = multiprocessing.Process(target=_hold, args=target, daemon=True)
        self._process.start()
        deadline = time.monotonic() + 20
        while self._open.value < count and time.monotonic() < deadline:
            time.sleep(0.05)

    def alive(self) -> bool:
        return self._process.is_alive() and self._open.value > 0

    def stop(self) -> None:
        self._process.terminate()
        self._process.join()
