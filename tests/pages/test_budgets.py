"""What the built pages may weigh, ask for and keep; measured on the wheel."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Response

from tests.build import checkout
from tests.pages import charts
from tests.pages.browser import LIST_READY, SERVER_READY, Tab, Tabs
from tests.pages.machines import HOUR_MS, Machine, times
from tests.programs import Server, environment, now_ms

pytestmark = pytest.mark.timeout(300)
SCRIPT_BYTES = {"/": 60_000, "/servers/web-1": 130_000}
STYLE_BYTES = 10_000
REQUESTS = 10
MEGABYTE = 1 << 20
BATCH = 100
HIDE = """(hidden) => {
  Object.defineProperty(document, "visibilityState",
    { configurable: true, get: () => hidden ? "hidden" : "visible" });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
NO_REFRESH = """
const later = setTimeout;
globalThis.setTimeout = (call, ms, ...more) => later(call, ms >= 1000 ? 1e9 : ms, ...more);
"""
INSTANCES = "Object.keys(charts.cpu.chart.constructor.instances).length"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel of a clone was installed."""
    work = tmp_path_factory.mktemp("wheel")
    clone = checkout.copy_to(work / "clone")
    checkout.lend_node_modules(clone / "dashboard")
    wheel = checkout.build(clone / "backend", "wheel", work / "wheels")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(work / "site"), str(wheel)], check=True)
    return work / "site"


@pytest.fixture(scope="module")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The installed backend with an hour of two servers."""
    env = environment(PYTHONPATH=str(installed))
    running = Server(tmp_path_factory.mktemp("server") / "log", env=env)
    for machine in (Machine(), Machine("db-1")):
        at = times(HOUR_MS, now_ms() // 5000 * 5000)
        for first in range(0, len(at), BATCH):
            running.accept([machine.report(one) for one in at[first : first + BATCH]])
    yield running
    running.kill()


@pytest.mark.parametrize("path", SCRIPT_BYTES)
def test_a_page_is_light_and_needs_no_other_origin(tabs: Tabs, server: Server, path: str) -> None:
    tab = tabs.open(server.url)
    tab.page.add_init_script(NO_REFRESH)  # what a slow machine asks twice is no weight
    answers: list[Response] = []
    tab.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108
    to_id = server.json("/api/servers/web-1")["id"]  # as the list links it
    tab.go(path.replace("web-1", to_id), LIST_READY if path == "/" else SERVER_READY)
    seen = [answer for answer in answers if answer.status == 200]
    assert all(answer.url.startswith(f"{server.url}/") for answer in seen)
    sizes: dict[str, int] = {}
    for answer in seen:
        kind = answer.request.resource_type
        sizes[kind] = sizes.get(kind, 0) + len(gzip.compress(answer.body(), 5))
    assert sizes["script"] <= SCRIPT_BYTES[path], sizes
    assert sizes["stylesheet"] <= STYLE_BYTES, sizes
    asked = [url for url in tab.requested if not url.startswith("data:")]
    assert len(asked) <= REQUESTS, asked
    assert tab.run("() => performance.getEntriesByType('resource').length") > 3


def test_scripts_of_the_wheel_come_from_the_wheel(tabs: Tabs, server: Server) -> None:
    tab = tabs.open(server.url)
    tab.go_to_server()
    names = [url.rpartition("/")[2] for url in tab.requested if url.endswith(".js")]
    assert sorted(name.split("-")[0] for name in names) == ["app", "charts", "theme"]


def test_the_list_does_not_load_the_charts(tabs: Tabs, server: Server) -> None:
    tab = tabs.open(server.url)
    tab.go_to_list()
    assert not [url for url in tab.requested if "/charts-" in url]


@pytest.mark.parametrize("path", SCRIPT_BYTES)
def test_a_hidden_page_asks_nothing_after_a_minute(tabs: Tabs, server: Server, path: str) -> None:
    tab = tabs.open(server.url)
    tab.page.clock.install(time=now_ms() / 1000)
    tab.go(path, LIST_READY if path == "/" else SERVER_READY)
    before = len(tab.requested)
    tab.pass_seconds(12)
    assert len(tab.requested) > before, "a page in view refreshes"
    tab.run(HIDE, True)
    tab.pass_seconds(61)
    rested = len(tab.requested)
    tab.pass_seconds(120)
    assert len(tab.requested) == rested
    tab.run(HIDE, False)
    tab.pass_seconds(1)
    assert len(tab.requested) > rested, "it asks once it is seen again"


def heap(tab: Tab) -> float:
    """Return the bytes in use after a collection."""
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used


def change_range(tab: Tab, key: str) -> None:
    tab.page.keyboard.press(key)
    tab.until("() => !document.querySelector('[data-loading]')")


def switch_pages(tab: Tab) -> None:
    tab.page.click(".brand")
    tab.page.wait_for_selector(LIST_READY)
    tab.page.click("text=web-1")
    tab.page.wait_for_selector(SERVER_READY)
    tab.until("() => hostpulse.charts.cpu?.chart && !document.querySelector('[data-loading]')")


def test_many_ranges_and_page_switches_leave_nothing_behind(
    tabs: Tabs, server: Server, rounds: int
) -> None:
    tab = tabs.open(server.url)
    tab.go_to_server()
    for key in "1232":
        change_range(tab, key)
    switch_pages(tab)
    before = heap(tab)
    for turn in range(2 * rounds):
        change_range(tab, "123"[turn % 3])
    for _ in range(rounds // 2):
        switch_pages(tab)
    assert heap(tab) - before <= 10 * MEGABYTE
    drawn = tab.page.locator("[id^=chart-]:not(#chart-cores) canvas:visible").count()
    assert charts.read(tab, INSTANCES) == drawn >= len(charts.KEYS)
