"""How long people wait for lists and charts, and what that costs, at 1, 100 and 500 servers."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from statistics import fmean

from client import Connection, drive, get, percentile, post
from process import BenchError, Program, start_backend
from sides import accepting
from table import Result, table
from workload import STEP_MS, Fleet

LEVELS = (1, 100, 500)
SAMPLES = 1000  # what storage in memory keeps of each server
ASKED = 20
_WARM_UP = 3
_BODY = 100
_RECORDED = 10  # servers that are simulated; the others live through the same under other names
_HOUR_MS = 3_600_000
_accepted = accepting("memory")
_JSON = {"Content-Type": "application/json"}
_LIST = "/api/servers?spark=30m"
_HISTORY = "/api/servers/web-000/history?points=400"
# What the Server page asks for: METRICS of dashboard/server/plots.js.
PAGE_METRICS = (
    "cpu_percent_total,cpu_percent_user,cpu_percent_system,cpu_percent_iowait,cpu_percent_steal,"
    "cpu_percent_irq,cpu_percent_nice,cpu_percent_per_core,memory_used,memory_percent,"
    "memory_cached,memory_buffers,memory_zfs_arc,swap_used,swap_percent,swap_in_bytes_per_sec,"
    "swap_out_bytes_per_sec,load_average,bytes_recv_per_sec,bytes_sent_per_sec,errin_per_sec,"
    "errout_per_sec,dropin_per_sec,dropout_per_sec,read_bytes_per_sec,write_bytes_per_sec,"
    "disk_busy_percent,disk_await_ms,disk_percent,temperature_celsius,processes_total,"
    "processes_running,tcp_established"
)


def measure(quick: bool) -> Result:
    """Fill the memory of a server, ask the questions of the pages, and again with more servers."""
    result = Result("Lists and charts: waiting time and server CPU")
    rows: list[list[str]] = []
    held: list[str] = []
    samples = SAMPLES // 5 if quick else SAMPLES
    for servers in LEVELS[:2] if quick else LEVELS:
        program, port = start_backend()
        with program:
            end_ms = _fill(port, servers, samples)
            rows += _Visitor(program, port, servers, end_ms).ask_all()
            held.append(f"{program.memory().rss_bytes / 1e6:.0f} MB with {servers}")
    head = ["question", "servers", "p50 ms", "p95 ms", "CPU ms", "kB gzip", "kB plain"]
    result.parts.append(table(head, sorted(rows, key=lambda row: row[0])))
    result.parts.append(
        f"{ASKED} questions each, asked right after new reports of all servers (charts: of the one "
        f"server); {samples} samples a server in memory. Resident memory: {', '.join(held)}."
    )
    return result


def _fill(port: int, servers: int, samples: int) -> int:
    """Send the past of all servers; return when it ends, early enough for what is still to come."""
    questions = 5
    end_ms = int(time.time() * 1000) - questions * (ASKED + _WARM_UP) * STEP_MS
    recorded = min(servers, _RECORDED)
    made = Fleet(end_ms - samples * STEP_MS, recorded).batches(recorded * samples // _BODY, _BODY)
    bodies = [[batch.report for batch in made[number::recorded]] for number in range(recorded)]
    load = drive(port, _named(bodies, servers), 2, _accepted)
    if load.accepted != servers * samples:
        raise BenchError(f"{servers * samples} samples were sent, {load.accepted} accepted")
    return end_ms


def _named(bodies: list[list[bytes]], servers: int) -> Iterator[bytes]:
    for number in range(servers):
        like = number % len(bodies)
        for body in bodies[like]:
            own = body.replace(b'"web-%03d"' % like, b'"web-%03d"' % number)
            yield post("/api/metrics", own, _JSON)


class _Visitor:
    """Somebody at a page, while the servers go on reporting."""

    def __init__(self, program: Program, port: int, servers: int, end_ms: int) -> None:
        self._program = program
        self._line = Connection(port)
        self._servers = servers
        self._fleet = Fleet(end_ms, servers)
        self._first = Fleet(end_ms + 2 * (ASKED + _WARM_UP) * STEP_MS, 1)
        self._end_ms = end_ms + 2 * (ASKED + _WARM_UP) * STEP_MS
        self._port = port

    def ask_all(self) -> list[list[str]]:
        """Ask each question of the pages."""
        since = json.loads(self._line.ask(get(_LIST))[1])["now"]
        rows = [
            self._ask("1 list of servers, whole", self._all_report, lambda: _LIST),
            self._ask("2 list, all changed", self._all_report, lambda: f"{_LIST}&since={since}"),
            self._ask("3 one metric, 1 h", self._one_reports, self._chart("cpu_percent_total")),
            self._ask("4 Server page, 1 h", self._one_reports, self._chart(PAGE_METRICS)),
            self._ask(
                "5 Server page, newest", self._one_reports, self._chart(PAGE_METRICS, 3 * STEP_MS)
            ),
        ]
        self._line.close()
        return rows

    def _chart(self, metrics: str, length_ms: int = _HOUR_MS) -> Callable[[], str]:
        def path() -> str:
            start = self._end_ms - length_ms
            return f"{_HISTORY}&metrics={metrics}&start={start}&end={self._end_ms}"

        return path

    def _all_report(self) -> None:
        self._report(self._fleet, self._servers)

    def _one_reports(self) -> None:
        self._report(self._first, 1)
        self._end_ms += STEP_MS

    def _report(self, fleet: Fleet, servers: int) -> None:
        batches = fleet.batches(servers, 1)
        bodies = [post("/api/metrics", batch.report, _JSON) for batch in batches]
        if drive(self._port, bodies, 4, _accepted).accepted != servers:
            raise BenchError("a new report was not accepted")

    def _ask(self, name: str, before: Callable[[], None], path: Callable[[], str]) -> list[str]:
        waits_ms, cpu_ms = [], []
        for number in range(ASKED + _WARM_UP):
            before()
            cpu = self._program.cpu_seconds()
            status, body = self._line.ask(get(path(), {"Accept-Encoding": "gzip"}))
            waited = (time.perf_counter() - self._line.sent_at) * 1000
            if status != 200:
                raise BenchError(f"{path()} was answered with {status}: {body[:300]!r}")
            if number >= _WARM_UP:
                waits_ms.append(waited)
                cpu_ms.append((self._program.cpu_seconds() - cpu) * 1000)
        plain = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        waits = [f"{percentile(waits_ms, percent):.1f}" for percent in (50, 95)]
        sizes = [f"{len(kind) / 1e3:.1f}" for kind in (body, plain)]
        return [name, str(self._servers), *waits, f"{fmean(cpu_ms):.1f}", *sizes]
