"""An expanded chart comes into sight as a whole, its title below the bar."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import NARROW, WIDE, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times

KEY = "load"
LARGER = f"#chart-{KEY} .tool[title^=Larger]"
# The title stands two lines under the top of the window: there it slid under the bar.
SCROLL_PAST = f"""() => scrollBy(0,
  document.querySelector("#chart-{KEY}").getBoundingClientRect().top - 20)"""
PLACES = f"""() => ["h2", ".plot"].map((part) => {{
  const box = document.querySelector(`#chart-{KEY} ${{part}}`).getBoundingClientRect();
  return [box.top, box.bottom];
}}).concat([[document.querySelector(".topbar").getBoundingClientRect().bottom, innerHeight]])"""


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_title_of_an_expanded_chart_is_not_under_the_bar(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    feed(backend, Machine(), times(10 * MINUTE_MS))
    tab = open_tab(width=width)
    tab.go_to_server()
    tab.run(SCROLL_PAST)
    title, _, (bar, _) = tab.run(PLACES)
    assert title[0] < bar, "the title was not under the bar before"
    tab.run(f"() => document.querySelector('{LARGER}').click()")
    tab.until(f"() => document.querySelector('#chart-{KEY}[data-wide]')")
    title, plot, (bar, bottom) = tab.run(PLACES)
    assert bar <= title[0]
    assert plot[1] <= bottom
