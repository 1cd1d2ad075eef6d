"""What it costs the server to know each agent by its own key."""

from __future__ import annotations

import json
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from client import post
from rounds import Shape, in_turns, load, ratio, spread
from sides import MEMORY, Side, start_hostpulse
from table import Result, Target, table
from workload import Batch, Fleet

BEFORE_NOW_MS = 24 * 3600 * 1000
SHAPE = Shape("single posts, 8 connections", 1, 8, 6000)
WITHOUT, WITH = "without a key", "with the key of each agent"
LIMIT = 1.15


@dataclass(frozen=True)
class Keyed(Side):
    """A backend that is sent each report with the key of its server."""

    keys: dict[str, str] = field(default_factory=dict)

    def request(self, batch: Batch, zipped: bool = False) -> bytes:
        """Write the request that brings a batch of one report."""
        hostname = json.loads(batch.report)["hostname"]
        headers = {**self.headers, "Authorization": f"Bearer {self.keys[hostname]}"}
        return post(self.path, self.body(batch), headers)


def measure(rounds: int, quick: bool) -> Result:
    """Load two backends in turns, of which one knows the agents by keys."""
    fleet = Fleet(int(time.time() * 1000) - BEFORE_NOW_MS)
    with ExitStack() as stack:
        plain = replace(start_hostpulse(stack), name=WITHOUT)
        other = start_hostpulse(stack)
        values = {name: getattr(other, name) for name in Side.__dataclass_fields__}
        keyed = Keyed(**{**values, "name": WITH}, keys=_enrol(other.port, fleet.hostnames))
        sides = [plain, keyed]
        for side in sides:
            load(side, fleet.batches(1000, 1), SHAPE)
        divisor = 4 if quick else 1
        costs = in_turns(
            sides, (SHAPE,), rounds, lambda one: fleet.batches(one.requests // divisor, one.size)
        )
    result = Result("Keys: server CPU per sample, µs")
    beside = ratio(costs, SHAPE.name, WITH, WITHOUT)
    rows = [
        [name, spread([cost.server_us for cost in costs[SHAPE.name, name]], 1)]
        for name in (WITHOUT, WITH)
    ]
    result.parts.append(table(["", "µs"], rows))
    result.parts.append(
        f"Single posts on 8 connections to {MEMORY}, {len(fleet.hostnames)} servers; median (least "
        f"to most) of {rounds} rounds in turns; ratio {beside:.2f}, the median of the rounds'."
    )
    result.targets.append(Target("ingest with keys beside ingest without", beside, LIMIT))
    return result


def _enrol(port: int, hostnames: list[str]) -> dict[str, str]:
    made = _ask(port, "/api/enrolments", {"uses": len(hostnames)})
    return {
        name: _ask(port, "/api/enrol", {"hostname": name}, made["token"])["key"]
        for name in hostnames
    }


def _ask(port: int, path: str, content: dict[str, Any], key: str = "") -> Any:
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(content).encode(), headers
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)
