"""A fleet behind one address that comes back after a day with all that it could not send."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from access import Keyed, with_keys
from callers import REFUSALS, Answers, Caller, run
from client import percentile
from fleet import STEP_SECONDS, allow_sockets, dues
from hostpulse_agent.batch_size import MOST_REPORTS, BatchSize
from hostpulse_agent.sender import body_of
from sides import FILE, start_hostpulse
from table import Result, Target, table
from workload import STEP_MS, Batch, Fleet, as_of

SERVERS = 500
BACKLOG_SAMPLES = 24 * 3600 * 1000 // STEP_MS
LIMIT_MS = 1000.0
_HEAD_START_SECONDS = 1.0


class Waiting:
    """What one agent could not send; it takes from the end as many as the server takes in time."""

    def __init__(self, side: Keyed, number: int, reports: Sequence[bytes], said: Answers) -> None:
        self._side, self._number, self._said = side, number, said
        self._reports = list(reports)
        self._size = BatchSize()
        self._sent = 0

    def next(self) -> bytes | None:
        """Write the next array, as long as there is one."""
        self._sent = min(self._size.reports, len(self._reports))
        array = self._reports[-self._sent :] if self._sent else []
        return _request(self._side, self._number, array) if array else None

    def take(self, waited_ms: float, status: int, body: bytes) -> None:
        """Count an answer and learn from it."""
        self._said.take(waited_ms, status, body)
        if status in REFUSALS:
            self._size.failed()
        else:
            self._size.answered(self._sent, waited_ms / 1000)
            del self._reports[-self._sent :]


def measure(quick: bool) -> Result:
    """Let all agents send what is live, and behind each live report an array of what waited."""
    ticks = 4 if quick else 12
    allow_sockets(SERVERS)
    with ExitStack() as stack:
        now_ms = time.time_ns() // 1_000_000
        first = Fleet(now_ms - ticks * MOST_REPORTS * STEP_MS, 1)
        side = with_keys(start_hostpulse(stack, FILE, auth=True), Fleet(0, SERVERS).hostnames)
        reports = [batch.report for batch in first.batches(ticks * MOST_REPORTS, 1)]
        first.go_on_at(time.time_ns() // 1_000_000)
        newest = [batch.report for batch in first.batches(ticks, 1)]
        live, waited = Answers(side.check), Answers(side.check)
        lives = [[_request(side, n, [each]) for each in newest] for n in range(SERVERS)]
        started = time.monotonic() + _HEAD_START_SECONDS
        callers = [
            Caller(side.port, lives[n], live, due, STEP_SECONDS, Waiting(side, n, reports, waited))
            for n, due in enumerate(dues(started, SERVERS))
        ]
        cpu = side.cpu_seconds()
        run(callers)
        seconds = time.monotonic() - started
        cpu = side.cpu_seconds() - cpu
        rss_bytes = side.rss_bytes()
    result = Result(f"{SERVERS} agents that come back with a backlog of a day")
    rows = [_row("live reports", live), _row("arrays of what waited", waited)]
    result.parts.append(
        table(["", "sent", "refused", "p50 ms", "p99 ms", "samples accepted"], rows)
    )
    whole = SERVERS * BACKLOG_SAMPLES
    result.parts.append(
        f"{waited.accepted / seconds:,.0f} samples of the backlog a second for {seconds:.0f} s: "
        f"{100 * waited.accepted / whole:.1f} % of {whole:,}. An agent sends the newest first, at "
        f"most {MOST_REPORTS} behind each live report, fewer while answers are late. {FILE} with "
        "sign-in and all limits as they are by default, one address, a key for each agent, gzip; "
        f"{len(first.fields)} numbers a sample; {100 * cpu / seconds:.0f} % of a core, "
        f"{rss_bytes / 1e6:.0f} MB. Waits of live reports are counted from when they were due, so "
        "they include that for the array before."
    )
    result.targets += [
        Target("live reports refused", live.refused, 0, f"of {len(live.waits_ms)}"),
        Target("live reports not stored", len(live.waits_ms) - live.accepted, 0, "reports"),
        Target("p99 of the wait of a live report", percentile(live.waits_ms, 99), LIMIT_MS, "ms"),
    ]
    return result


def _request(side: Keyed, number: int, reports: Sequence[bytes]) -> bytes:
    """Write the request in which a server brings numbers of the first one as its own."""
    body = as_of(number, body_of(reports))
    return side.request(Batch(len(reports), body, b""), zipped=True)


def _row(name: str, said: Answers) -> list[str]:
    waits: Sequence[str] = [f"{percentile(said.waits_ms, percent):.1f}" for percent in (50, 99)]
    return [name, f"{len(said.waits_ms):,}", f"{said.refused}", *waits, f"{said.accepted:,}"]
