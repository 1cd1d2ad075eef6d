"""A fleet at its real pace: N servers that report every 5 s, for a while.

.venv/bin/python bench/fleet.py --servers 500 --seconds 60
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import client
from process import BenchError
from sides import Side, start_hostpulse
from slow import SlowSenders
from table import table
from workload import STEP_MS, Batch, Fleet


@dataclass(frozen=True)
class Paced:
    """What a paced fleet cost: CPU in seconds, waits for answers, how late the client was."""

    cpu_seconds: float
    seconds: float
    rss_bytes: int
    waits_ms: list[float]
    late_ms: list[float]


def main() -> None:
    """Run the fleet that was asked for and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--slow", type=int, default=0, help="slow senders held open meanwhile")
    asked = parser.parse_args()
    allow_sockets(asked.servers + asked.slow)
    with ExitStack() as stack:
        side = start_hostpulse(stack)
        if asked.slow:
            stack.callback(SlowSenders(side.port, side.path, asked.slow).stop)
        batches = ticks_to_come(Fleet(fleet_start_ms(), asked.servers), asked.seconds)
        print(_table(pace(side, batches, asked.servers, time.monotonic()), asked.servers))


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


def pace(side: Side, batches: Sequence[Batch], servers: int, started: float) -> Paced:
    """Send each server's reports every 5 s on its own connection, from `started` (monotonic) on."""
    requests = [side.request(batch) for batch in batches]
    lines: list[client.Connection] = []
    waits_ms, late_ms = [], []
    cpu, first = side.cpu_seconds(), time.monotonic()
    for number, request in enumerate(requests):
        due = started + number * STEP_MS / 1000 / servers
        time.sleep(max(0.0, due - time.monotonic()))
        late_ms.append((time.monotonic() - due) * 1000)
        if number < servers:
            lines.append(client.Connection(side.port))
        line = lines[number % servers]
        accepted = side.check(*line.ask(request))
        waits_ms.append((time.perf_counter() - line.sent_at) * 1000)
        if side.is_ours and accepted != 1:
            raise BenchError("a report was not accepted")
    used, seconds = side.cpu_seconds() - cpu, time.monotonic() - first
    for line in lines:
        line.close()
    return Paced(used, seconds, side.rss_bytes(), waits_ms, late_ms)


def _table(paced: Paced, servers: int) -> str:
    row = [
        str(servers),
        f"{100 * paced.cpu_seconds / paced.seconds:.1f} %",
        f"{1000 * paced.cpu_seconds / len(paced.waits_ms):.2f} ms",
        f"{paced.rss_bytes / 1e6:.0f} MB",
        *(f"{client.percentile(paced.waits_ms, percent):.1f} ms" for percent in (50, 99)),
        f"{client.percentile(paced.late_ms, 99):.0f} ms",
    ]
    head = ["servers", "CPU of a core", "per report", "RSS", "p50", "p99", "client late p99"]
    return table(head, [row])


if __name__ == "__main__":
    main()
