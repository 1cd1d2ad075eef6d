"""What one collection and its delivery cost the agent, beside its peers at equal duty."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from urllib.request import urlopen

import msgspec
import peers
from process import SCRIPTS, BenchError, Memory, Program, answers, free_port, start_backend
from sink import Sink
from table import Result, Target, table

INTERVAL_SECONDS = 5
WARM_UP_SECONDS = 15
MAX_RATIO = 0.75
MAX_RSS_MB = 36
AGENT, EXPORTER = "hostpulse-agent", "node_exporter (equal set)"
EXPORTER_ALL, COLLECTD = "node_exporter (default set)", "collectd (write_http)"
_EQUAL_SET = ("cpu", "loadavg", "meminfo", "filesystem", "diskstats", "netdev", "vmstat", "stat")


@dataclass
class Agent:
    """A program that collects each 5 s; `sent` counts what has arrived, where that shows."""

    program: Program
    sent: Callable[[], int] | None = None


@dataclass(frozen=True)
class Cost:
    """One window of one agent."""

    cpu_ms: float
    memory: Memory


def measure(quick: bool) -> Result:
    """Run all agents at the same time and read their clocks."""
    seconds, windows = (20, 1) if quick else (60, 3)
    with ExitStack() as stack:
        agents = _start(stack)
        time.sleep(WARM_UP_SECONDS)
        costs: dict[str, list[Cost]] = {name: [] for name in agents}
        for _ in range(windows):
            for name, cost in _window(agents, seconds).items():
                costs[name].append(cost)
    return _result(costs, seconds)


def _start(stack: ExitStack) -> dict[str, Agent]:
    backend, port = start_backend()
    stack.enter_context(backend)
    server = f"http://127.0.0.1:{port}"
    command = [str(SCRIPTS / AGENT), "--server", server, "--interval", str(INTERVAL_SECONDS)]
    ours = Program([*command, "--spool", "{folder}/spool", "--hostname", "bench"])
    agents = {AGENT: Agent(stack.enter_context(ours), lambda: _taken(server))}
    chosen = ["--collector.disable-defaults", *(f"--collector.{name}" for name in _EQUAL_SET)]
    for name, options in ((EXPORTER, chosen), (EXPORTER_ALL, [])):
        agents[name] = _exporter(stack, options)
    agents[COLLECTD] = Agent(stack.enter_context(_collectd(stack)))
    return agents


def _taken(server: str) -> int:
    with urlopen(f"{server}/api/health", timeout=10) as answer:
        return int(msgspec.json.decode(answer.read())["samples_5m"])


def _exporter(stack: ExitStack, options: list[str]) -> Agent:
    port = free_port()
    command = [peers.program(peers.NODE_EXPORTER), f"--web.listen-address=127.0.0.1:{port}"]
    program = stack.enter_context(Program([*command, *options]))
    program.wait_until(lambda: answers(port, "/"))
    scraper = _Scraper(f"http://127.0.0.1:{port}/metrics")
    stack.callback(scraper.stop)
    return Agent(program, lambda: scraper.scrapes)


class _Scraper:
    """Asks an exporter each 5 s by a new connection, as `curl` from a cron job would."""

    def __init__(self, url: str) -> None:
        self.scrapes = 0
        self._url = url
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            with urlopen(self._url, timeout=10) as answer:
                answer.read()
            self.scrapes += 1
            due += INTERVAL_SECONDS

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


def _collectd(stack: ExitStack) -> Program:
    sink = Sink()
    stack.callback(sink.server_close)
    stack.callback(sink.shutdown)
    # Only the running program has a folder, so its first words put the name of it in place.
    script = 'printf "%s" "$CONF" | sed "s|FOLDER|$PWD|" > conf && exec "$0" -f -C conf'
    command = ["/bin/sh", "-c", script, peers.program(peers.COLLECTD)]
    program = Program(command, {"CONF": _collectd_conf(sink.server_address[1])})
    try:
        program.wait_until(lambda: sink.posts > 0)
    except BenchError:
        program.stop()
        raise
    return program


def _collectd_conf(port: int) -> str:
    plugins = ("cpu", "load", "memory", "swap", "df", "disk", "interface", "write_http")
    return "\n".join(
        [
            "FQDNLookup false",
            f"Interval {INTERVAL_SECONDS}",
            'BaseDir "FOLDER"',
            'PIDFile "FOLDER/pid"',
            *(f"LoadPlugin {name}" for name in plugins),
            "<Plugin cpu>\nReportByCpu true\nReportByState true\nValuesPercentage true\n</Plugin>",
            f'<Plugin write_http>\n<Node "sink">\nURL "http://127.0.0.1:{port}/"',
            'Format "JSON"\nBufferSize 16384\n</Node>\n</Plugin>\n',
        ]
    )


def _window(agents: dict[str, Agent], seconds: int) -> dict[str, Cost]:
    before = {name: (one.program.cpu_seconds(), _sent(one)) for name, one in agents.items()}
    time.sleep(seconds)
    found = {}
    for name, agent in agents.items():
        cpu, sent = before[name]
        collections = seconds / INTERVAL_SECONDS
        if agent.sent and abs(_sent(agent) - sent - collections) > 1:
            raise BenchError(f"{name} made {_sent(agent) - sent} collections of {collections:g}")
        cpu_ms = (agent.program.cpu_seconds() - cpu) * 1000 / collections
        found[name] = Cost(cpu_ms, agent.program.memory())
    return found


def _sent(agent: Agent) -> int:
    return agent.sent() if agent.sent else 0


def _result(costs: dict[str, list[Cost]], seconds: int) -> Result:
    result = Result("Agent: CPU ms per collection and delivery, memory")
    ratios = {name: _ratio(found, costs[EXPORTER]) for name, found in costs.items()}
    rows = []
    for name, found in costs.items():
        spread = [cost.cpu_ms for cost in found]
        memory = found[-1].memory
        cells = [f"{memory.rss_bytes / 1e6:.1f}", f"{memory.pss_bytes / 1e6:.1f}"]
        text = f"{median(spread):.2f} ({min(spread):.2f}-{max(spread):.2f})"
        rows.append([name, text, f"{ratios[name]:.2f}", *cells])
    result.parts.append(table(["", "CPU ms", "ratio", "RSS MB", "PSS MB"], rows))
    windows = len(costs[AGENT])
    result.parts.append(
        f"Median (least to most) of {windows} x {seconds} s, all at the same time, each every "
        f"{INTERVAL_SECONDS} s; ratio: median of the windows' ratios. The agent posts to a real "
        "server, the exporters are scraped."
    )
    name = "agent CPU beside node_exporter (equal set)"
    result.targets.append(Target(name, ratios[AGENT], MAX_RATIO))
    rss = max(cost.memory.rss_bytes for cost in costs[AGENT]) / 1e6
    result.targets.append(Target("resident memory of the agent", rss, MAX_RSS_MB, "MB"))
    return result


def _ratio(found: list[Cost], exporter: list[Cost]) -> float:
    return median(a.cpu_ms / b.cpu_ms for a, b in zip(found, exporter, strict=True))
