"""Reads the charts of a Server page: their state by the page's handle, their pixels."""

from __future__ import annotations

from typing import Any

from tests.pages.browser import Tab

KEYS = ("cpu", "memory", "load", "network", "disk_io", "disk_busy", "disk_space", "swap",
        "temperature", "processes")  # fmt: skip
WINDOWS = """() => Object.fromEntries(Object.entries(hostpulse.charts)
  .filter(([, one]) => one.chart)
  .map(([key, { chart }]) => [key, [chart.scales.x.min, chart.scales.x.max]]))"""
COLUMN = """([key, time, colour, opacity]) => {
  const { chart } = hostpulse.charts[key];
  const style = getComputedStyle(document.documentElement);
  const rgb = (name) =>
    style.getPropertyValue(name).match(/[0-9a-f]{2}/gi).map((two) => parseInt(two, 16));
  const [front, back] = [rgb(`--${colour}`), rgb("--surface")];
  const wanted = front.map((value, i) => value * opacity + back[i] * (1 - opacity));
  const ratio = chart.currentDevicePixelRatio;
  const x = Math.round(chart.scales.x.getPixelForValue(time) * ratio);
  const { top, bottom } = chart.chartArea;
  const height = Math.round((bottom - top) * ratio);
  const { data } = chart.ctx.getImageData(x, Math.round(top * ratio), 1, height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const cover = data[i + 3] / 255; // a canvas is see-through
    const seen = back.map((value, k) => data[i + k] * cover + value * (1 - cover));
    if (wanted.every((value, k) => Math.abs(value - seen[k]) <= 14)) count += 1;
  }
  return count;
}"""


def windows(tab: Tab) -> dict[str, list[float]]:
    """Return the [start, end] of every chart that is drawn."""
    return tab.run(WINDOWS)  # type: ignore[no-any-return]


def pixels(tab: Tab, key: str, time_ms: int, colour: str, opacity: float = 1) -> int:
    """Count the pixels of a colour in the chart's column at that time."""
    return tab.run(COLUMN, [key, time_ms, colour, opacity])  # type: ignore[no-any-return]


def place(tab: Tab, key: str, time_ms: float) -> tuple[float, float]:
    """Scroll a chart into view; return the page pixel in its middle at that time."""
    tab.page.locator(f"#chart-{key} canvas").scroll_into_view_if_needed()
    script = """([key, time]) => {
      const { chart, pixel } = hostpulse.charts[key];
      const { top, bottom } = chart.chartArea;
      return [pixel(time).x, chart.canvas.getBoundingClientRect().top + (top + bottom) / 2];
    }"""
    x, y = tab.run(script, [key, time_ms])
    return x, y


def legend(tab: Tab, key: str) -> dict[str, str]:
    """Return what the legend of a chart says, by series."""
    return tab.run("(key) => hostpulse.charts[key].legend", key)  # type: ignore[no-any-return]


def read(tab: Tab, expression: str) -> Any:
    """Evaluate an expression with `charts`, the page's handle on its charts."""
    return tab.run(f"() => {{ const {{ charts }} = hostpulse; return {expression}; }}")
