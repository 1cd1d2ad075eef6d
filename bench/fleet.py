"""A fleet at its real pace: N servers that report every 5 s, for a while.

.venv/bin/python bench/fleet.py --servers 500 --seconds 60
"""

from __future__ import annotations

import argparse
import resource
import time

import client
from latency import accepted
from process import BenchError, Program, start_backend
from slow import SlowSenders
from table import table
from workload import STEP_MS, Fleet

_JSON = {"Content-Type": "application/json", "Connection": "keep-alive"}


def main() -> None:
    """Run the fleet that was asked for and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--slow", type=int, default=0, help="slow senders held open meanwhile")
    asked = parser.parse_args()
    _allow_sockets(asked.servers + asked.slow + 100)
    program, port = start_backend()
    with program:
        slow = SlowSenders(port, "/api/metrics", asked.slow) if asked.slow else None
        try:
            print(_pace(program, port, asked.servers, asked.seconds))
        finally:
            if slow:
                slow.stop()


def _allow_sockets(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def _pace(program: Program, port: int, servers: int, seconds: int) -> str:
    rounds = max(seconds * 1000 // STEP_MS, 1)
    fleet = Fleet(int(time.time() * 1000) - rounds * STEP_MS, servers)
    batches = fleet.batches(rounds * servers, 1)
    bodies = [client.post("/api/metrics", batch.report, _JSON) for batch in batches]
    lines = [client.Connection(port) for _ in range(servers)]
    cpu, started = program.cpu_seconds(), time.monotonic()
    waits_ms, late_ms = [], []
    for number, body in enumerate(bodies):
        due = started + number * STEP_MS / 1000 / servers
        time.sleep(max(0.0, due - time.monotonic()))
        late_ms.append((time.monotonic() - due) * 1000)
        line = lines[number % servers]
        if accepted(*line.ask(body)) != 1:
            raise BenchError("a report was not accepted")
        waits_ms.append((time.perf_counter() - line.sent_at) * 1000)
    used, wall = program.cpu_seconds() - cpu, time.monotonic() - started
    for line in lines:
        line.close()
    row = [
        str(servers),
        f"{100 * used / wall:.1f} %",
        f"{1000 * used / len(bodies):.2f} ms",
        f"{program.memory().rss_bytes / 1e6:.0f} MB",
        *(f"{client.percentile(waits_ms, percent):.1f} ms" for percent in (50, 99)),
        f"{client.percentile(late_ms, 99):.0f} ms",
    ]
    head = ["servers", "CPU of a core", "per report", "RSS", "p50", "p99", "client late p99"]
    return table(head, [row])


if __name__ == "__main__":
    main()
