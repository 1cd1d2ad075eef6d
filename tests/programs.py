"""Starts the commands of this checkout as the processes a person would start."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from tests.backend_under_test import eventually

START_SECONDS = 20
STOP_SECONDS = 15


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """Return the environment without what would change the settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOSTPULSE_")}
    return {**kept, **more}


def command(module: str, *arguments: str) -> list[str]:
    """Return the line that runs a module of this Python."""
    return [sys.executable, "-m", module, *arguments]


class Program:
    """A process in a session of its own, with what it wrote in a file."""

    def __init__(self, line: list[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                line, env=dict(env or environment()), stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def written(self) -> str:
        """Return what it has written so far."""
        return self.log.read_text("utf-8", "replace")

    def interrupt(self) -> int:
        """Press Ctrl-C: the signal goes to all of its processes; return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def is_all_gone(self) -> bool:
        """Tell whether none of its processes is left."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def kill(self) -> None:
        """End it and its children at once; it may be gone already."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)


class Server(Program):
    """`hostpulse serve` on a port, with the clock of this machine.

    Its data folder stands beside its log, so another one with that log goes on with the data.
    """

    def __init__(
        self, log: Path, port: int = 0, env: Mapping[str, str] | None = None, auth: bool = False
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        mode = "--auth" if auth else "--no-auth"
        line = command("hostpulse", "serve", mode, "--port", str(self.port))
        self.data = log.with_suffix(".data")
        data = {"HOSTPULSE_DATA_DIR": str(self.data)}
        super().__init__(line, log, {**data, **(env or environment())})
        try:
            eventually(self.answers, START_SECONDS)
        except AssertionError:
            self.kill()
            raise

    def answers(self) -> bool:
        """Tell whether the backend answers; it must not have ended."""
        assert self.process.poll() is None, self.written()
        return answers(self.url)

    def json(self, path: str, **query: Any) -> Any:
        """GET what must be there."""
        answer = requests.get(self.url + path, params=query, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def accept(self, reports: Any) -> Any:
        """POST reports that must be accepted."""
        answer = requests.post(f"{self.url}/api/metrics", json=reports, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()


def answers(url: str) -> bool:
    """Tell whether a backend answers there."""
    try:
        return requests.get(f"{url}/api/health", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):  # whoever starts has its socket already
        return False


def now_ms() -> int:
    """Return the time of day in epoch ms."""
    return time.time_ns() // 1_000_000
