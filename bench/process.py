"""Programs under measurement: started on loopback, read to the nanosecond, stopped by their id."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

START_SECONDS = 30
STOP_SECONDS = 15
NONE: Mapping[str, str] = MappingProxyType({})
SCRIPTS = Path(sys.executable).parent  # where hostpulse and hostpulse-agent are


class BenchError(Exception):
    """The bench cannot go on; the text says why."""


@dataclass(frozen=True)
class Memory:
    """Memory of a process tree."""

    rss_bytes: int
    pss_bytes: int


class Program:
    """A running program and all its children; its log and its data are in `folder`."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None):
        self._folder = tempfile.TemporaryDirectory(prefix="hostpulse-bench-")
        self.folder = Path(self._folder.name)
        self.name = Path(command[0]).name
        self._log = self.folder / "program.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [part.replace("{folder}", self._folder.name) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **(environment or {})},
            )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait for the program to be ready; BenchError with its log if it does not get there."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = self._log.read_text(errors="replace")[-2000:]
                self.stop()
                raise BenchError(f"{self.name} did not start:\n{log}")
            time.sleep(0.05)

    def cpu_seconds(self) -> float:
        """CPU of all its processes so far, user and system, those that ended included."""
        return cpu_seconds(self.pid)

    def memory(self) -> Memory:
        """What its processes hold now."""
        return memory(self.pid)

    def stop(self) -> None:
        """End it, by its id, and remove its data."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._folder.cleanup()


def cpu_seconds(pid: int) -> float:
    """CPU of a process and all below it so far, user and system, ended children included."""
    if not is_alive(pid):
        raise BenchError(f"process {pid} ended while it was measured")
    return sum(_cpu_of(each) for each in tree(pid))


def is_alive(pid: int) -> bool:
    """Tell whether there is such a process and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def memory(pid: int) -> Memory:
    """What a process and all below it hold now."""
    pids = tree(pid)
    rss = sum(_kilobytes(each, "status", "VmRSS:") for each in pids)
    pss = sum(_kilobytes(each, "smaps_rollup", "Pss:") for each in pids)
    return Memory(rss * 1024, pss * 1024)


def tree(pid: int) -> list[int]:
    """Return the ids of a process and of all below it."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        below = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(found for child in below for found in tree(child))]


def _cpu_of(pid: int) -> float:
    """CPU of one process by its own clock, and of its ended children by /proc (10 ms steps)."""
    try:
        own = time.clock_gettime((~pid << 3) | 2)  # Linux' number of that process's CPU clock
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    ended = int(after_name[13]) + int(after_name[14])
    return own + ended / os.sysconf("SC_CLK_TCK")


def _kilobytes(pid: int, file: str, label: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(label)), 0)


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def answers(port: int, path: str) -> bool:
    """Tell whether GET `path` is answered with a 2xx."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def start_backend(
    storage: str = "memory://",
    data: str = "{folder}/data",
    auth: bool = False,
    settings: Mapping[str, str] = NONE,
) -> tuple[Program, int]:
    """Start `hostpulse serve` with this storage and folder of data; return it and its port.

    `settings` are variables: HOSTPULSE_… and a value.
    """
    port = free_port()
    way = "--auth" if auth else "--no-auth"
    program = Program(
        [str(SCRIPTS / "hostpulse"), "serve", way, "--port", str(port), "--data-dir", data],
        {"HOSTPULSE_STORAGE": storage, **settings},  # where a password stays out of sight
    )
    program.wait_until(lambda: answers(port, "/api/health"))
    return program, port
