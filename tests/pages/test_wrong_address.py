"""A browser at an address that is none gets a page; a program gets a sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.backend_under_test import Backend
from tests.pages.browser import NARROW, WIDE, Tab

WORDS = "There is no page at this address"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/nope", "/fleet", "/servers", "/settings/a/b", "//x", "/apis"])
def test_a_browser_is_shown_that_there_is_no_page(
    backend: Backend, open_tab: Callable[..., Tab], path: str
) -> None:
    tab = open_tab(width=WIDE)
    answer = tab.page.goto(f"{backend.url}{path}")
    assert answer
    assert answer.status == 404
    tab.page.wait_for_selector(f"text={WORDS}")
    again = tab.page.reload()
    assert again
    assert again.status == 404
    tab.page.wait_for_selector(f"text={WORDS}")


def test_the_missing_page_leads_back_on_a_phone(open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(width=NARROW)
    tab.go("/nope", f"text={WORDS}")
    assert tab.run("() => document.documentElement.scrollWidth - innerWidth") == 0
    tab.page.click("text=Go to the servers")
    tab.page.wait_for_selector("text=No servers yet")


def test_a_page_that_was_kept_is_sent_again_with_its_404(backend: Backend) -> None:
    first = backend.request("GET", "/", headers={"Accept": BROWSER})
    assert first.status_code == 200
    headers = {"Accept": BROWSER, "If-None-Match": first.headers["ETag"]}
    for path in ("/nope", "/servers/nobody"):
        answer = backend.request("GET", path, headers=headers)
        assert (answer.status_code, answer.text) == (404, first.text)


PROGRAMS = [("GET", "*/*"), ("GET", "application/json"), ("GET", None), ("POST", BROWSER)]


@pytest.mark.parametrize(("method", "accept"), PROGRAMS)
def test_a_program_at_a_wrong_address_gets_a_sentence(
    backend: Backend, method: str, accept: str | None
) -> None:
    answer = backend.request(method, "/nope", headers={"Accept": accept})
    assert answer.status_code == 404
    assert "nothing at this address" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/nope", "/api", "/static/none.js", "/static"])
def test_below_the_api_and_the_files_even_a_browser_gets_a_sentence(
    backend: Backend, path: str
) -> None:
    answer = backend.request("GET", path, headers={"Accept": BROWSER})
    assert answer.status_code == 404
    assert "nothing at this address" in answer.json()["error"]
