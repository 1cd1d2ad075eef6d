"""The real agent and the real backend understand each other."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from hostpulse_agent.collectors import COLLECTORS
from hostpulse_agent.config import load
from hostpulse_agent.report import Reporter, encoded
from hostpulse_agent.sender import Answer, Transport, body_of, gzipped

from tests.agent.compressed import Compressed, free_port
from tests.agent.recording import NAMES, Machine

pytest.importorskip("hostpulse.serve", reason="the backend needs Python 3.11 or newer")

AWAY_TICKS = 900


@contextmanager
def backend(port: int) -> Iterator[str]:
    """Run `hostpulse serve` as a process of its own while the block runs."""
    url = f"http://127.0.0.1:{port}"
    data = tempfile.TemporaryDirectory()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hostpulse",
            "serve",
            "--no-auth",
            "--port",
            str(port),
            "--data-dir",
            data.name,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 20.0
        while True:
            try:
                requests.get(url + "/api/health", timeout=2)
                break
            except requests.ConnectionError:
                assert time.monotonic() < until, "the backend did not start"
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)
        data.cleanup()


class Counting(Transport):
    """Remembers every answer."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.answers: list[dict[str, Any]] = []

    def post(self, body: bytes) -> Answer:
        answer = super().post(body)
        self.answers.append(dict(answer.fields()))
        return answer

    def total(self, field: str) -> int:
        return sum(answer.get(field, 0) for answer in self.answers)


def test_the_backend_away_for_900_ticks_costs_no_sample_and_no_duplicate(tmp_path: Path) -> None:
    port = free_port()
    agent = Compressed(f"http://127.0.0.1:{port}", tmp_path, through=Counting)
    counting = agent.transport
    assert isinstance(counting, Counting)
    with backend(port):
        agent.ticks(10)
    assert counting.total("accepted") == 10
    agent.ticks(AWAY_TICKS)
    assert counting.total("accepted") == 10
    with backend(port) as url:
        agent.ticks(60)
        agent.drain()
        latest = requests.get(url + "/api/servers/web-1/latest", timeout=5).json()
    assert counting.total("accepted") == len(agent.planned) == 10 + AWAY_TICKS + 60
    assert counting.total("duplicates") == counting.total("expired") == 0
    assert latest["time"] == round(agent.planned[-1] * 1000)


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    with backend(free_port()) as url:
        yield url


@pytest.mark.parametrize("name", NAMES)
def test_the_backend_takes_every_field_of_a_recorded_machine(
    name: str, tmp_path: Path, shared: str
) -> None:
    machine = Machine(name, tmp_path)
    reporter = Reporter(name, ["prod"], 5, [make(machine.host) for make in COLLECTORS])
    reports = []
    for _ in range(2):
        reports.append(encoded(reporter.report(time.time() + len(reports), {"clock_offset_ms": 0})))
        machine.advance()
    machine.released.set()
    answer = Transport(shared, lambda: None, "", 5).post(gzipped(body_of(reports))).fields()
    assert answer["accepted"] == 2
    assert answer["rejected"] == answer["rejected_fields"] == []
    latest = requests.get(f"{shared}/api/servers/{name}/latest", timeout=5).json()
    assert latest["report"] == json.loads(reports[-1])


def test_every_number_the_agent_sends_is_a_metric_of_the_catalogue(
    tmp_path: Path, shared: str
) -> None:
    for name in NAMES:
        machine = Machine(name, tmp_path / name)
        reporter = Reporter(f"c-{name}", [], 5, [make(machine.host) for make in COLLECTORS])
        reporter.prime()
        machine.advance()
        report = reporter.report(time.time(), {"clock_offset_ms": 0})
        machine.released.set()
        Transport(shared, lambda: None, "", 5).post(gzipped(encoded(report)))
        series = requests.get(f"{shared}/api/servers/c-{name}/series", timeout=5).json()["series"]
        known = {(one["metric"], one["instance"]) for one in series}
        missing = [leaf for leaf in numbers(report) if leaf not in known]
        assert missing == []


PLAIN = ("cpu", "memory", "system")
RENAMED = {
    "isup": "interface_up",
    "speed": "interface_speed_mbit",
    "busy_percent": "disk_busy_percent",
    "await_ms": "disk_await_ms",
    "queue_length": "disk_queue_length",
}


def numbers(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield metric and instance of each number, by the rules of the contract."""
    for section in PLAIN:
        yield from _of_whole_server(report.get(section, {}))
    for partition in report["disk"]["partitions"]:
        sizes = [field for field, value in partition.items() if not isinstance(value, str)]
        yield from ((f"disk_{field}", partition["mountpoint"]) for field in sizes)
    for kind in ("network", "disk_io"):
        yield from _of_instances(report.get("io", {}).get(kind, {}), "")
    for section, prefix in (("pressure", "pressure_"), ("raid", "raid_")):
        yield from _of_instances(report.get(section, {}), prefix)
    yield from (("temperature_celsius", sensor) for sensor in report.get("temperatures", {}))


def _of_whole_server(section: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field, value in section.items():
        if field == "load_average":
            yield from ((field, period) for period in ("1m", "5m", "15m"))
        elif isinstance(value, list):
            yield from ((field, str(core)) for core in range(len(value)))
        elif not isinstance(value, str):
            yield field, ""


def _of_instances(section: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for instance, fields in section.items():
        for field in fields.keys() - {"addresses"}:
            yield prefix + RENAMED.get(field, field), instance


def test_the_command_s_own_report_of_this_machine_is_taken_whole(shared: str) -> None:
    config, _ = load(["--server", shared], {}, "")
    ended = subprocess.run(
        [sys.executable, "-m", "hostpulse_agent", "--once", "--server", config.server],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    answer = json.loads(ended.stdout)
    assert answer["accepted"] == 1
    assert answer["rejected"] == answer["rejected_fields"] == []
