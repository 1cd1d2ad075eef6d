"""Clients of raw keep-alive sockets: cheap enough to leave the machine to the server."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from process import BenchError

Check = Callable[[int, bytes], int]


@dataclass
class Load:
    """What a load cost the client and how many samples the server said it took."""

    requests: int = 0
    accepted: int = 0
    client_cpu_seconds: float = 0.0
    seconds: float = 0.0
    waits_ms: list[float] = field(default_factory=list)


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Write a whole POST request."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def get(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Write a whole GET request."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode()


class Connection:
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        """Send a request whose answer nobody waits for yet."""
        self._received.clear()
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> tuple[int, bytes] | None:
        """Read once; return status and body when the answer is whole."""
        data = self.socket.recv(262_144)
        if not data:
            raise BenchError("the server closed a connection that was in use")
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._received[:end])
        body = bytes(self._received[end + 4 :])
        if b"transfer-encoding: chunked" in head.lower():
            return (int(head[9:12]), _joined(body)) if body.endswith(b"\r\n0\r\n\r\n") else None
        return (int(head[9:12]), body) if len(body) >= _length(head) else None

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and wait for its answer."""
        self.send(request)
        while (answer := self.receive()) is None:
            pass
        return answer

    def close(self) -> None:
        self.socket.close()


def _length(head: bytes) -> int:
    found = head.lower().partition(b"content-length:")[2]
    return int(found.partition(b"\r\n")[0]) if found else 0


def _joined(chunks: bytes) -> bytes:
    """Join the chunks of a body."""
    found = bytearray()
    while size := int(chunks[: chunks.index(b"\r\n")], 16):
        start = chunks.index(b"\r\n") + 2
        found += chunks[start : start + size]
        chunks = chunks[start + size + 2 :]
    return bytes(found)


def drive(port: int, requests: Iterable[bytes], connections: int, check: Check) -> Load:
    """Send all requests in a closed loop; `check` returns the samples an answer accepts."""
    waiting, load = deque(requests), Load()
    with selectors.DefaultSelector() as selector:
        lines = [Connection(port) for _ in range(min(connections, len(waiting)))]
        cpu, started = time.process_time(), time.perf_counter()
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.send(waiting.popleft())
        busy = len(lines)
        while busy:
            for key, _ in selector.select():
                busy -= _turn(key.data, waiting, check, load)
        load.client_cpu_seconds = time.process_time() - cpu
        load.seconds = time.perf_counter() - started
    for line in lines:
        line.close()
    return load


def _turn(line: Connection, waiting: deque[bytes], check: Check, load: Load) -> bool:
    """Take an answer and send the next request; True when this connection has nothing to do."""
    answer = line.receive()
    if answer is None:
        return False
    load.waits_ms.append((time.perf_counter() - line.sent_at) * 1000)
    load.accepted += check(*answer)
    load.requests += 1
    if not waiting:
        return True
    line.send(waiting.popleft())
    return False


def percentile(values: list[float], percent: float) -> float:
    """Return the value that `percent` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]
