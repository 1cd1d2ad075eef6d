"""What a fleet of 100 servers costs at its real pace, on each storage and on the peers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from client import percentile
from fleet import Paced, allow_sockets, fleet_start_ms, pace, ticks_to_come
from sides import Side, check_arrived, start_all
from table import Result, table
from workload import SERVERS, STEP_MS, Fleet, fifty_fields

_IDLE_SECONDS = 10
_HEAD_START_SECONDS = 3  # to write the requests and to connect


def measure(quick: bool) -> Result:
    """Let the fleet report to all at the same time, a client thread and a phase for each."""
    seconds, idle_seconds = (20, 5) if quick else (60, 20)
    with ExitStack() as stack:
        sides = start_all(stack)
        allow_sockets(len(sides) * SERVERS)
        idle = _idle(sides, idle_seconds)
        fleet = Fleet(fleet_start_ms(), all_fields=fifty_fields())
        batches = ticks_to_come(fleet, seconds)
        started = time.monotonic() + _HEAD_START_SECONDS
        phase = STEP_MS / 1000 / SERVERS / len(sides)
        with ThreadPoolExecutor(len(sides)) as clients:
            running = [
                clients.submit(pace, side, batches, SERVERS, started + number * phase)
                for number, side in enumerate(sides)
            ]
            paced = [each.result() for each in running]
        check_arrived(sides, fleet)
    result = Result("A fleet of 100 servers at its pace: CPU ms per second")
    rows = [_row(*each) for each in zip(sides, idle, paced, strict=True)]
    head = ["", "idle", "at work", "RSS MB", "answer p50 ms", "p99 ms", "client late p99 ms"]
    result.parts.append(table(head, rows))
    result.parts.append(
        f"{SERVERS} servers, each with {len(fleet.fields)} numbers every {STEP_MS // 1000} s on a "
        f"connection of its own, for {seconds} s; all sides at the same time. 10 ms per second are "
        "1 % of a core. The engine below a storage counts; of PostgreSQL's memory, what its "
        "processes share counts once."
    )
    return result


def _idle(sides: Sequence[Side], seconds: int) -> list[float]:
    """Return the CPU ms per second of each side while nobody asks anything."""
    time.sleep(_IDLE_SECONDS)  # the start is over
    before = [side.cpu_seconds() for side in sides]
    time.sleep(seconds)
    after = [side.cpu_seconds() for side in sides]
    return [1000 * (b - a) / seconds for a, b in zip(before, after, strict=True)]


def _row(side: Side, idle: float, paced: Paced) -> list[str]:
    return [
        side.name,
        f"{idle:.1f}",
        f"{1000 * paced.cpu_seconds / paced.seconds:.1f}",
        f"{paced.rss_bytes / 1e6:.0f}",
        *(f"{percentile(paced.answers.waits_ms, percent):.1f}" for percent in (50, 99)),
        f"{percentile(paced.answers.late_ms, 99):.0f}",
    ]
