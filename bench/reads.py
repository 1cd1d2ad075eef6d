"""How long a chart of one metric takes from each storage, beside VictoriaMetrics."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import peers
from client import Connection, get, percentile, post
from past import Past, Reader, blocks
from process import BenchError, start_backend
from sides import FILE, KINDS, MEMORY, POSTGRESQL_STORAGE, VICTORIA_METRICS
from table import Result, Target, table
from workload import STEP_MS, Fleet, fifty_fields

ASKED = 30
_WARM_UP = 5
_MINUTE_MS = 60_000
_HOUR_MS = 3_600_000
_POINTS = 400
_JSON = {"Content-Type": "application/json"}
METRICS = {
    "cpu_percent_total": "cpu_cpu_percent_total",
    "memory_used": "memory_memory_used",
    "ctx_switches_per_sec": "cpu_ctx_switches_per_sec",
}


@dataclass(frozen=True)
class Question:
    """A chart that ends at `end_ms`; the step is the one that Hostpulse chooses."""

    name: str
    length_ms: int
    step_ms: int


QUESTIONS = (Question("1 h", _HOUR_MS, 10_000), Question("6 h", 6 * _HOUR_MS, _MINUTE_MS))
LIMITS = (
    ("1 h", FILE, 2.0),
    ("1 h", POSTGRESQL_STORAGE, 4.0),
    ("6 h", FILE, 2.0),
    ("6 h", POSTGRESQL_STORAGE, 2.0),
)


@dataclass(frozen=True)
class Reading:
    """A server that is asked: the path of a question, and how many points its answer has."""

    name: str
    line: Connection
    path: Callable[[str, str, int, Question], str]
    points: Callable[[bytes], int]


def measure(quick: bool) -> Result:
    """Write the same hours to all, then ask them in turns."""
    end_ms = time.time_ns() // 1_000_000 // _MINUTE_MS * _MINUTE_MS
    length_ms = 6 * _HOUR_MS + 30 * _MINUTE_MS
    fleet = Fleet(end_ms - length_ms - STEP_MS, 5 if quick else 30, all_fields=fifty_fields())
    with ExitStack() as stack:
        readings = _written(stack, fleet, end_ms)
        waits = {
            question.name: ask_in_turns(readings, question, fleet.hostnames, end_ms)
            for question in QUESTIONS
        }
    result = Result("Reads: waiting time for one metric of one server, ms")
    rows, ratios = [], {}
    for question, found in waits.items():
        theirs = percentile(found[VICTORIA_METRICS], 50)
        for name, waited in found.items():
            p50, p95 = (percentile(waited, percent) for percent in (50, 95))
            ratios[question, name] = p50 / theirs
            rows.append([f"{question}, {name}", f"{p50:.2f}", f"{p95:.2f}", f"{p50 / theirs:.2f}"])
    result.parts.append(table(["", "p50", "p95", "x VM"], rows))
    result.parts.append(
        f"{ASKED} questions each, in turns, of {len(fleet.hostnames)} servers and {len(METRICS)} "
        f"metrics; {length_ms / _HOUR_MS:g} h of {len(fleet.fields)} numbers every "
        f"{STEP_MS // 1000} s were written before by a clock that ran with them. Hostpulse answers "
        "mean, least and most of each step, 10 s (1 h) and 60 s (6 h: 360 points, the step next "
        "to 300); VictoriaMetrics is asked for `avg_over_time` of the same step, with its cache "
        "of answers off. memory: is left out, it has no 6 h."
    )
    for question_name, side, limit in LIMITS:
        name = f"{question_name} of one metric, {side} beside VictoriaMetrics"
        result.targets.append(Target(name, ratios[question_name, side], limit))
    return result


def _written(stack: ExitStack, fleet: Fleet, end_ms: int) -> list[Reading]:
    names = [name for name in KINDS if name != MEMORY]
    urls = {name: KINDS[name].open(stack)[0] for name in names}
    root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hostpulse-bench-")))
    folders = {name: root / str(number) for number, name in enumerate(names)}
    program, port = peers.start_victoria_metrics()
    stack.enter_context(program)
    with ExitStack() as writing:
        pasts = [Past(urls[name], folders[name], fleet.now_ms) for name in names]
        for past in pasts:
            writing.callback(past.close)
        reader = Reader()
        for ticks in blocks(fleet, end_ms - STEP_MS):
            samples = reader.read(tick.report for tick in ticks)
            for past in pasts:
                past.take(samples)
            peers.write_lines(port, b"".join(tick.lines for tick in ticks))
    (newest,) = fleet.whole_ticks(1)
    readings = []
    for name in names:
        readings.append(read_from(stack, name, urls[name], folders[name], newest.report))
    line = Connection(port)
    return [*readings, Reading(VICTORIA_METRICS, line, _range_path, _range_points)]


def ask_in_turns(
    readings: list[Reading], question: Question, hosts: list[str], end_ms: int
) -> dict[str, list[float]]:
    """Ask all in turns, each time about another server or metric; return how long they took."""
    waits: dict[str, list[float]] = {reading.name: [] for reading in readings}
    for number in range(ASKED + _WARM_UP):
        metric = list(METRICS)[number // len(hosts) % len(METRICS)]
        for reading in readings if number % 2 else reversed(readings):
            path = reading.path(hosts[number % len(hosts)], metric, end_ms, question)
            waited = _ask(reading, path, question.length_ms // question.step_ms)
            if number >= _WARM_UP:
                waits[reading.name].append(waited)
    return waits


def read_from(stack: ExitStack, name: str, url: str, folder: Path, report: bytes) -> Reading:
    """Start a backend on a storage that was written; it hears of its servers by a report."""
    backend, port = start_backend(url, str(folder))
    stack.enter_context(backend)
    line = Connection(port)
    status, body = line.ask(post("/api/metrics", report, _JSON))
    if status != 200:
        raise BenchError(f"{name} did not take a report: {body[:300]!r}")
    return Reading(name, line, _history_path, _history_points)


def _ask(reading: Reading, path: str, wanted: int) -> float:
    """Return the ms that a chart took; its answer must have the points that are wanted."""
    status, body = reading.line.ask(get(path))
    waited = (time.perf_counter() - reading.line.sent_at) * 1000
    if status != 200 or not wanted <= reading.points(body) <= wanted + 1:
        raise BenchError(f"{path} was answered with {status}, not {wanted} points: {body[:300]!r}")
    return waited


def _history_path(host: str, metric: str, end_ms: int, question: Question) -> str:
    """Return the path of a chart of Hostpulse."""
    start_ms = end_ms - question.length_ms
    query = {"metrics": metric, "start": start_ms, "end": end_ms, "points": _POINTS}
    return f"/api/servers/{host}/history?{urlencode(query)}"


def _history_points(body: bytes) -> int:
    """Return how many points a chart of Hostpulse has."""
    return sum(value is not None for one in json.loads(body)["series"] for value in one["mean"])


def _range_path(host: str, metric: str, end_ms: int, question: Question) -> str:
    step = question.step_ms // 1000
    query = {
        "query": f'avg_over_time(host_{METRICS[metric]}{{name="{host}"}}[{step}s])',
        "start": (end_ms - question.length_ms) // 1000 + step,
        "end": end_ms // 1000,
        "step": f"{step}s",
        "nocache": 1,
    }
    return f"/api/v1/query_range?{urlencode(query)}"


def _range_points(body: bytes) -> int:
    return sum(len(one["values"]) for one in json.loads(body)["data"]["result"])
