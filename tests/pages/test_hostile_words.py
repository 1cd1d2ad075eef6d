"""F85: whatever machines and people call things is text on every page: payloads times fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import pytest
from hostpulse.access.principal import ADMIN, DEFAULT_TENANT, Principal
from hostpulse.access.sessions import Client
from playwright.sync_api import Browser, Error

from tests.backend_under_test import Backend
from tests.pages.browser import SERVER_READY, Tab
from tests.pages.machines import MINUTE_MS, Machine, feed, times
from tests.pages.payloads import GROUPS, HARM, HARMLESS, PAYLOADS
from tests.pages.people import NAME, PASSWORD, go_signed_in, make_member, make_owner

pytestmark = pytest.mark.timeout(300)
BY = Principal(DEFAULT_TENANT, "test", ADMIN, "owner")
SHOWN = """(texts) => {
  const titles = [...document.querySelectorAll("[title]")].map((node) => node.title);
  const shown = [document.body.textContent, ...titles].join();
  return texts.filter((text) => !shown.includes(text));
}"""


@dataclass(frozen=True)
class Hostile(Machine):
    """A server that says the same words wherever it may say any."""

    def report(self, time_ms: int) -> dict[str, Any]:
        said = super().report(time_ms)
        words = self.name
        said["agent"] |= {"version": f"version {words}"}
        said["system"] |= {"architecture": f"architecture {words}", "cpu_model": f"model {words}"}
        said["disk"]["partitions"][1] |= {"device": f"device {words}", "fstype": f"fstype {words}"}
        said["io"]["network"][self.nic] |= {"addresses": [f"address {words}"]}
        return said


def hostile(words: str) -> Hostile:
    one = Hostile(words, tags=(f"tag {words}"[:128], f"tag:{words}"[:128]))
    kinds = ("os", "kernel", "mount", "nic", "disk", "sensor", "custom")
    return replace(one, **{kind: f"{kind} {words}" for kind in kinds})


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A backend that ada owns, with a server for each group of payloads."""
    with Backend(auth=True, person_requests_per_minute=10**6) as running:
        make_owner(running)
        for words in GROUPS:
            feed(running, hostile(words), times(2 * MINUTE_MS))
        for server in running.parts.servers.all(DEFAULT_TENANT):
            said = {"given_name": f"name {server.hostname}", "note": f"note {server.hostname}"}
            running.parts.registrar.say(DEFAULT_TENANT, server, **said)
        yield running


@pytest.fixture
def tab(backend: Backend, open_tab: Callable[..., Tab]) -> Tab:
    """A tab in which ada is signed in; a dialog of the browser itself is harm, too."""
    opened = open_tab()
    opened.page.on("dialog", lambda dialog: opened.errors.append(dialog.message))
    go_signed_in(opened)
    return opened


def is_harmless(tab: Tab, *texts: str) -> None:
    """Assert that the page shows these as text, and that nothing came of them."""
    assert tab.run(SHOWN, list(texts)) == []
    assert tab.run(HARM) == HARMLESS
    assert tab.violations() == []


def test_f85_the_list_shows_hostile_words_as_text(tab: Tab) -> None:
    tab.go_to_list("?cols=status,name,os,kernel,cpu,disk,temperature,agent")
    fields = ("name", "os", "kernel", "mount", "version")
    is_harmless(tab, *(f"{field} {words}" for field in fields for words in GROUPS))
    tab.go_to_list("?group=tag:tag")
    is_harmless(tab, *(words[:100] for words in GROUPS))


def test_f85_the_page_of_a_server_shows_hostile_words_as_text(tab: Tab, backend: Backend) -> None:
    for server in backend.parts.servers.all(DEFAULT_TENANT):
        words = server.hostname
        tab.go_to_server(server.id)
        for key in ("network", "disk_space", "temperature"):
            tab.page.click(f"#chart-{key} button[title='Show as table']")
        tab.page.select_option("#chart-network select", label=f"nic {words}")
        tab.page.hover("#chart-cpu canvas")
        fields = (
            "name", "note", "os", "kernel", "architecture", "address", "version", "mount", "device",
            "fstype", "nic", "disk", "sensor", "custom",
        )  # fmt: skip
        is_harmless(tab, words, *(f"{field} {words}" for field in fields))
        tab.page.click(".more-menu summary")
        tab.page.click("text=Name, tags and note")
        assert tab.page.input_value("dialog [name=name]") == f"name {words}"
        tab.page.keyboard.press("Escape")
        tab.page.click(".more-menu summary")
        tab.page.click("text=Delete this server")
        is_harmless(tab, f"Delete name {words}?")


def test_f85_the_settings_show_hostile_words_as_text(tab: Tab, backend: Backend) -> None:
    people, issuer = backend.parts.people, backend.parts.issuer
    for words in PAYLOADS:
        issuer.make_ingest(BY, f"label {words}"[:100])
        make_member(backend, words.replace(" ", "/").lower()[:64], "viewer")
    for words in GROUPS:
        people.accounts.sign_in(NAME, PASSWORD, Client("192.0.2.9", f"client {words}"), False)
    names = ["".join(filter(str.isprintable, words)).strip()[:64] for words in PAYLOADS]
    for number, name in enumerate(names):
        people.tenants.make(BY, f"tenant-{number}", name)
    tab.go("/settings/keys", ".data")
    is_harmless(tab, *(f"label {words}"[:100] for words in PAYLOADS))
    tab.page.click(".data button:has-text('Revoke') >> nth=0")
    is_harmless(tab)
    for section in ("users", "audit"):
        tab.go(f"/settings/{section}", ".data")
        is_harmless(tab, *(words.replace(" ", "/").lower()[:64] for words in PAYLOADS))
    tab.go("/settings/organisations", ".data")
    is_harmless(tab, *names)
    for section in ("tokens", "account", "general", "health", "about", "retention"):
        tab.page.goto(f"{tab.url}/settings/{section}")
        tab.page.wait_for_selector("main h1, main h2")
        is_harmless(tab)


def test_f85_an_address_shows_hostile_words_as_text(tab: Tab, backend: Backend) -> None:
    server = backend.parts.servers.all(DEFAULT_TENANT)[0].id
    words = " ".join(PAYLOADS)
    said = quote(words, safe="")
    tab.page.goto(f"{tab.url}/?q={said}&sort={said}&group=tag:{said}&cols={said}#{said}")
    tab.page.wait_for_selector("main:not(:empty)")
    tab.until("(words) => document.body.textContent.includes(words)", words)
    is_harmless(tab, words)
    wanted = "&".join(f"{name}={said}" for name in ("range", "start", "end", "metric", "nic"))
    tab.go(f"/servers/{server}?{wanted}#{said}", SERVER_READY)
    is_harmless(tab)
    for path in (f"/servers/{said}", f"/settings/{said}", f"/{said}"):
        tab.go(path, "main:not(:empty)")
        tab.page.wait_for_timeout(1000)
        is_harmless(tab)


def test_f85_these_words_do_harm_to_a_page_that_takes_them_for_markup(browser: Browser) -> None:
    """On a page with innerHTML, and without a policy, the same check finds most of them."""
    page = browser.new_page()
    caught = []
    for words in PAYLOADS:
        page.goto("about:blank")
        page.evaluate("(words) => { document.body.innerHTML = words; }", words)
        page.wait_for_timeout(20)
        if page.evaluate(HARM) != HARMLESS:
            caught.append(words)
    page.set_content(f"<p>{PAYLOADS[0]}</p>")
    page.wait_for_function("() => window.__xss === 1")
    page.close()
    assert len(PAYLOADS) >= 40
    assert len(caught) >= 30


def test_f85_the_policy_would_have_stopped_a_script(tab: Tab) -> None:
    """Proves that these tests would see a violation."""
    tab.run("() => document.body.setAttribute('style', 'top: 0')")
    tab.until("() => __violations.length === 1")
    with pytest.raises(Error, match="requires 'TrustedHTML'"):
        tab.run("() => document.body.insertAdjacentHTML('beforeend', '<b>text</b>')")
    tab.until("() => __violations.length === 2")
    tab.run("() => { __violations.length = 0; }")
