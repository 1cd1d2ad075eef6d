"""A small real HTTP server on loopback that answers as a test tells it to."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

Reply = tuple[int, dict[str, str], Any]


@dataclass
class Request:
    """What one post brought."""

    headers: dict[str, str]
    body: bytes
    at: float
    connection: int
    path: str

    @property
    def reports(self) -> list[dict[str, Any]]:
        found = json.loads(gzip.decompress(self.body))
        return found if isinstance(found, list) else [found]


@dataclass
class Server:
    """Keeps every post, and every report it said yes to by its timestamp."""

    answers: list[Reply] = field(default_factory=list)
    judge: Callable[[Request], Reply] | None = None
    requests: list[Request] = field(default_factory=list)
    accepted: dict[str, int] = field(default_factory=dict)
    url: str = ""
    connections: list[socket.socket] = field(default_factory=list)

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.judge is not None:
            return self.judge(request)
        return self.answers.pop(0) if self.answers else self.success(request)

    def success(self, request: Request) -> Reply:
        for report in request.reports:
            stamp = report["timestamp"]
            self.accepted[stamp] = self.accepted.get(stamp, 0) + 1
        count = len(request.reports)
        return 200, {}, {"status": "success", "accepted": count, "server_time_ms": now_ms()}


def now_ms() -> int:
    return int(time.time() * 1000)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            server.connections.append(self.connection)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = Request(
                dict(self.headers), body, time.monotonic(), self.client_address[1], self.path
            )
            status, headers, content = server.reply(request)
            sent = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            with suppress(OSError):  # a client that gave up is part of many tests
                self.wfile.write(sent)

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def serving(server: Server, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Listen on loopback while the block runs; the port may be given to come back on it."""
    ThreadingHTTPServer.allow_reuse_address = True
    listener = ThreadingHTTPServer(("127.0.0.1", port), _handler(server))
    listener.daemon_threads = True
    listener.block_on_close = False
    if tls is not None:
        listener.socket = tls.wrap_socket(listener.socket, server_side=True)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        for connection in server.connections:  # or a kept one would go on being served
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join()
