"""axe finds nothing serious on any page, in either theme, wide or narrow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import NARROW, THEMES, WIDE, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, feed_once, times

AXE = Path(__file__).parents[2] / "dashboard/node_modules/axe-core/axe.min.js"
SERIOUS = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)"""
everywhere = pytest.mark.parametrize(
    ("theme", "width"), [(theme, width) for theme in THEMES for width in (WIDE, NARROW)]
)


# axe adds styles of its own to what it looks at, so these tabs have no policy
def serious(tab: Tab) -> list[str]:
    """Return what axe calls serious or critical."""
    tab.run(AXE.read_text("utf-8") + "; undefined")
    return tab.run(SERIOUS)  # type: ignore[no-any-return]


@pytest.fixture
def fleet(backend: Backend) -> Backend:
    """One server down, one late, others up; one above its thresholds."""
    feed_once(backend, [Machine("stopped", cpu=20)])
    backend.clock.advance(2 * MINUTE_MS)
    feed_once(backend, [Machine("slow")])
    backend.clock.advance(30_000)
    now_ms = backend.clock.now_ms
    feed(
        backend, Machine(), [one for one in times(20 * MINUTE_MS, now_ms) if one % 300_000 > 60_000]
    )
    feed_once(backend, [Machine(), Machine("hot", ("a", "b", "c", "d"), cpu=82)])
    return backend


@everywhere
def test_the_list_is_accessible(
    fleet: Backend, open_tab: Callable[..., Tab], theme: str, width: int
) -> None:
    tab = open_tab(theme=theme, width=width, bypass_csp=True)
    tab.go_to_list()
    assert serious(tab) == []
    tab.go_to_list("?group=tag&density=S&sort=-cpu")
    assert serious(tab) == []
    tab.page.fill("#query", "nothing-of-the-kind cpu>x")
    tab.until("() => document.querySelector('.query__error:not([hidden])')")
    assert serious(tab) == []


@everywhere
def test_the_page_of_a_server_is_accessible(
    fleet: Backend, open_tab: Callable[..., Tab], theme: str, width: int
) -> None:
    tab = open_tab(theme=theme, width=width, bypass_csp=True)
    tab.go_to_server()
    assert serious(tab) == []
    tab.page.click(".range-menu summary")
    tab.page.click("#chart-cpu button[title='Show as table']")
    tab.page.click("#chart-network button[title^='Larger']")
    assert serious(tab) == []
    tab.go_to_server("stopped")
    assert serious(tab) == []


@everywhere
def test_empty_and_missing_are_accessible(
    open_tab: Callable[..., Tab], theme: str, width: int
) -> None:
    tab = open_tab(theme=theme, width=width, bypass_csp=True)
    tab.go("/", "text=No servers yet")
    assert serious(tab) == []
    tab.go("/servers/nobody", "text=No such server")
    assert serious(tab) == []


def test_axe_would_have_found_a_fault(fleet: Backend, open_tab: Callable[..., Tab]) -> None:
    """Proves that these tests can fail."""
    tab = open_tab(bypass_csp=True)
    tab.go_to_list()
    tab.run("() => document.querySelector('#theme').removeAttribute('aria-label')")
    tab.run("() => document.querySelector('#theme').removeAttribute('title')")
    assert [one.split(":")[0] for one in serious(tab)] == ["button-name"]
