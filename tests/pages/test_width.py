"""No page is wider than its window, whatever the names are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, feed_once, times

LONG = "a-server-with-a-name-of-forty-letters-01"
TAGS = ("production", "region:frankfurt", "database", "team:storage", "tier:gold", "rack:b17")
FLEET = [
    Machine(LONG, TAGS, mount="/var/lib/a/mount/point/that/is/long", nic="enp0s31f6-a-long-one"),
    *(Machine(f"{LONG[:-2]}{n:02}", TAGS, cores=64) for n in range(2, 5)),
]
WIDTHS = (390, 768, 1440, 1920)
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
def fleet(backend: Backend) -> Backend:
    assert len(LONG) == 40
    feed_once(backend, FLEET)
    feed(backend, FLEET[0], times(20 * MINUTE_MS))
    return backend


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_fits_its_window(fleet: Backend, open_tab: Callable[..., Tab], width: int) -> None:
    tab = open_tab(width=width)
    for query in ("", "?group=tag:region", "?density=S", "?q=no-such-server"):
        tab.go(f"/{query}", ".stage > div:not([hidden])")
        tab.until("() => document.querySelector('tr.line:not(.line--skeleton), .notice, .empty')")
        assert tab.run(OVERFLOW) == 0, query


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_server_fits_its_window(
    fleet: Backend, open_tab: Callable[..., Tab], width: int
) -> None:
    tab = open_tab(width=width)
    tab.go_to_server(LONG)
    assert tab.run(OVERFLOW) == 0
    tab.page.click(".range-menu summary")
    assert tab.run(OVERFLOW) == 0


def test_an_empty_list_fits_a_phone(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(width=390)
    tab.go("/", "text=No servers yet")
    assert tab.run(OVERFLOW) == 0
