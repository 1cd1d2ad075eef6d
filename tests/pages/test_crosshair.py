"""One pointer reads all charts at the same instant."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest

from tests.backend_under_test import NOW_MS, Backend
from tests.pages import charts
from tests.pages.browser import Tab
from tests.pages.machines import GIB, MINUTE_MS, Machine, feed, times

AT = NOW_MS - 7 * MINUTE_MS
MACHINE = Machine()
CURSORS = "Object.fromEntries(Object.entries(charts).map(([key, one]) => [key, one.cursorTime]))"
TIMED_FRAMES = """
globalThis.__frames = [];
const ask = requestAnimationFrame;
globalThis.requestAnimationFrame = (draw) => ask((now) => {
  const start = performance.now();
  draw(now);
  __frames.push(performance.now() - start);
});
"""


def open_minutes(backend: Backend, open_tab: Callable[..., Tab], script: str = "") -> Tab:
    feed(backend, MACHINE, times(20 * MINUTE_MS))
    backend.clock.advance(1000)  # a window ends before its end
    tab = open_tab()
    if script:
        tab.page.add_init_script(script)
    tab.go_to_server(query="?range=15m")
    return tab


def point(tab: Tab, key: str, time_ms: float) -> None:
    tab.page.mouse.move(*charts.place(tab, key, time_ms))
    tab.until("(key) => hostpulse.charts[key].cursorTime !== null", key)


@pytest.mark.parametrize("key", ["cpu", "processes"])
def test_all_charts_and_the_cores_stand_at_the_same_instant(
    backend: Backend, open_tab: Callable[..., Tab], key: str
) -> None:
    tab = open_minutes(backend, open_tab)
    point(tab, key, AT)
    cursors = charts.read(tab, CURSORS)
    assert set(cursors) >= {*charts.KEYS, "cores"}
    assert set(cursors.values()) == {AT}
    time_of_day = "08:36:05"
    assert tab.text(f"#chart-{key} .plot__time") == time_of_day
    assert time_of_day in tab.text("#chart-cores .legend")


def test_all_legends_tell_the_values_of_that_instant(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_minutes(backend, open_tab)
    point(tab, "cpu", AT)
    assert charts.legend(tab, "cpu")["total"] == f"{MACHINE.cpu_at(AT):.0f}%"
    assert charts.legend(tab, "memory")["used"] == f"{MACHINE.memory_at(AT) / GIB:.2f} GiB"
    assert charts.legend(tab, "load")["1m"] == f"{MACHINE.load_at(AT):.2f}"
    assert charts.legend(tab, "network")["in"] == f"{MACHINE.received_at(AT) / 1e6:.2f} MB/s"
    assert charts.legend(tab, "disk_io") == {"read": "1.50 MB/s", "write": "2.50 MB/s"}
    assert charts.legend(tab, "disk_space") == {"/": "30%", "/srv": "50%"}
    assert charts.legend(tab, "temperature") == {"Package id 0": "45 °C"}


def test_without_the_pointer_the_legends_tell_the_newest_values(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_minutes(backend, open_tab)
    newest = f"{MACHINE.cpu_at(NOW_MS):.0f}%"
    assert charts.legend(tab, "cpu")["total"] == newest
    point(tab, "cpu", AT)
    tab.page.mouse.move(2, 2)
    tab.until("() => hostpulse.charts.cpu.cursorTime === null")
    assert charts.legend(tab, "cpu")["total"] == newest


def test_following_the_pointer_is_quick(backend: Backend, open_tab: Callable[..., Tab]) -> None:
    tab = open_minutes(backend, open_tab, TIMED_FRAMES)
    point(tab, "cpu", AT)
    tab.run("() => { __frames.length = 0; }")
    x, y = charts.place(tab, "cpu", AT)
    for step in range(50):
        tab.page.mouse.move(x + 2 * step, y)
        tab.page.wait_for_timeout(20)
    taken = tab.run("() => __frames")
    assert len(taken) > 25
    assert statistics.median(taken) <= 16
