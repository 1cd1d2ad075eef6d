"""Nothing jumps while a page loads, however slow the API is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import LIST_READY, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, feed_once, times

DELAY_MS = 800
MOST_SHIFT = 0.02
SLOW_API = f"""
const ask = globalThis.fetch;
globalThis.fetch = async (...request) => {{
  await new Promise((later) => setTimeout(later, {DELAY_MS}));
  return ask(...request);
}};
globalThis.__shifts = [];
new PerformanceObserver((list) => __shifts.push(...list.getEntries().map((one) => [one.value,
  one.sources.map(({{ node }}) => node?.className ?? node?.nodeName)])))
  .observe({{ type: "layout-shift", buffered: true }});
"""
HEIGHTS = "() => [...document.querySelectorAll('tr.line')].map((row) => row.offsetHeight)"


def shifted(tab: Tab) -> tuple[float, object]:
    """Return the sum of all shifts, and what moved."""
    tab.page.wait_for_timeout(500)
    shifts = tab.run("() => __shifts")
    return sum(value for value, _what in shifts), shifts


@pytest.mark.parametrize("width", [390, 1440])
def test_the_list_stands_still_while_it_loads(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    feed_once(backend, [Machine(f"web-{n}") for n in range(8)])
    tab = open_tab(width=width)
    tab.page.add_init_script(SLOW_API)
    tab.go("/", "tr.line--skeleton")
    placeholders = tab.run(HEIGHTS)
    tab.page.wait_for_selector(LIST_READY)
    tab.until("() => !document.querySelector('.line--skeleton')")
    amount, what = shifted(tab)
    assert amount <= MOST_SHIFT, what
    assert set(tab.run(HEIGHTS)) == set(placeholders)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_of_a_server_stands_still_while_it_loads(
    backend: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    feed(backend, Machine(), times(20 * MINUTE_MS))
    tab = open_tab(width=width)
    tab.page.add_init_script(SLOW_API)
    tab.go_to_server()
    amount, what = shifted(tab)
    assert amount <= MOST_SHIFT, what
