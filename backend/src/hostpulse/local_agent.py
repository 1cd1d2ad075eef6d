"""The agent that `hostpulse up` runs beside the backend, as a program of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostpulse.config import Config

_STOP_SECONDS = 5
_LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - all addresses are reached by one


class AgentMissing(Exception):
    """There is no agent to run; the message says how to get one."""


def command(config: Config) -> list[str]:
    """Return the command line of the local agent; raises AgentMissing."""
    beside = shutil.which("hostpulse-agent", path=str(Path(sys.executable).parent))
    program = beside or shutil.which("hostpulse-agent")
    if program is None:
        raise AgentMissing(
            "`hostpulse up` needs the program hostpulse-agent: run `pip install ./agent`, or "
            "start the backend alone with `hostpulse serve`."
        )
    host = _LOCAL.get(config.host, config.host)
    host = f"[{host}]" if ":" in host else host
    line = [program, "--server", f"http://{host}:{config.port}"]
    if config.ingest_key_file:
        line += ["--key-file", config.ingest_key_file]
    return line


@contextmanager
def running(line: list[str] | None) -> Iterator[None]:
    """Run the agent while the block runs; do nothing without a command line."""
    if line is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="hostpulse-agent-") as spool:
        agent = subprocess.Popen([*line, "--spool", spool])
        try:
            yield
        finally:
            _stop(agent)


def _stop(agent: subprocess.Popen[bytes]) -> None:
    agent.terminate()
    try:
        agent.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()
