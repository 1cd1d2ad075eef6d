"""The command as it runs: what it prints, sends, listens on, gives away, tells systemd."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import psutil
import pytest
from hostpulse_agent.sender import gzipped

from tests.agent.server import Server, serving

CANARY = "canary-7f3a9c51"


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hostpulse_agent", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    agent = subprocess.Popen(
        [sys.executable, "-m", "hostpulse_agent", "--interval", "1", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield agent
    finally:
        agent.kill()
        agent.communicate()


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(CANARY + "\n")
    return file


def test_print_once_shows_one_whole_report_and_sends_nothing() -> None:
    ended = command("--once", "--print", "--hostname", "web-1", "--tags", "prod,region:fra")
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["hostname"] == "web-1"
    assert report["tags"] == ["prod", "region:fra"]
    assert report["agent"]["collectors_failed"] == 0
    assert 0 <= report["cpu"]["cpu_percent_total"] <= 100
    assert len(report["cpu"]["cpu_percent_per_core"]) == report["cpu"]["cpu_count_logical"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", report["timestamp"])


def test_a_reader_that_has_seen_enough_ends_print_without_a_traceback() -> None:
    with running("--print") as agent:
        assert agent.stdout is not None
        agent.stdout.readline()
        agent.stdout.close()
        assert agent.wait(10) == 0
        assert agent.stderr is not None
        assert agent.stderr.read() == ""
        agent.stdout = None


def test_every_report_of_a_process_names_its_run_and_another_process_is_another_run() -> None:
    runs = []
    for _ in range(2):
        with serving(Server()) as server, running("--server", server.url, "--spool", "off"):
            wait_for(lambda server=server: len(server.requests) >= 2)
        first, second = (request.reports[0]["agent"]["run"] for request in server.requests[:2])
        assert first == second
        assert re.fullmatch(r"[0-9a-f]{8}", first)
        runs.append(first)
    assert runs[0] != runs[1]


def test_once_sends_one_report_and_shows_the_answer() -> None:
    with serving(Server()) as server:
        ended = command("--once", "--server", server.url)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["status"] == "success"
    assert len(server.requests) == 1


def test_once_without_a_server_says_so_and_fails() -> None:
    with serving(Server()) as server:
        url = server.url
    ended = command("--once", "--server", url)
    assert ended.returncode == 1
    assert "cannot be reached" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_the_audit_shows_what_the_wire_would_carry_and_what_was_read(key_file: Path) -> None:
    ended = command("--audit", "--key-file", str(key_file))
    head, body, files = ended.stdout.split("\n\n", 2)
    report = json.loads(body)
    assert f"Content-Length: {len(gzipped(body.encode()))}" in head
    assert "Authorization: Bearer (the key, not shown)" in head
    assert {"/proc/stat", "/proc/meminfo", "/proc/1/mountinfo", str(key_file)} <= set(
        files.splitlines()
    )
    assert report["cpu"]["cpu_percent_total"] >= 0
    assert CANARY not in ended.stdout


def test_the_audit_names_every_file_that_the_agent_opens(
    needs_program: Callable[..., str], tmp_path: Path
) -> None:
    strace = needs_program("strace")
    trace = tmp_path / "trace"
    ended = subprocess.run(
        [strace, "-f", "-e", "trace=open,openat,statfs", "-o", str(trace), sys.executable, "-m",
         "hostpulse_agent", "--audit"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if ended.returncode != 0:
        pytest.skip("strace may not trace here")
    told = set(ended.stdout.splitlines())
    opened = set(re.findall(r'"(/(?:proc|sys)/[^"]*)"', trace.read_text(errors="replace")))
    own = re.compile(r"/proc/self/(statm|maps|status)$|/proc/(sys/vm|filesystems|cpuinfo)|/sys/fs")
    assert "/proc/stat" in opened
    assert not [path for path in opened if path not in told and not own.match(path)]


def test_f50_the_key_is_in_no_argument_variable_log_or_spool(
    key_file: Path, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    with serving(Server(judge=lambda _: (401, {}, {"error": f"no such key {0}"}))) as server:
        arguments = ("--server", server.url, "--key-file", str(key_file), "--spool", str(spool))
        with running(*arguments, PYTHONDEVMODE="1") as agent:
            wait_for(lambda: list(spool.glob("*.spool")))
            process = Path(f"/proc/{agent.pid}")
            shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            agent.send_signal(signal.SIGTERM)
            output, log = agent.communicate(timeout=5)
    assert server.requests[0].headers["Authorization"] == f"Bearer {CANARY}"
    assert CANARY.encode() not in shown
    assert CANARY not in output + log
    assert "the server refuses this agent (401): no such key 0" in log
    for path in spool.iterdir():
        assert CANARY.encode() not in path.read_bytes()


def test_the_agent_listens_on_nothing() -> None:
    with serving(Server()) as server, running("--server", server.url, "--spool", "off") as agent:
        wait_for(lambda: len(server.requests) >= 2)
        process = psutil.Process(agent.pid)
        listing = getattr(process, "net_connections", None) or process.connections
        connections = listing(kind="all")
        assert [one for one in connections if one.raddr], "the post's own connection is seen"
        assert not [one for one in connections if one.status == psutil.CONN_LISTEN]
        assert not [one for one in connections if one.type == socket.SOCK_DGRAM]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_agent_cleanly_within_two_seconds(number: signal.Signals) -> None:
    with (
        serving(Server()) as server,
        running("--server", server.url, "--spool", "off", "--interval", "300") as agent,
    ):
        wait_for(lambda: len(server.requests) >= 2)  # now it sleeps for minutes
        began = time.monotonic()
        agent.send_signal(number)
        _, log = agent.communicate(timeout=5)
        assert agent.returncode == 0
        assert time.monotonic() - began < 2.0
        assert "Traceback" not in log


def test_the_first_two_reports_come_within_three_seconds_and_bring_rates() -> None:
    with serving(Server()) as server:
        began = time.monotonic()
        with running("--server", server.url, "--spool", "off", "--interval", "300"):
            wait_for(lambda: len(server.requests) >= 2)
    first, second = (request.reports[0] for request in server.requests[:2])
    assert server.requests[1].at - server.requests[0].at == pytest.approx(1.0, abs=0.5)
    assert server.requests[1].at - began < 6.0
    for report in (first, second):
        assert "cpu_percent_total" in report["cpu"]
        assert "ctx_switches_per_sec" in report["cpu"]


def test_systemd_hears_ready_a_heartbeat_and_stopping(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, serving(Server()) as server:
        channel.bind(path)
        channel.settimeout(10)
        variables = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"}
        arguments = ("--server", server.url, "--spool", "off", "--interval", "300")
        with running(*arguments, **variables) as agent:
            heard = [channel.recv(500).decode()]
            began = time.monotonic()
            while heard.count("WATCHDOG=1") < 6:
                heard.append(channel.recv(500).decode())
            assert time.monotonic() - began < 8.0  # though it reports every 300 s
            agent.send_signal(signal.SIGTERM)
            while heard[-1] != "STOPPING=1":
                heard.append(channel.recv(500).decode())
            agent.communicate(timeout=5)
    assert heard[0].startswith("READY=1\nSTATUS=reporting to http")


def test_a_collector_that_fails_costs_its_section_and_is_told(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name, text in {
        "proc/stat": "cpu  1 0 1 9 0 0 0 0\ncpu0 1 0 1 9 0 0 0 0\nintr 1\nctxt 1\n",
        "proc/meminfo": "nonsense\n",
        "proc/self/mountinfo": "",
        "proc/uptime": "5.0 1.0\n",
        "etc/hostname": "odd\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    ended = command("--root", str(root), "--once", "--print")
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert "memory" not in report
    assert report["system"]["uptime_seconds"] == 5
    assert report["agent"]["collectors_failed"] == 1
    assert report["agent"]["errors"][0].startswith("memory: KeyError")
    assert "disk" not in report or report["disk"]["partitions"] == []
