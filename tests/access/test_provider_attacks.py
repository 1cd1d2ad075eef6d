"""Sign-in by a provider in spite of hostile browsers, pages and providers."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hostpulse.access.trips import TRIP_MS, is_path

from tests.access.test_people import join
from tests.access.test_provider import actions
from tests.access.world import PASSWORD, of_session
from tests.backend.control_places import Place
from tests.backend_under_test import Backend
from tests.openid.client import CLIENT_SECRET, client_of
from tests.openid.hostile import HostileProvider
from tests.openid.traveller import Traveller


@pytest.fixture
def hostile() -> Iterator[HostileProvider]:
    """A provider whose tokens a test bends."""
    running = HostileProvider()
    running.claims = {"groups": ["all"], "preferred_username": "Mallory"}
    yield running
    running.close()


@pytest.fixture
def backend(place: Place, hostile: HostileProvider) -> Iterator[Backend]:
    """A backend that lets everybody in whom that provider knows."""
    with client_of(place, hostile.issuer, oidc_sign_up="groups=all") as running:
        yield running


def test_who_is_right_comes_in_even_by_the_hostile_provider(backend: Backend) -> None:
    """Else the refusals that follow would say nothing."""
    browser = Traveller(backend)
    assert browser.sign_in().ok
    assert browser.session()["name"] == "mallory"


def test_a_way_back_is_good_once(backend: Backend) -> None:
    browser = Traveller(backend)
    url = browser.depart()
    trip = browser.http.cookies["hostpulse-trip"]
    said = browser.visit(url)
    assert browser.arrive(said).ok
    assert "hostpulse-trip" not in browser.http.cookies
    browser.http.cookies.set("hostpulse-trip", trip)
    answer = browser.arrive(said)
    assert (answer.status_code, "was used" in answer.json()["error"]) == (401, True)


def test_f91_a_way_back_is_good_only_in_the_browser_that_began_it(backend: Backend) -> None:
    """Else a link of somebody else's would sign me in as them, and show them what I type."""
    attacker, victim = Traveller(backend), Traveller(backend)
    said = attacker.visit(attacker.depart())
    victim.depart()
    assert victim.arrive(said).status_code == 401
    assert victim.session()["signed_in"] is False
    del victim.http.cookies["hostpulse-trip"]
    assert victim.arrive(said).status_code == 401


@pytest.mark.parametrize("state", ["", "another", "x" * 5000, "\ud800"])
def test_another_state_is_refused(backend: Backend, state: str) -> None:
    browser = Traveller(backend)
    said = browser.visit(browser.depart())
    assert browser.arrive(said | {"state": state}).status_code in (400, 401)
    assert browser.session()["signed_in"] is False


def test_a_way_back_is_good_for_ten_minutes(backend: Backend) -> None:
    in_time, late = Traveller(backend), Traveller(backend)
    said = [one.visit(one.depart()) for one in (in_time, late)]
    backend.clock.advance(TRIP_MS - 1)
    assert in_time.arrive(said[0]).ok
    backend.clock.advance(1)
    assert late.arrive(said[1]).status_code == 401


def test_what_the_provider_refuses_is_said_and_nothing_else_of_it(backend: Backend) -> None:
    browser = Traveller(backend)
    said = browser.visit(browser.depart())
    del said["code"]
    answer = browser.arrive(said | {"error": "access_denied"})
    assert answer.json()["error"] == "Acme did not let you in (access_denied)."
    said = browser.visit(browser.depart())
    del said["code"]
    answer = browser.arrive(said | {"error": "Call 555-1234 and tell your password!"})
    assert answer.json()["error"] == "Acme did not let you in (no code)."


def test_a_token_of_another_key_signs_nobody_in(backend: Backend, hostile: HostileProvider) -> None:
    hostile.header = {"alg": "none"}
    browser = Traveller(backend)
    answer = browser.sign_in()
    assert (answer.status_code, "cannot be trusted" in answer.json()["error"]) == (401, True)
    assert browser.session()["signed_in"] is False
    assert actions(backend)[0] == ("sign in with Acme", "somebody", "refused")


def test_f92_failures_count_with_wrong_passwords_and_the_eleventh_waits(backend: Backend) -> None:
    browser = Traveller(backend)
    statuses = [browser.arrive({"state": "guess"}).status_code for _ in range(5)]
    statuses += [
        browser.ask("POST", "/api/session", name="x", password="x").status_code for _ in range(5)
    ]
    assert statuses == [401] * 10
    assert browser.arrive({"state": "guess"}).status_code == 429
    assert browser.ask("POST", "/api/session", name="x", password="x").status_code == 429


def test_f90_a_planted_session_does_not_become_that_of_whoever_signs_in(backend: Backend) -> None:
    browser = Traveller(backend)
    browser.sign_in()
    before = browser.http.cookies["hostpulse"]
    browser.sign_in()
    assert browser.http.cookies["hostpulse"] != before
    headers = of_session(before)
    assert backend.request("GET", "/api/servers", headers=headers).status_code == 401


def test_f90_the_trip_cookie_is_for_this_server_alone_and_out_of_reach_of_scripts(
    backend: Backend,
) -> None:
    answer = backend.request("POST", "/api/provider/departures", json={})
    said = answer.headers["Set-Cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert "max-age=600" in said
    assert "domain" not in said


def test_f91_no_other_page_begins_or_ends_a_trip_or_links_an_account(backend: Backend) -> None:
    browser = Traveller(backend)
    browser.sign_in()
    session = of_session(browser.http.cookies["hostpulse"])
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        for path in ("departures", "arrivals", "link"):
            answer = backend.request(
                "POST", f"/api/provider/{path}", json={}, headers=session | headers
            )
            assert answer.status_code == 403, path
    headers = session | {"X-CSRF-Token": ""}
    for method in ("POST", "DELETE"):
        answer = backend.request(method, "/api/provider/link", json={}, headers=headers)
        assert answer.status_code == 403


def test_what_is_linked_to_one_account_is_linked_to_no_other(
    backend: Backend, hostile: HostileProvider
) -> None:
    Traveller(backend).sign_in()
    join(backend.parts.people, "ann")
    ann = Traveller(backend)
    ann.ask("POST", "/api/session", name="ann", password=PASSWORD)

    def link() -> int:
        url = ann.ask("POST", "/api/provider/link", password=PASSWORD).json()["url"]
        return ann.arrive(ann.visit(url)).status_code

    assert link() == 409
    hostile.subject = "another"
    assert link() == 200
    again = ann.ask("POST", "/api/provider/link", password=PASSWORD)
    assert again.status_code == 409


def test_a_link_that_somebody_else_began_is_not_ended_as_mine(backend: Backend) -> None:
    join(backend.parts.people, "ann")
    join(backend.parts.people, "bob", "viewer")
    ann = Traveller(backend)
    ann.ask("POST", "/api/session", name="ann", password=PASSWORD)
    url = ann.ask("POST", "/api/provider/link", password=PASSWORD).json()["url"]
    said = ann.visit(url)
    ann.ask("POST", "/api/session", name="bob", password=PASSWORD)
    assert ann.arrive(said).status_code == 403


def test_a_subject_of_another_issuer_is_somebody_else(place: Place, backend: Backend) -> None:
    Traveller(backend).sign_in()
    backend.close()
    other = HostileProvider()
    try:
        with client_of(place, other.issuer) as now:
            assert Traveller(now).sign_in().status_code == 403
    finally:
        other.close()


# -- F89: where one goes on --------------------------------------------------------------------

ELSEWHERE = [
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "evil.example",
    "/\t/evil.example", "/\n/evil.example", "javascript:alert(1)", "", "/ok\\..", "/\x00", "/" * 9,
    "/x" * 2000, " /", "http:evil.example", "/%0d%0aLocation:\r\nx",
]  # fmt: skip


def test_f89_whoever_signed_in_stays_on_this_server(backend: Backend) -> None:
    for to in ELSEWHERE[:8]:
        assert Traveller(backend).sign_in(to=to).json() == {"to": "/"}


@pytest.mark.parametrize("text", ELSEWHERE)
def test_f89_what_may_lead_elsewhere_is_no_path(text: str) -> None:
    assert not is_path(text)


def test_f89_a_path_of_this_server_is_kept() -> None:
    for path in ("/", "/servers/srv_1?range=6h&metrics=a,b", "/settings/account", "/?q=cpu%3E80"):
        assert is_path(path)


# -- F96: what is written down -----------------------------------------------------------------


def test_f96_neither_code_nor_verifier_nor_secret_is_in_the_most_talkative_log(
    backend: Backend, hostile: HostileProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = Traveller(backend)
    url = browser.depart()
    written = caplog.text
    said = browser.visit(url)
    caplog.clear()  # what this browser's own connections wrote
    answer = browser.arrive(said)
    written += caplog.text + answer.text + str(answer.headers)
    verifier = hostile.token_requests[0]["code_verifier"]
    assert not [one for one in (CLIENT_SECRET, said["code"], verifier) if one in written]
