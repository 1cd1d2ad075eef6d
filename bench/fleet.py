"""A fleet at its real pace: N servers that report every 5 s, for a while."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from access import with_keys
from callers import Answers, Caller, run
from client import percentile
from process import BenchError
from sides import FILE, Side, start_hostpulse
from slow import SlowSenders
from table import Result, Target, table
from workload import STEP_MS, Batch, Fleet

STEP_SECONDS = STEP_MS / 1000
SERVERS = 500
LIMIT_MS = 100.0
_HEAD_START_SECONDS = 1.0
_HEAD = ["CPU of a core", "per report", "RSS", "p50", "p99", "client late p99"]


@dataclass(frozen=True)
class Paced:
    """What a paced fleet cost: CPU in seconds, memory, and what became of its reports."""

    cpu_seconds: float
    seconds: float
    rss_bytes: int
    answers: Answers


def measure(slow: int, quick: bool) -> Result:
    """Let agents with keys of their own report while slow connections are held open."""
    seconds = 15 if quick else 60
    allow_sockets(SERVERS + slow)
    with ExitStack() as stack:
        fleet = Fleet(fleet_start_ms(), SERVERS)
        side = with_keys(start_hostpulse(stack, FILE, auth=True), fleet.hostnames)
        alone = pace(side, ticks_to_come(fleet, seconds), SERVERS)
        fleet.go_on_at(fleet_start_ms())
        batches = ticks_to_come(fleet, seconds)
        senders = SlowSenders(side.port, side.path, slow)
        stack.callback(senders.stop)
        beside = pace(side, batches, SERVERS)
        if not senders.alive():
            raise BenchError("the slow senders gave up meanwhile")
    said = beside.answers
    result = Result(f"{SERVERS} agents beside {slow} slow connections")
    rows = [["no slow connection", *_row(alone)], [f"{slow} held open", *_row(beside)]]
    result.parts.append(table(["", *_HEAD], rows))
    result.parts.append(
        f"{len(said.waits_ms)} reports in {seconds} s each time, to {FILE} with sign-in on, each "
        "agent with its own key, every 5 s on a connection of its own; waits are counted from when "
        "a report was due. A third of the slow connections is silent, a third sends a header, a "
        "third a body, a byte a second."
    )
    refused = alone.answers.refused + said.refused
    wait_ms = percentile(said.waits_ms, 99)
    result.targets += [
        Target("p99 of the wait of a report beside slow connections", wait_ms, LIMIT_MS, "ms"),
        Target("reports refused", refused, 0, "reports"),
    ]
    return result


def allow_sockets(count: int) -> None:
    """Let this process hold so many sockets beside what it has open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 100:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, hard), hard))


def fleet_start_ms() -> int:
    """Return the start of a fleet whose first tick is now."""
    return time.time_ns() // 1_000_000 - STEP_MS


def ticks_to_come(fleet: Fleet, seconds: int) -> list[Batch]:
    """Make the reports of all servers for so long, the servers one after another."""
    return fleet.batches(max(seconds * 1000 // STEP_MS, 1) * len(fleet.hostnames), 1)


def pace(side: Side, batches: Sequence[Batch], servers: int, started: float | None = None) -> Paced:
    """Send each server's reports every 5 s on its own connection, from `started` (monotonic) on."""
    requests = [side.request(batch) for batch in batches]
    started = started or time.monotonic() + _HEAD_START_SECONDS
    answers = Answers(side.check)
    callers = [
        Caller(side.port, requests[number::servers], answers, due, STEP_SECONDS)
        for number, due in enumerate(dues(started, servers))
    ]
    cpu, first = side.cpu_seconds(), time.monotonic()
    run(callers)
    used, seconds = side.cpu_seconds() - cpu, time.monotonic() - first
    if side.is_ours and answers.accepted + answers.refused != len(requests):
        raise BenchError("a report was not accepted")
    return Paced(used, seconds, side.rss_bytes(), answers)


def dues(started: float, servers: int) -> list[float]:
    """Return when each of them sends first: they are spread over the 5 s."""
    return [started + number * STEP_SECONDS / servers for number in range(servers)]


def _row(paced: Paced) -> list[str]:
    said = paced.answers
    return [
        f"{100 * paced.cpu_seconds / paced.seconds:.1f} %",
        f"{1000 * paced.cpu_seconds / len(said.waits_ms):.2f} ms",
        f"{paced.rss_bytes / 1e6:.0f} MB",
        *(f"{percentile(said.waits_ms, percent):.1f} ms" for percent in (50, 99)),
        f"{percentile(said.late_ms, 99):.0f} ms",
    ]
