"""The agent that `hostpulse up` runs beside the backend, as a program of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread

import structlog

from hostpulse.config import Config

_STOP_SECONDS = 5
_RESTART_SECONDS = 2
_GRACE_SECONDS = 12  # Ctrl-C ends the agent as well, while the backend finishes what is under way
_WRONG_CONFIGURATION = 78
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - all addresses are reached by one


class AgentMissing(Exception):
    """There is no agent to run; the message says how to get one."""


def command(config: Config) -> list[str]:
    """Return the command line of the local agent; raises AgentMissing."""
    if config.tls_cert or config.behind_proxy:
        raise AgentMissing(
            "`hostpulse up` runs its agent without a key, over plain HTTP on loopback: with TLS or "
            "behind a proxy use `hostpulse serve`, and enrol this machine like any other."
        )
    beside = shutil.which("hostpulse-agent", path=str(Path(sys.executable).parent))
    program = beside or shutil.which("hostpulse-agent")
    if program is None:
        raise AgentMissing(
            "`hostpulse up` needs the program hostpulse-agent: run `pip install ./agent`, or "
            "start the backend alone with `hostpulse serve`."
        )
    host = _LOCAL.get(config.host, config.host)
    host = f"[{host}]" if ":" in host else host
    return [program, "--server", f"http://{host}:{config.port}"]


@contextmanager
def running(line: list[str] | None) -> Iterator[None]:
    """Run the agent while the block runs, anew if it ends; do nothing without a command line."""
    if line is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="hostpulse-agent-") as spool:
        agent = _LocalAgent([*line, "--spool", spool])
        try:
            yield
        finally:
            agent.stop()


class _LocalAgent:
    """A child process that is started again when it ends by itself."""

    def __init__(self, line: list[str]) -> None:
        self._line = line
        self._stopping = Event()
        self._lock = Lock()
        self._process = subprocess.Popen(line)
        Thread(target=self._watch, name="local-agent", daemon=True).start()

    def _watch(self) -> None:
        log = structlog.get_logger("hostpulse.agent")
        while True:
            code = self._process.wait()
            if self._stopping.wait(0 if code else _GRACE_SECONDS):
                return
            if code == _WRONG_CONFIGURATION:
                log.error("the local agent refused its settings; the server goes on without it")
                return
            log.warning("the local agent ended and is started again", code=code)
            if self._stopping.wait(_RESTART_SECONDS) or not self._start():
                return

    def _start(self) -> bool:
        with self._lock:
            if not self._stopping.is_set():
                self._process = subprocess.Popen(self._line)
            return not self._stopping.is_set()

    def stop(self) -> None:
        """End the agent and do not start it again."""
        with self._lock:
            self._stopping.set()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
