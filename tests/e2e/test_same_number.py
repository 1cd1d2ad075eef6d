"""The number in the agent's report is the number on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backend_under_test import eventually
from tests.e2e.conftest import StartAgent, wait_for_samples
from tests.pages import charts
from tests.pages.browser import Tab, Tabs
from tests.programs import Server

NAME = "e2e-1"
ROW = """(name) =>
  [...hostpulse.store.get().servers.values()].find((one) => one.hostname === name)"""
CUSTOM = """
def get_custom_metrics():
    return {"queue_depth": 42, "workers": {"mail": 3, "web": 8}}
"""


@pytest.fixture(scope="module")
def report(server: Server, start_agent: StartAgent, work: Path) -> dict[str, Any]:
    """The newest report of an agent that was stopped a moment ago."""
    custom = work / "custom.py"
    custom.write_text(CUSTOM)
    agent = start_agent(server.url, NAME, "--custom-file", str(custom), "--tags", "e2e,at:home")
    wait_for_samples(server, NAME, 5)
    assert agent.interrupt() == 0
    return server.json(f"/api/servers/{NAME}/latest")["report"]  # type: ignore[no-any-return]


@pytest.fixture
def tab(tabs: Tabs, server: Server, report: dict[str, Any]) -> Iterator[Tab]:
    tab = tabs.open(server.url)
    tab.go_to_server(NAME, "?range=5m")
    yield tab


def last(tab: Tab, chart: str, series: str) -> float:
    """Return the newest value that a chart draws of a series."""
    values = charts.read(tab, f"charts.{chart}.series.find((one) => one.key === '{series}').mean")
    return [value for value in values if value is not None][-1]  # type: ignore[no-any-return]


def percent(value: float) -> str:
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"


def test_charts_end_with_the_reported_numbers(tab: Tab, report: dict[str, Any]) -> None:
    cpu, memory = report["cpu"], report["memory"]
    assert last(tab, "cpu", "total") == cpu["cpu_percent_total"]
    assert last(tab, "cpu", "user") == cpu["cpu_percent_user"]
    assert last(tab, "memory", "used") == memory["memory_used"]
    loads = [last(tab, "load", period) for period in ("1m", "5m", "15m")]
    assert loads == cpu["load_average"]
    for row in report["disk"]["partitions"]:
        assert last(tab, "disk_space", row["mountpoint"]) == row["percent"]
    assert last(tab, "processes", "total") == report["system"]["processes_total"]


def test_headline_numbers_are_the_reported_ones(tab: Tab, report: dict[str, Any]) -> None:
    cpu, memory, system = report["cpu"], report["memory"], report["system"]
    shown = dict(zip(tab.texts(".kpi__label"), tab.texts(".kpi__value"), strict=True))
    assert shown["CPU"] == percent(cpu["cpu_percent_total"])
    detail = tab.text("[data-kpi=memory] .kpi__detail")
    assert detail.startswith(percent(memory["memory_percent"]))
    facts = tab.text(".facts")
    assert system["os"] in facts
    assert f"kernel {system['kernel']}" in facts
    assert tab.texts(".server-name .tag") == ["e2e", "at:home"]


def test_the_list_tells_the_same(tabs: Tabs, server: Server, report: dict[str, Any]) -> None:
    tab = tabs.open(server.url)
    tab.go_to_list()
    row = tab.run(ROW, NAME)
    assert row["cpu_percent_total"] == report["cpu"]["cpu_percent_total"]
    assert row["memory_percent"] == report["memory"]["memory_percent"]
    fullest = max(report["disk"]["partitions"], key=lambda one: one.get("percent", 0))
    assert row["disk_percent"] == fullest["percent"]
    assert row["disk_mountpoint"] == fullest["mountpoint"]


def test_custom_numbers_reach_the_history_with_no_other_edit(
    server: Server, report: dict[str, Any]
) -> None:
    assert report["custom"] == {"queue_depth": 42, "workers": {"mail": 3, "web": 8}}
    offered = server.json(f"/api/servers/{NAME}/series")["series"]
    custom = {(one["metric"], one["instance"]) for one in offered if one["metric"][:7] == "custom."}
    assert custom == {
        ("custom.queue_depth", ""),
        ("custom.workers", "mail"),
        ("custom.workers", "web"),
    }
    query = {"metrics": "custom.workers,custom.queue_depth", "start": "-5m"}
    history = server.json(f"/api/servers/{NAME}/history", **query)
    newest = {
        (one["metric"], one["instance"]): [value for value in one["mean"] if value is not None][-1]
        for one in history["series"]
    }
    assert newest == {
        ("custom.queue_depth", ""): 42,
        ("custom.workers", "mail"): 3,
        ("custom.workers", "web"): 8,
    }
    named = {one["name"] for one in server.json("/api/catalogue")["metrics"]}
    assert {"custom.queue_depth", "custom.workers"} <= named


def test_the_stopped_agent_becomes_late_on_the_page(tab: Tab) -> None:
    eventually(lambda: tab.text(".server-head .status").startswith("Late"), 30)
