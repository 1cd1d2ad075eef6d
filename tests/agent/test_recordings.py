"""What the agent makes of recorded machines: several kernels and two kinds of container."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostpulse_agent.collectors import COLLECTORS
from hostpulse_agent.report import Reporter, encoded

from tests.agent.recording import NAMES, RECORDINGS, Machine

AGENT = {"clock_offset_ms": 0, "boot_id": "6f1c1f1e-0000-4000-8000-000000000000"}


def play(name: str, place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the reports of the first and of the second moment."""
    machine = Machine(name, place)
    reporter = Reporter("web-1", ["prod"], 5, [make(machine.host) for make in COLLECTORS])
    reports = []
    for planned in (1763887385.0, 1763887395.0):
        report = json.loads(encoded(reporter.report(planned, dict(AGENT))))
        del report["agent"]["collect_ms"]
        reports.append(report)
        machine.advance()
    machine.released.set()
    return reports[0], reports[1]


@pytest.mark.parametrize("name", NAMES)
def test_the_second_report_of_a_recorded_machine_is_the_expected_one(
    name: str, tmp_path: Path
) -> None:
    expected = json.loads((RECORDINGS / name / "expected.json").read_text("utf-8"))
    assert play(name, tmp_path)[1] == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_first_report_has_no_number_that_needs_two_readings(name: str, tmp_path: Path) -> None:
    first, second = (json.dumps(report) for report in play(name, tmp_path))
    for word in ("_per_sec", "cpu_percent_", "busy_percent", "await_ms", "queue_length"):
        assert word not in first
    assert "cpu_percent_total" in second


@pytest.mark.parametrize("name", NAMES)
def test_no_report_holds_null_or_a_boolean(name: str, tmp_path: Path) -> None:
    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for one in value.values() for leaf in leaves(one)]
        if isinstance(value, list):
            return [leaf for one in value for leaf in leaves(one)]
        return [value]

    for report in play(name, tmp_path):
        assert not [leaf for leaf in leaves(report) if leaf is None or isinstance(leaf, bool)]


def test_a_counter_that_wrapped_gives_no_rate_for_its_interface(tmp_path: Path) -> None:
    network = play("linux-3.10", tmp_path)[1]["io"]["network"]
    assert network["eth0"]["bytes_recv"] == 5000
    assert not [field for field in network["eth0"] if field.endswith("_per_sec")]
    assert network["bond0"]["bytes_recv_per_sec"] == 100.0


def test_a_container_that_is_shown_its_host_s_cache_has_no_negative_memory(tmp_path: Path) -> None:
    memory = play("lxc", tmp_path)[1]["memory"]
    assert memory["memory_used"] == 0
    assert memory["memory_available"] == memory["memory_total"] == 524288 * 1024


def test_a_mount_that_does_not_answer_is_shown_without_numbers(tmp_path: Path) -> None:
    report = play("linux-3.10", tmp_path)[1]
    stuck = [one for one in report["disk"]["partitions"] if one["stuck"]]
    assert stuck == [
        {"device": "nas:/backup\\x", "mountpoint": "/mnt/backup disk", "fstype": "nfs4", "stuck": 1}
    ]
    assert report["agent"]["errors"] == ["disk: /mnt/backup disk does not answer"]
