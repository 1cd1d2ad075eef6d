"""The backend as a process: what it costs at rest and under hostile input."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from hostpulse.control.store import open_store

from tests.backend_under_test import NOW_MS, eventually, iso, report

MIB = 1 << 20
# rich is a tool of the tests that structlog loads where it is; the product does not bring it.
START = "import sys; sys.modules['rich'] = None; from hostpulse.cli import main; main()"


class Process:
    """`hostpulse serve` on a free port."""

    def __init__(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        line = [sys.executable, "-c", START, "serve", "--no-auth", "--port", str(self.port)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("HOSTPULSE_")}
        environment["HOSTPULSE_DATA_DIR"] = str(data)
        self.program = subprocess.Popen(
            line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = requests.Session()
        eventually(self.is_up)

    def is_up(self) -> bool:
        try:
            return self.http.get(f"{self.url}/api/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    def rss_mib(self) -> float:
        return psutil.Process(self.program.pid).memory_info().rss / MIB  # type: ignore[no-any-return]

    def post(self, body: bytes, **headers: str) -> requests.Response:
        headers["Content-Type"] = "application/json"
        return self.http.post(f"{self.url}/api/metrics", data=body, headers=headers, timeout=60)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    open_store("", tmp_path).close()  # the tables are made once, by a library that stays loaded
    running = Process(tmp_path)
    yield running
    running.http.close()
    running.program.kill()
    running.program.wait()


def test_a_backend_at_rest_is_small(process: Process) -> None:
    assert process.rss_mib() < 60


def test_a_signal_stops_it_cleanly(process: Process) -> None:
    process.program.send_signal(signal.SIGINT)
    assert process.program.wait(10) == 0


def test_bodies_that_are_too_large_cost_no_memory(process: Process) -> None:
    process.post(json.dumps(report()).encode())
    before = process.rss_mib()
    bomb = gzip.compress(bytes(100 * MIB))
    for _ in range(10):
        assert process.post(bomb, **{"Content-Encoding": "gzip"}).status_code == 413
        assert process.post(b" " * 65_536 for _ in range(200)).status_code == 413  # type: ignore[arg-type]
    assert process.rss_mib() - before < 24


def numbered(number: int, **sections: Any) -> bytes:
    body = {"hostname": "web-1", "timestamp": iso(NOW_MS - 10_000_000 + number * 1000), **sections}
    return json.dumps(body).encode()


@pytest.mark.parametrize("kind", ["custom", "mountpoints", "interfaces", "padding"])
def test_ever_new_names_cost_bounded_memory(process: Process, kind: str) -> None:
    before = process.rss_mib()
    for i in range(150):
        names = [f"{kind}-{i}-{j}" for j in range(200)]
        sections: dict[str, Any] = {
            "custom": {"custom": dict.fromkeys(names, 1)},
            "mountpoints": {
                "disk": {"partitions": [{"mountpoint": n, "percent": 1} for n in names]}
            },
            "interfaces": {"io": {"network": {n: {"bytes_sent": 1} for n in names}}},
            "padding": {"padding": "x" * MIB * 7},
        }[kind]
        body = gzip.compress(numbered(i, **sections), 1)
        process.post(body, **{"Content-Encoding": "gzip"})
        if kind == "padding" and i == 10:
            break
    assert process.rss_mib() - before < 64


def test_many_servers_that_report_once_cost_little(process: Process) -> None:
    before = process.rss_mib()
    for start in range(0, 2000, 250):
        batch = [report(f"web-{i}") for i in range(start, start + 250)]
        assert process.post(json.dumps(batch).encode()).status_code == 200
    assert process.post(json.dumps(report("one-more")).encode()).status_code == 403
    assert process.rss_mib() - before < 24
