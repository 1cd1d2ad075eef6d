"""500 servers: only the rows in view are in the page, and a refresh is small."""

from __future__ import annotations

import gzip
import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hostpulse.api import pages
from playwright.sync_api import CDPSession

from tests.backend_under_test import Backend
from tests.pace import slowness
from tests.pages.browser import LIST_READY, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed_once

COUNT = 500
MINUTES = 30
MOST_ROWS = 60
MOST_DELTA_BYTES = 12_000
MOST_LIST_BYTES = 40_000
FLEET = [
    Machine(f"server-{n:03}", ("prod", f"rack:{n % 20}"), cpu=5 + n % 70, lag_ms=n * n * 977)
    for n in range(COUNT)
]
ROWS = "() => document.querySelectorAll('table.servers tbody tr').length"
DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
FIRST_ROW_SECONDS = 2.5  # a quarter as fast; the budget of 1.5 s is for an idle machine
USUAL_CPU_SECONDS, MOST_CPU_SECONDS = 0.1, 0.15
REFRESHES = 12
TRIES = 8


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, needs_program: Callable[..., str]) -> Path:
    """The dashboard as the wheel carries it."""
    folder = tmp_path_factory.mktemp("bundle")
    subprocess.run(
        [needs_program("node"), DASHBOARD / "build.mjs", "bundle", folder], check=True, timeout=60
    )
    return folder


@pytest.fixture(scope="module")
def backend(bundle: Path) -> Iterator[Backend]:
    """Half an hour of 500 servers, a sample each minute; it serves the built pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "dashboard_folder", lambda: bundle)
        running = Backend()
    with running:
        for _ in range(MINUTES):
            running.parts.registrar.save()
            running.clock.advance(MINUTE_MS)
            feed_once(running, FLEET)
        yield running


def zipped_size(backend: Backend, **query: object) -> int:
    answer = backend.request(
        "GET", "/api/servers", params=query, headers={"Accept-Encoding": "gzip"}, stream=True
    )
    body = answer.raw.read(decode_content=False)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(body))["total"] == COUNT
    return len(body)


def test_the_whole_list_is_small(backend: Backend) -> None:
    assert zipped_size(backend, spark="30m") <= MOST_LIST_BYTES


def test_a_refresh_with_every_number_changed_is_small(backend: Backend) -> None:
    since = backend.json("/api/servers", spark="30m")["now"]
    backend.clock.advance(5000)
    feed_once(backend, [replace(one, cpu=one.cpu + 3.3) for one in FLEET])
    answer = backend.json("/api/servers", spark="30m", since=since)
    assert answer["delta"]
    assert len(answer["servers"]) == COUNT
    assert zipped_size(backend, spark="30m", since=since) <= MOST_DELTA_BYTES


def test_only_rows_in_view_are_in_the_page(backend: Backend, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab()
    tab.go_to_list("?sort=name")
    assert tab.text(".tools__result") == "500 servers"
    assert tab.run(ROWS) <= MOST_ROWS
    assert tab.page.get_attribute("table.servers", "aria-rowcount") == str(COUNT)
    tab.page.mouse.wheel(0, 8000)
    tab.until("() => !document.body.textContent.includes('server-000')")
    assert tab.run(ROWS) <= MOST_ROWS
    tab.run("() => scrollTo(0, document.documentElement.scrollHeight)")
    last = tab.page.locator("tr.line", has_text="server-499")
    last.wait_for()
    assert last.get_attribute("aria-rowindex") == str(COUNT)
    box = last.bounding_box()
    assert box is not None
    assert 0 < box["y"] < tab.run("() => innerHeight")
    assert tab.run(ROWS) <= MOST_ROWS


def test_a_filter_finds_a_server_out_of_view(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go_to_list("?sort=name")
    tab.page.fill("#query", "server-451")
    tab.until("() => document.querySelector('.tools__result').textContent.includes('1 of 500')")
    assert tab.texts("tr.line .name__link") == ["server-451"]


def seconds_to_first_row(tab: Tab) -> float:
    """Load the list anew; return how long its first row took."""
    start = time.monotonic()
    tab.page.goto(tab.url, wait_until="commit")
    tab.page.wait_for_selector(LIST_READY)
    return time.monotonic() - start


def test_the_first_row_comes_soon_on_a_slow_machine(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab()
    tab.go_to_list()  # what is measured is the page, not the start of the browser
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    taken: list[float] = []
    # Others on this machine only ever add time: the fastest try is what the page takes.
    bound = FIRST_ROW_SECONDS * slowness()
    while len(taken) < TRIES and min(taken, default=bound + 1) > bound:
        taken.append(seconds_to_first_row(tab))
    assert min(taken) <= bound, taken


def cpu_seconds(session: CDPSession) -> float:
    """Return the processor time of the page's thread so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


def test_refreshes_do_not_hold_the_page_up(backend: Backend, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(running=True)
    tab.go_to_list()
    session = tab.page.context.new_cdp_session(tab.page)
    # Not the time on the wall: that grows with whatever else this machine does.
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = tab.run("() => hostpulse.store.get().answeredMs")
    taken = []
    for turn in range(REFRESHES):
        backend.clock.advance(5000)
        feed_once(backend, [replace(one, cpu=one.cpu + turn) for one in FLEET])
        start = cpu_seconds(session)
        tab.page.clock.run_for(5000)
        tab.until("(now) => hostpulse.store.get().answeredMs === now", backend.clock.now_ms)
        taken.append(cpu_seconds(session) - start)
    assert tab.run("() => hostpulse.store.get().answeredMs") >= before + 50_000
    assert min(taken) > 0
    slower = slowness()
    assert statistics.median(taken) <= USUAL_CPU_SECONDS * slower, taken
    assert sorted(taken)[-2] <= MOST_CPU_SECONDS * slower, taken
