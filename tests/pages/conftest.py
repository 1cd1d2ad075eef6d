"""What the page tests ask for: a browser, tabs, and a backend whose clock stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.backend_under_test import Backend
from tests.pages.browser import Tab, Tabs, chromium

# A module and not a session: Playwright's loop would be in the way of other tests' asyncio.
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def browser(needs_program: Callable[..., str]) -> Iterator[Browser]:
    """Headless Chromium for the tests of one file."""
    with chromium(needs_program("chromium", "chromium-browser", "google-chrome")) as running:
        yield running


@pytest.fixture
def tabs(browser: Browser) -> Iterator[Tabs]:
    """Opens tabs; at the end none may have met a script error or refused content."""
    opened = Tabs(browser)
    yield opened
    faults = [fault for tab in opened.opened for fault in (*tab.errors, *tab.violations())]
    opened.close()
    assert not faults


@pytest.fixture
def open_tab(tabs: Tabs, backend: Backend) -> Callable[..., Tab]:
    """Opens a tab on the backend; its clock shows the backend's time and stands still."""

    def opened(running: bool = False, **more: Any) -> Tab:
        tab = tabs.open(backend.url, **more)
        now = backend.clock.now_ms / 1000
        if running:
            tab.page.clock.install(time=now)
        else:
            tab.page.clock.set_fixed_time(now)
        return tab

    return opened
