"""What opening a Server page costs the server, with sign-in and without."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from access import first_owner
from client import Connection, drive, get, post
from latency import PAGE_METRICS
from process import Program, start_backend
from rounds import spread
from sides import accepting
from table import Result, Target, table
from workload import STEP_MS, Fleet

ROUNDS = 25
LIMIT_MS = 5.0
_WARM_UP = 3
_SAMPLES = 720  # an hour
_BATCH = 90
_JSON = {"Content-Type": "application/json"}
_CHARTS = f"history?metrics={PAGE_METRICS}&start=-1h&end=now&points=400"
_GROWTH = "history?metrics=disk_used&start=-7d&end=now&points=200"
SIGNED_IN, OPEN = "with sign-in", "without"


@dataclass(frozen=True)
class Visitor:
    """Somebody who opens the page of the one server, again and again."""

    program: Program
    line: Connection
    headers: Mapping[str, str]
    server: str

    def parts(self) -> dict[str, list[str]]:
        """Return what the page asks for; its files come from the browser's cache."""
        it = f"/api/servers/{self.server}"
        said = ["/api/session", "/api/catalogue", f"{it}/latest", it, f"{it}/series"]
        return {
            "the page and what it says": [f"/servers/{self.server}", *said],
            "its charts, 1 h": [f"{it}/{_CHARTS}"],
            "growth of disks, 7 d": [f"{it}/{_GROWTH}"],
        }

    def cpu_ms(self, paths: list[str]) -> float:
        """Ask for all; return what it cost the server."""
        before = self.program.cpu_seconds()
        for path in paths:
            self.line.ask(get(path, {**self.headers, "Accept-Encoding": "gzip"}))
        return (self.program.cpu_seconds() - before) * 1000


def measure(quick: bool) -> Result:
    """Open the page in turns at a backend with sign-in and at one without."""
    costs: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        visitors = {name: _visitor(stack, name == SIGNED_IN) for name in (SIGNED_IN, OPEN)}
        for number in range((ROUNDS // 3 if quick else ROUNDS) + _WARM_UP):
            for name, visitor in visitors.items():
                for part, paths in visitor.parts().items():
                    cost = visitor.cpu_ms(paths)
                    if number >= _WARM_UP:
                        costs.setdefault((part, name), []).append(cost)
        parts = list(visitors[SIGNED_IN].parts())
    result = Result("A page view: server CPU, ms")
    rows = [[part, *(spread(costs[part, name], 1) for name in (SIGNED_IN, OPEN))] for part in parts]
    result.parts.append(table(["", SIGNED_IN, OPEN], rows))
    result.parts.append(
        f"Median (least to most) of {ROUNDS} views in turns, of one server with {_SAMPLES} samples "
        "in memory; files of the page are in the browser's cache."
    )
    whole = sum(median(costs[part, SIGNED_IN]) for part in parts)
    beside = median(costs[parts[0], SIGNED_IN]) / median(costs[parts[0], OPEN])
    result.targets.append(Target("a page view with its charts", whole, LIMIT_MS, "ms"))
    result.targets.append(Target("page without its charts, sign-in beside none", beside, 1.25))
    return result


def _visitor(stack: ExitStack, auth: bool) -> Visitor:
    program, port = start_backend(auth=auth)
    stack.enter_context(program)
    headers = first_owner(program.folder / "data", port) if auth else {}
    end_ms = time.time_ns() // 1_000_000 // STEP_MS * STEP_MS
    batches = Fleet(end_ms - _SAMPLES * STEP_MS, 1).batches(_SAMPLES // _BATCH, _BATCH)
    bodies = [post("/api/metrics", batch.report, _JSON) for batch in batches]
    drive(port, bodies, 1, accepting("memory"))
    line = Connection(port)
    listed = json.loads(line.ask(get("/api/servers", headers))[1])
    return Visitor(program, line, headers, listed["servers"][0]["id"])
