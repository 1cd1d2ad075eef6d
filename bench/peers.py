"""The programs Hostpulse is measured against, from Debian."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from client import Connection, post
from process import BenchError, Program, answers, free_port

sys.path.append(str(Path(__file__).parents[1]))
from tests.influxdb_server import InfluxDBServer
from tests.postgres_server import PostgresServer

VICTORIA_METRICS = "victoria-metrics"
PROMETHEUS = "prometheus"
INFLUXDB = "influxd"
POSTGRESQL = "postgres"
NODE_EXPORTER = "prometheus-node-exporter"
COLLECTD = "collectd"
ALL = (VICTORIA_METRICS, PROMETHEUS, INFLUXDB, POSTGRESQL, NODE_EXPORTER, COLLECTD)
_PACKAGES = {
    COLLECTD: ("collectd-core", "libyajl2"),  # write_http needs the second
    INFLUXDB: ("influxdb",),
    POSTGRESQL: ("postgresql",),
}
_POLICY = Path("/usr/sbin/policy-rc.d")


def program(name: str) -> str:
    """Return the path of a peer, installed first where it is missing."""
    found = _find(name)
    if found is None:
        _install(_PACKAGES.get(name, (name,)))
        found = _find(name)
    if found is None:
        raise BenchError(f"{name} is missing: install the Debian package of that name.")
    return found


def _find(name: str) -> str | None:
    newest_first = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin", *newest_first]
    return shutil.which(name, path=os.pathsep.join(folders))


def _install(packages: tuple[str, ...]) -> None:
    """Install packages without letting them start a service."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
    forbid = not _POLICY.exists() and not root
    if forbid:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            subprocess.run(
                [*root, *quiet, "apt-get", "-qq", *words], check=True, capture_output=True
            )
    except (OSError, subprocess.CalledProcessError) as error:
        raise BenchError(f"could not install {', '.join(packages)}: {error}") from error
    finally:
        if forbid:
            _POLICY.unlink()


def version(name: str) -> str:
    """Return the version of a peer's Debian package, empty where it is not installed."""
    command = ["dpkg-query", "-W", "-f", "${Version}", _PACKAGES.get(name, (name,))[0]]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def start_victoria_metrics() -> tuple[Program, int]:
    """Start it with its data in a folder of its own; return it and its port."""
    port = free_port()
    started = Program(
        [
            program(VICTORIA_METRICS),
            f"-httpListenAddr=127.0.0.1:{port}",
            "-storageDataPath={folder}/data",
            "-retentionPeriod=1",
            "-maxConcurrentInserts=1000",  # a slow sender takes one; its 8 would soon be gone
        ]
    )
    started.wait_until(lambda: answers(port, "/health"))
    return started, port


def write_lines(port: int, lines: bytes) -> None:
    """Give line protocol to VictoriaMetrics."""
    line = Connection(port)
    status, body = line.ask(post("/write?precision=ms", lines, {}))
    line.close()
    if status != 204:
        raise BenchError(f"VictoriaMetrics answered {status}: {body[:300]!r}")


def victoria_metrics_bytes(started: Program, port: int, rows: int) -> int:
    """Let it merge all `rows` into one part, as it would in time; return what that takes."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for task in ("force_flush", "force_merge"):
            _get(port, f"/internal/{task}")
        time.sleep(1)
        parts = list((started.folder / "data" / "data").glob("*/*_*/*_*_*_*_*"))
        if len(parts) == 1 and int(parts[0].name.partition("_")[0]) == rows:  # part of its name
            return sum(file.stat().st_size for file in parts[0].iterdir())
    raise BenchError(f"VictoriaMetrics did not merge its parts into one: {parts}")


def victoria_metrics_rows(port: int) -> int:
    """Return how many numbers it has taken by line protocol."""
    return _counted(port, r'vm_rows_inserted_total\{type="influx"\}')


def start_prometheus() -> tuple[Program, int]:
    """Start it as a receiver of remote writes; return it and its port."""
    port = free_port()
    # Requests of several connections overtake each other, which it refuses unless told otherwise.
    settings = "storage: {tsdb: {out_of_order_time_window: 1h}}"
    script = 'echo "$SETTINGS" > settings.yml && exec "$0" "$@"'
    started = Program(
        [
            *("/bin/sh", "-c", script, program(PROMETHEUS)),
            *("--config.file=settings.yml", "--storage.tsdb.path={folder}/data"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver"),
        ],
        {"SETTINGS": settings},
    )
    started.wait_until(lambda: answers(port, "/-/ready"))
    return started, port


def prometheus_samples(port: int) -> int:
    """Return how many numbers it has taken."""
    return _counted(port, r'prometheus_tsdb_head_samples_appended_total\{type="float"\}')


def _counted(port: int, counter: str) -> int:
    found = re.search(rf"^{counter} (\S+)$", _get(port, "/metrics"), re.MULTILINE)
    return int(float(found[1])) if found else 0


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        text: str = answer.read().decode()
        return text


def start_postgresql(stack: ExitStack) -> PostgresServer:
    """Start one of its own; it ends with `stack`."""
    server = PostgresServer(program)
    stack.callback(server.close)
    return server


def start_influxdb(stack: ExitStack) -> InfluxDBServer:
    """Start one of its own; it ends with `stack`."""
    server = InfluxDBServer(program)
    stack.callback(server.close)
    return server
