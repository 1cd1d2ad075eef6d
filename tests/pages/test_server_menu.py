"""What people say of a server stands on its page and in the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import SERVER_READY, Tab
from tests.pages.people import go_signed_in, owned

MARK = """() => {
  const [row] = hostpulse.store.get().servers.values();
  const flags = ["cloned", "clock_ahead"];
  hostpulse.store.set({ servers: new Map([[row.id, { ...row, flags }]]) });
}"""


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend that ada owns, with one server."""
    with owned() as running:
        yield running


@pytest.fixture
def tab(backend: Backend, open_tab: Callable[..., Tab]) -> Tab:
    """The page of the server, and ada before it."""
    opened = open_tab()
    path = f"/servers/{backend.parts.servers.all('default')[0].id}"
    go_signed_in(opened, path, SERVER_READY)
    return opened


def choose(tab: Tab, words: str) -> None:
    tab.page.click(".more-menu summary")
    tab.page.click(f".more-menu button:has-text('{words}')")


def test_a_server_is_called_as_people_call_it(tab: Tab) -> None:
    choose(tab, "Name, tags and note")
    assert tab.run("() => document.activeElement.name") == "name"
    tab.page.fill("dialog [name=name]", "The web")
    tab.page.fill("dialog [name=tags]", "front, eu")
    tab.page.fill("dialog [name=note]", "Ask bob\nbefore a reboot")
    tab.page.click("dialog button:has-text('Save')")
    tab.page.wait_for_selector("#toast:has-text('Saved')")
    assert (tab.text("h1"), tab.text(".server-host")) == ("The web", "web-1")
    assert tab.texts(".server-name .tag") == ["front", "eu", "prod", "No key"]
    assert tab.text(".server-note") == "Ask bob\nbefore a reboot"
    assert tab.page.title().startswith("The web")
    tab.go_to_list("?q=the+web")
    assert tab.text(".name__link") == "The web"
    tab.go_to_list("?q=web-1")
    tab.page.click(".name__link")
    tab.page.wait_for_selector(SERVER_READY)
    choose(tab, "Name, tags and note")
    assert tab.page.input_value("dialog [name=tags]") == "front, eu"
    assert "Its agent sends: prod" in tab.text("dialog")
    tab.page.fill("dialog [name=name]", "")
    tab.page.click("dialog button:has-text('Save')")
    tab.until("() => document.querySelector('h1').textContent === 'web-1'")


def test_what_cannot_be_saved_is_said_in_the_dialog(tab: Tab) -> None:
    choose(tab, "Name, tags and note")
    tab.page.fill("dialog [name=tags]", "x" * 300)
    tab.page.click("dialog button:has-text('Save')")
    tab.page.wait_for_selector("dialog .problem:not(:empty)")
    assert tab.page.input_value("dialog [name=tags]") == "x" * 300


def test_a_server_is_paused_and_watched_again(tab: Tab) -> None:
    choose(tab, "Pause")
    tab.page.wait_for_selector(".server-notice[data-state=paused]")
    assert tab.text(".server-name .status") == "Paused"
    choose(tab, "Watch it again")
    tab.until("() => document.querySelector('.server-name .status').textContent.trim() === 'Up'")


def test_a_deleted_server_is_gone_after_a_question(tab: Tab) -> None:
    choose(tab, "Delete this server")
    tab.page.keyboard.press("Enter")  # the focus is on Cancel
    tab.until("() => !document.querySelector('dialog')")
    choose(tab, "Delete this server")
    tab.page.click("dialog .btn--danger")
    tab.page.wait_for_selector("dialog .problem:has-text('Type web-1')")
    tab.page.fill("#typed", "web-1")
    tab.page.click("dialog .btn--danger")
    tab.page.wait_for_selector("text=No servers yet")


def test_a_cloned_machine_is_marked_in_words(backend: Backend, tab: Tab) -> None:
    tab.go_to_list()
    tab.run(MARK)
    tab.until("() => document.querySelectorAll('.tag--warn').length === 2")
    assert tab.texts(".tag--warn") == ["Cloned", "Clock ahead"]
    assert "Two machines report" in str(tab.page.get_attribute(".tag--warn >> nth=0", "title"))
