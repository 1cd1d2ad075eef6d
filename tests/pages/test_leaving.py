"""A page that is left while its charts follow the window's size."""

from __future__ import annotations

from tests.backend_under_test import Backend
from tests.pages.browser import Tabs
from tests.pages.machines import MINUTE_MS, Machine, feed, times

RESIZE_AND_LEAVE = """() => new Promise((done) => {
  for (const { chart } of Object.values(hostpulse.charts)) chart?.resize(300, 150);
  document.querySelector(".brand").click();
  setTimeout(done, 300);
})"""


def test_a_page_left_right_after_a_resize_meets_no_error(tabs: Tabs, backend: Backend) -> None:
    feed(backend, Machine(), times(5 * MINUTE_MS))
    tab = tabs.open(backend.url)  # with the browser's own timers: Playwright's swallow errors
    tab.go_to_server()
    tab.run(RESIZE_AND_LEAVE)
    assert tab.page.url == f"{backend.url}/"
    assert tab.errors == []
