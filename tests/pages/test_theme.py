"""Light or dark: what was chosen stays, and is there before the first picture."""

from __future__ import annotations

from collections.abc import Callable

from tests.backend_under_test import Backend
from tests.pages.browser import THEMES, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times

THEME = "() => document.documentElement.dataset.theme"
EARLY = """
new MutationObserver((_, observer) => {
  if (!document.body) return;
  globalThis.__first = document.documentElement.dataset.theme;
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });
"""
LIGHTNESS = """(selector) => {
  const [red, green, blue] = getComputedStyle(document.querySelector(selector)).backgroundColor
    .match(/[0-9.]+/g).map(Number);
  return (red + green + blue) / 3;
}"""


def choose(tab: Tab, theme: str) -> None:
    while tab.page.get_attribute("#theme", "aria-label") != f"Theme: {theme}":
        tab.page.click("#theme")


def test_without_a_choice_the_page_follows_the_system(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    for theme in THEMES:
        tab = open_tab(theme=theme)
        tab.go("/", "#theme")
        assert tab.run(THEME) == theme
        other = "light" if theme == "dark" else "dark"
        tab.page.emulate_media(color_scheme=other)  # type: ignore[arg-type]
        tab.until("(theme) => document.documentElement.dataset.theme === theme", other)


def test_a_choice_stays_and_is_there_before_the_body(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    feed(backend, Machine(), times(5 * MINUTE_MS))
    tab = open_tab(theme="light")
    tab.page.add_init_script(EARLY)
    tab.go_to_list()
    choose(tab, "dark")
    assert tab.run(THEME) == "dark"
    tab.go_to_server()
    assert tab.run("() => __first") == "dark"
    assert tab.page.get_attribute("#theme", "aria-label") == "Theme: dark"
    assert tab.run(LIGHTNESS, "body") < 60


def test_a_change_of_the_theme_repaints_the_charts(
    backend: Backend, open_tab: Callable[..., Tab]
) -> None:
    feed(backend, Machine(), times(5 * MINUTE_MS))
    tab = open_tab(theme="light")
    tab.go_to_server()
    colour = "() => hostpulse.charts.cpu.chart.data.datasets[0].borderColor"
    light = tab.run(colour)
    choose(tab, "dark")
    assert tab.run(colour) != light
    choose(tab, "light")
    assert tab.run(colour) == light
