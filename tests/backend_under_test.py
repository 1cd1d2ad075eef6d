"""A real backend on a free loopback port, with a clock that the test sets."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from hostpulse.config import Config
from hostpulse.parts import build
from hostpulse.serve import server_for

NOW_MS = 1_795_423_385_000  # 2026-11-23T08:43:05Z
INTERVAL_MS = 5000
START_SECONDS = 10


class Clock:
    """Epoch milliseconds that stand still until the test moves them."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, ms: int) -> int:
        """Let `ms` milliseconds pass; return the time it is then."""
        self.now_ms += ms
        return self.now_ms


class Backend:
    """`hostpulse serve` in a thread; `settings` are those of hostpulse.config.Config.

    Its data folder is its own and goes with it, unless `data_dir` names another.
    """

    def __init__(self, clock: Clock | None = None, protocol: Any = None, **settings: Any) -> None:
        self.clock = clock or Clock()
        self._folder = tempfile.TemporaryDirectory(prefix="hostpulse-data-")
        settings.setdefault("data_dir", self._folder.name)
        settings.setdefault("auth", False)
        self.parts = build(Config(**settings), clock_ms=self.clock)
        self._server = server_for(self.parts)
        if protocol is not None:
            self._server.config.http = protocol
        address = ("127.0.0.1", settings.get("port", 0))
        self._listener = socket.create_server(address, backlog=2048)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = requests.Session()
        self._thread = threading.Thread(target=self._run, name="backend", daemon=True)
        self._thread.start()
        self._wait_for_start()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])

    def _wait_for_start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            assert time.monotonic() < deadline, "the backend did not start"
            time.sleep(0.005)

    def __enter__(self) -> Backend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the backend and give its port back."""
        self.http.close()
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        assert not self._thread.is_alive(), "the backend did not stop"
        self._listener.close()
        self.parts.close()
        self._folder.cleanup()

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        """Send any request; `more` is what requests takes."""
        return self.http.request(method, self.url + path, timeout=20, allow_redirects=False, **more)

    def get(self, path: str, **query: Any) -> requests.Response:
        """GET with these query parameters."""
        return self.request("GET", path, params=query)

    def json(self, path: str, **query: Any) -> Any:
        """GET what must be there: the JSON of an answer 200."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, reports: Any, **more: Any) -> requests.Response:
        """POST one report, or a list of them, as JSON."""
        return self.request("POST", "/api/metrics", json=reports, **more)

    def post_bytes(self, body: bytes, **headers: str) -> requests.Response:
        """POST a body as it is; in header names `_` stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Content-Type", "application/json")
        return self.request("POST", "/api/metrics", data=body, headers=named)

    def accept(self, reports: Any) -> Any:
        """POST reports that must be accepted; return what the backend answers."""
        answer = self.post(reports)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def connect(self) -> socket.socket:
        """Open a raw connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    @property
    def host(self) -> str:
        """`127.0.0.1:<port>`, as a Host header has it."""
        return urlsplit(self.url).netloc


def eventually(is_true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until it is so; fail if it is not so in time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


def iso(time_ms: int) -> str:
    """Write a time as the agent does."""
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def report(hostname: str = "web-1", time_ms: int = NOW_MS, **sections: Any) -> dict[str, Any]:
    """Make a report of these sections; without any it has a little CPU and memory."""
    if not sections:
        sections = {
            "cpu": {"cpu_percent_total": 45.2, "cpu_count_logical": 4},
            "memory": {"memory_total": 8589934592, "memory_percent": 50.0},
        }
    return {"hostname": hostname, "timestamp": iso(time_ms), **sections}


def seed_report() -> dict[str, Any]:
    """Return the report that the first description of the API showed, word for word."""
    return {
        "hostname": "server-name",
        "timestamp": "2025-11-06T10:00:00",
        "cpu": {
            "cpu_percent_total": 45.2,
            "cpu_percent_per_core": [40, 50, 43, 48],
            "cpu_count_logical": 4,
            "load_average": [1.5, 1.2, 1.0],
        },
        "memory": {
            "memory_total": 8589934592,
            "memory_used": 4294967296,
            "memory_percent": 50.0,
        },
        "disk": {"partitions": []},
        "io": {"network": {}, "disk_io": {}},
    }
