"""A server that stops reporting is Late, then Down, and shows no number of another time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.backend_under_test import Backend
from tests.pages import charts
from tests.pages.browser import Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, feed_once, times

ALIVE = [Machine("alpha"), Machine("zulu")]
STOPPED = Machine("mike")
METRIC_CELLS = ("cpu", "memory", "disk", "in", "out", "load", "uptime")
OFFLINE_MS = 75_000
ROWS = "table.servers tbody tr.line"


class Life:
    """Lets time pass for the backend and the servers that still report."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._passed = 0

    def __call__(self) -> None:
        self._backend.clock.advance(1000)
        self._passed += 1
        if self._passed % 5 == 0:
            feed_once(self._backend, ALIVE)


def status_of(tab: Tab, name: str) -> str:
    """Return what the status cell of a server says."""
    return tab.page.locator(ROWS, has_text=name).locator(".c-status").inner_text().strip()


@pytest.fixture
def after_stop(backend: Backend, open_tab: Callable[..., Tab]) -> tuple[Tab, list[str]]:
    """The Servers page 65 s after one of three stopped, and what its status said meanwhile."""
    feed_once(backend, [*ALIVE, STOPPED])
    tab = open_tab(running=True)
    tab.go_to_list()
    life = Life(backend)
    said = []
    for _ in range(13):
        tab.pass_seconds(5, each=life)
        said.append(status_of(tab, STOPPED.name))
    return tab, said


def test_a_stopped_server_is_late_before_it_is_down(after_stop: tuple[Tab, list[str]]) -> None:
    _tab, said = after_stop
    words = [text.split()[0] for text in said]
    assert words == sorted(words, key=["Up", "Late", "Down"].index)
    assert {"Up", "Late"} <= set(words)
    assert words[-1] == "Down"
    assert said[-1] == "Down 1 min"


def test_a_down_server_stands_first_and_shows_no_number(
    after_stop: tuple[Tab, list[str]],
) -> None:
    tab, _said = after_stop
    first = tab.page.locator(ROWS).first
    assert first.locator(".c-name a").inner_text() == STOPPED.name
    assert first.locator(".c-status svg.icon--down").count() == 1
    cells = {name: first.locator(f".c-{name} .value") for name in METRIC_CELLS}
    assert {name: cell.inner_text() for name, cell in cells.items()} == dict.fromkeys(cells, "–")
    assert first.locator(".meter:visible").count() == 0
    others = tab.page.locator(f"{ROWS} .c-cpu .value").all_inner_texts()[1:]
    assert others
    assert "–" not in others
    assert tab.page.title().startswith("(1 down) ")


def test_the_page_of_a_down_server_calls_no_old_value_the_current_one(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    feed(backend, STOPPED, times(50 * MINUTE_MS))
    backend.clock.advance(10 * MINUTE_MS)
    tab = open_tab()
    tab.go_to_server(STOPPED.name)
    assert "Down 10 min" in tab.text(".server-head .status")
    assert set(tab.texts("[data-part=kpis] .kpi__value")) == {"–"}
    for key in ("cpu", "memory", "network", "disk_io"):
        assert "no data" in charts.legend(tab, key).values(), key


TOLD = """(part) => [...document.querySelectorAll(`${part}, ${part} [title]`)]
  .map((node) => `${node.innerText} ${node.title}`).join(" ")"""


@pytest.mark.parametrize("part", ["[data-part=head]", "[data-part=tables]"])
def test_no_time_on_the_page_is_after_the_newest_sample(
    backend: Backend, open_tab: Callable[..., Tab], part: str
) -> None:
    at = times(10 * MINUTE_MS)
    backend.clock.advance(4000)  # what was sampled at :05 arrives at :09
    feed(backend, STOPPED, at)
    row = backend.json(f"/api/servers/{STOPPED.name}")
    assert (row["time"], row["last_seen"]) == (at[-1], at[-1] + 4000)
    backend.clock.advance(10 * MINUTE_MS)
    tab = open_tab()
    tab.go_to_server(STOPPED.name, "?range=1h")
    told = re.findall(r"\b\d\d:\d\d:\d\d\b", tab.run(TOLD, part))
    assert told
    assert set(told) == {"08:43:05"}
