"""Every number the agent sends has a line in the catalogue, and none of it is dropped."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from hostpulse import catalogue

from tests.backend_under_test import Backend, Clock
from tests.programs import command, environment, now_ms

HEAD = {"hostname", "timestamp", "tags", "custom"}
# what only text says; everything else is a number with a line in the catalogue
TEXTS = {
    ("agent", "version"), ("agent", "run"), ("agent", "boot_id"), ("agent", "errors"),
    ("agent", "interval_seconds"),
    ("system", "os"), ("system", "kernel"), ("system", "architecture"), ("system", "cpu_model"),
    ("system", "machine_id"), ("system", "virtualization"), ("io.network", "addresses"),
    ("disk.partitions", "device"), ("disk.partitions", "mountpoint"), ("disk.partitions", "fstype"),
}  # fmt: skip
OF_INSTANCES = {"io.network", "io.disk_io", "pressure", "raid"}
KNOWN = {(one.section, one.field) for one in catalogue.METRICS}


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What the agent of this machine would send."""
    line = command("hostpulse_agent", "--print", "--once", "--spool", "off")
    done = subprocess.run(line, env=environment(), check=True, capture_output=True, text=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def sections(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Split a report into its sections, those with instances once per instance."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name, part in report.items():
        if name in HEAD or name == "temperatures":
            continue
        parts = {"disk": "disk.partitions"}.get(name)
        if parts:
            found += [(parts, row) for row in part["partitions"]]
        elif name == "io":
            found += [(f"io.{kind}", row) for kind in part for row in part[kind].values()]
        elif name in OF_INSTANCES:
            found += [(name, row) for row in part.values()]
        else:
            found.append((name, part))
    return found


def test_the_agent_sends_nothing_that_the_catalogue_does_not_know(report: dict[str, Any]) -> None:
    sent = {(name, field) for name, part in sections(report) for field in part}
    assert len(sent) > 60
    assert sent - KNOWN - TEXTS == set()


def test_the_backend_takes_every_number_of_it(report: dict[str, Any]) -> None:
    with Backend(Clock(now_ms())) as backend:
        answer = backend.accept(report)
        assert answer["rejected"] == answer["rejected_fields"] == []
        offered = backend.json(f"/api/servers/{report['hostname']}/series")["series"]
    stored = {(one["metric"], one["instance"]) for one in offered}
    by_field = {(one.section, one.field): one.name for one in catalogue.METRICS}
    names = {by_field[name, field] for name, part in sections(report) for field in part
             if (name, field) in by_field}  # fmt: skip
    assert names - {metric for metric, _instance in stored} == set()
    cores = {instance for metric, instance in stored if metric == "cpu_percent_per_core"}
    assert cores == {str(n) for n in range(report["cpu"]["cpu_count_logical"])}


def test_the_backend_answers_the_report_as_it_was_sent(report: dict[str, Any]) -> None:
    with Backend(Clock(now_ms())) as backend:
        backend.accept(report)
        latest = backend.json(f"/api/servers/{report['hostname']}/latest")
    assert latest["report"] == report
