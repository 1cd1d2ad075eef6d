"""The programs Hostpulse is measured against, from Debian."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

from process import BenchError, Program, answers, free_port

VICTORIA_METRICS = "victoria-metrics"
NODE_EXPORTER = "prometheus-node-exporter"
COLLECTD = "collectd"
_PACKAGES = {COLLECTD: ("collectd-core", "libyajl2")}  # write_http needs the second
_POLICY = Path("/usr/sbin/policy-rc.d")


def program(name: str) -> str:
    """Return the path of a peer, installed first where it is missing."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"
    if shutil.which(name, path=path) is None:
        _install(_PACKAGES.get(name, (name,)))
    found = shutil.which(name, path=path)
    if found is None:
        raise BenchError(f"{name} is missing: install the Debian package of that name.")
    return found


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


def victoria_metrics_rows(port: int) -> int:
    """Return how many numbers it has taken by line protocol."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.search(r'^vm_rows_inserted_total\{type="influx"\} (\d+)$', text, re.MULTILINE)
    return int(found[1]) if found else 0
