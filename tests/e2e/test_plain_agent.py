"""What the seed's page alone promises works: its example, and an agent written from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.backend_under_test import eventually, seed_report
from tests.e2e.conftest import wait_for_samples
from tests.pages import charts
from tests.pages.browser import SERVER_READY, Tab, Tabs
from tests.programs import Program, Server, environment

NAME = "plain-1"
AGENT = Path(__file__).with_name("seed_agent.py")
DRAWN = """(key) => document.querySelector(`#chart-${key}`)?.checkVisibility()
  && hostpulse.charts[key].chart.data.datasets.some(
    (one) => one.data.filter((point) => point.y !== null).length >= 2)"""


@pytest.fixture(scope="module")
def plain_agent(server: Server, work: Path) -> Iterator[Program]:
    line = [sys.executable, str(AGENT), server.url, NAME]
    running = Program(line, work / "plain.log", environment(EVERY="1"))
    wait_for_samples(server, NAME, 4)
    yield running
    running.kill()


@pytest.fixture
def tab(tabs: Tabs, server: Server, plain_agent: Program) -> Tab:
    tab = tabs.open(server.url)
    tab.go_to_server(NAME, "?range=5m")
    return tab


def test_the_plain_agent_is_a_page_long_and_uses_psutil_and_requests_only() -> None:
    lines = [line for line in AGENT.read_text().splitlines() if line.strip()]
    assert len(lines) <= 50
    assert "hostpulse" not in AGENT.read_text()


@pytest.mark.parametrize("key", ["cpu", "memory", "load", "network"])
def test_a_plain_agent_gets_the_chart(tab: Tab, key: str) -> None:
    tab.until(DRAWN, key)


@pytest.mark.skipif(not psutil.disk_io_counters(perdisk=True), reason="psutil sees no disk here")
@pytest.mark.parametrize("key", ["disk_io", "disk_busy"])
def test_a_plain_agent_gets_the_chart_of_its_disks(tab: Tab, key: str) -> None:
    tab.until(DRAWN, key)


@pytest.mark.skipif(not psutil.disk_partitions(), reason="psutil sees no partition here")
def test_a_plain_agent_gets_the_chart_of_its_disk_space(tab: Tab) -> None:
    tab.until(DRAWN, "disk_space")
    assert "/" in charts.legend(tab, "disk_space")


def test_a_plain_agent_gets_the_tables_and_the_cores(tab: Tab) -> None:
    if (psutil.cpu_count() or 1) > 1:
        assert tab.page.locator("#chart-cores:visible").count() == 1
    names = tab.texts("section[aria-label='Network interfaces'] tbody th")
    assert set(names) <= set(psutil.net_io_counters(pernic=True))
    assert names


def test_no_report_of_the_plain_agent_loses_a_field(server: Server, plain_agent: Program) -> None:
    report = server.json(f"/api/servers/{NAME}/latest")["report"]
    answer = server.accept({**report, "hostname": "plain-copy"})
    assert answer["rejected_fields"] == []


def test_the_example_of_the_seed_gets_the_answer_of_the_seed(server: Server, tabs: Tabs) -> None:
    answer = server.accept(seed_report())
    assert answer["status"] == "success"
    assert answer["hostname"] == "server-name"
    latest = server.json("/api/servers/server-name/latest")
    assert latest["report"] == seed_report()
    tab = tabs.open(server.url)
    tab.go("/servers/server-name", "[data-state=empty]")
    assert "Newest sample: 2025-11-06 10:00:00." in tab.text("[data-state=empty]")
    tab.page.click("text=Go there")
    tab.page.wait_for_selector(SERVER_READY)
    eventually(lambda: charts.legend(tab, "cpu").get("total") == "45%")
    assert charts.legend(tab, "memory")["used"] == "4.00 GiB"
