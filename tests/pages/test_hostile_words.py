"""Whatever people call servers, keys and themselves is text on every page, never markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import SERVER_READY, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times
from tests.pages.people import go_signed_in, make_member, make_owner
from tests.pages.test_hostile_text import HARM, SHOWN

PAYLOADS = (
    "<img src=x onerror=window.__xss=1>",
    "<svg/onload=window.__xss=1>",
    "</title><script>window.__xss=1</script>",
    "\"'><b onmouseover=window.__xss=1>",
    "javascript:window.__xss=1",
    "${window.__xss=1}{{window.__xss=1}}",
)


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend that ada owns, with one server."""
    with Backend(auth=True) as running:
        make_owner(running)
        yield running


def is_harmless(tab: Tab, *texts: str) -> None:
    """Assert that the page shows these as text, and that nothing came of them."""
    for text in texts:
        assert tab.run(SHOWN, text), text
    assert tab.run(HARM) == [None, 0]
    assert tab.violations() == []


def say(tab: Tab, payload: str) -> None:
    """Give the server of this page a name, tags and a note."""
    tab.page.click(".more-menu summary")
    tab.page.click("text=Name, tags and note")
    for field in ("name", "tags", "note"):
        tab.page.fill(f"dialog [name={field}]", f"{field} {payload}".replace(",", ""))
    tab.page.click("dialog button:has-text('Save')")
    tab.page.wait_for_selector("#toast:has-text('Saved')")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_f85_hostile_words_are_shown_as_text(
    backend: Backend, open_tab: Callable[..., Tab], payload: str
) -> None:
    host = payload.replace("/", "-")
    feed(backend, Machine(host), times(5 * MINUTE_MS))
    make_member(backend, payload.replace(" ", "/").lower(), "viewer")
    tab = open_tab()
    path = f"/servers/{backend.parts.servers.all('default')[0].id}"
    go_signed_in(tab, path, SERVER_READY)
    say(tab, payload)
    is_harmless(tab, f"name {payload}", f"note {payload}", host)
    tab.page.click(".more-menu summary")
    tab.page.click("text=Delete this server")
    is_harmless(tab, f"Delete name {payload}?")
    tab.page.keyboard.press("Escape")
    tab.go_to_list()
    is_harmless(tab, f"name {payload}")

    tab.go("/settings/keys", "[name=label]")
    tab.page.fill("[name=label]", f"label {payload}")
    tab.page.click("form button:has-text('Make a key')")
    tab.page.click("dialog button:has-text('Done')")
    tab.page.wait_for_selector(".data")
    is_harmless(tab, f"label {payload}")
    tab.page.click(".data button")
    is_harmless(tab, f"Revoke the key label {payload}?")
    tab.go("/settings/users", ".data")
    is_harmless(tab, payload.replace(" ", "/").lower())
    tab.go("/settings/audit", ".data")
    is_harmless(tab, payload.replace(" ", "/").lower())
    tab.page.goto(f"{tab.url}/settings/%3Cimg%20src=x%20onerror=window.__xss=1%3E")
    tab.page.wait_for_selector("text=There is no such section")
    is_harmless(tab)
