"""Axes are honest: percent to 100, memory to what there is, round numbers between."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.backend_under_test import Backend
from tests.pages import charts
from tests.pages.browser import Tab
from tests.pages.machines import GIB, MINUTE_MS, Machine, feed, times

SCALE = "({ min, max, ticks }) => [min, max, ticks.map((tick) => tick.value)]"


def axis(tab: Tab, key: str) -> tuple[float, float, list[float]]:
    low, high, ticks = charts.read(tab, f"({SCALE})(charts['{key}'].chart.scales.y)")
    return low, high, ticks


def open_server(backend: Backend, open_tab: Callable[..., Tab], machine: Machine) -> Tab:
    feed(backend, machine, times(10 * MINUTE_MS))
    tab = open_tab()
    tab.go_to_server(machine.name)
    return tab


def test_a_quiet_cpu_is_drawn_on_a_whole_percent_axis(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_server(backend, open_tab, Machine(cpu=5.8))
    assert max(charts.read(tab, "charts.cpu.series.find((one) => one.key === 'total').max")) < 7.1
    assert axis(tab, "cpu") == (0, 100, [0, 25, 50, 75, 100])
    assert axis(tab, "disk_space")[:2] == (0, 100)


@pytest.mark.parametrize("total", [16 * GIB, 33_512_345_600, 2 * GIB - 4096, 768 * GIB])
def test_the_memory_axis_ends_at_the_memory_there_is(
    backend: Backend, open_tab: Callable[..., Tab], total: int
) -> None:
    tab = open_server(backend, open_tab, Machine(memory_bytes=total))
    low, high, ticks = axis(tab, "memory")
    assert (low, high) == (0, total)
    step = ticks[1]
    assert step.is_integer() if isinstance(step, float) else True
    assert int(step).bit_count() == 1
    assert ticks == [step * n for n in range(len(ticks))]
    assert ticks[-1] <= total < ticks[-1] + step
    assert 3 <= len(ticks) <= 6


def test_a_flat_value_has_room_above_it(backend: Backend, open_tab: Callable[..., Tab]) -> None:
    tab = open_server(backend, open_tab, Machine())
    low, high, ticks = axis(tab, "custom.queue_depth")
    values = charts.read(tab, 'charts["custom.queue_depth"].series[0].mean')
    assert {value for value in values if value is not None} == {4}
    assert low == 0
    assert high > 4
    assert ticks[-1] == high
    script = """() => {
      const { chart } = hostpulse.charts["custom.queue_depth"];
      return chart.scales.y.getPixelForValue(4) > chart.chartArea.top + 2;
    }"""
    tab.until(script)


WORDS_ON = """(key) => {
  const { chart } = hostpulse.charts[key];
  const [r, g, b] = getComputedStyle(document.documentElement)
    .getPropertyValue("--text-2").match(/[0-9a-f]{2}/gi).map((two) => parseInt(two, 16));
  const ratio = chart.currentDevicePixelRatio;
  const { left, top, right, bottom } = chart.chartArea;
  const box = [left, top, right - left, bottom - top].map((px) => Math.round(px * ratio));
  const { data } = chart.ctx.getImageData(...box);
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] === 255 && Math.abs(data[i] - r) + Math.abs(data[i + 1] - g)
      + Math.abs(data[i + 2] - b) < 24) count += 1;
  return count;
}"""


def test_no_words_lie_on_the_curves_of_two_axes(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    tab = open_server(backend, open_tab, Machine())
    assert tab.run(WORDS_ON, "cpu") > 0, "the words of a threshold are seen by this"
    assert tab.run(WORDS_ON, "disk_busy") == 0
    assert "busy 0–100%" in tab.text("#chart-disk_busy .panel__subtitle")
