"""A backend that people sign in to and that knows agents by their keys."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from process import SCRIPTS, BenchError
from sides import Side
from workload import Batch

HOME = "default"  # the organisation that is there from the start
_LEARNT_SECONDS = 3.0  # a backend looks for new keys each second


@dataclass(frozen=True)
class Keyed(Side):
    """A backend that is sent each report with the key of its server."""

    keys: dict[str, str] = field(default_factory=dict)

    def headers_of(self, batch: Batch) -> dict[str, str]:
        """Return the headers of the agent whose reports these are: its key among them."""
        first = batch.report.partition(b'"hostname":"')[2]
        hostname = first.partition(b'"')[0].decode()
        return {**self.headers, "Authorization": f"Bearer {self.keys[hostname]}"}


def with_keys(side: Side, hostnames: Sequence[str], tenant: str = HOME) -> Keyed:
    """Return the side with agents of an organisation that have enrolled."""
    words = ("enrol", "create", "--tenant", tenant, "--uses", str(len(hostnames)))
    token = command(side.data, *words)
    keys = {name: _enrolled(side.port, name, token) for name in hostnames}
    return Keyed(**{**{name: getattr(side, name) for name in Side.__dataclass_fields__}}, keys=keys)


def _enrolled(port: int, hostname: str, token: str) -> str:
    answer, _ = _post(port, "/api/enrol", {"hostname": hostname}, token)
    return str(answer["key"])


def first_owner(data: Path, port: int) -> dict[str, str]:
    """Make the first owner with the link that was left; return the headers of their browser."""
    return owner(port, (data / "setup-link").read_text(), "ann")


def owner(port: int, link: str, name: str) -> dict[str, str]:
    """Make an owner with the link that they were given; return the headers of their browser."""
    token = link.strip().partition("#")[2]
    given = {"token": token, "name": name, "password": "a rather long sentence"}
    _, headers = _post(port, "/api/links/use", given)
    return {"Cookie": headers["Set-Cookie"].partition(";")[0]}


def command(data: Path | None, *words: str) -> str:
    """Run `hostpulse` on the data of a backend that runs, until that knows of it.

    Returns the last line it prints.
    """
    run = [str(SCRIPTS / "hostpulse"), *words, "--data-dir", str(data)]
    done = subprocess.run(run, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"hostpulse {words[0]} {words[1]}: {done.stderr[-500:]}")
    time.sleep(_LEARNT_SECONDS)
    return done.stdout.strip().splitlines()[-1]


def _post(port: int, path: str, content: dict[str, Any], key: str = "") -> tuple[Any, Message]:
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(content).encode(), headers
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer), answer.headers
