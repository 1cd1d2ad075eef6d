"""Sign-in by a certified OpenID provider: who comes in, and as whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hostpulse.access.principal import ADMIN, Principal
from hostpulse.access.provider import CALLBACK_PATH
from hostpulse.control import people_rows
from hostpulse.control.people_rows import TenantRow

from tests.access.test_people import join
from tests.access.world import PASSWORD
from tests.backend.control_places import Place
from tests.backend.test_backup import run
from tests.backend_under_test import Backend
from tests.openid.client import client_of
from tests.openid.real import RealProvider
from tests.openid.traveller import Traveller
from tests.programs import free_port

BY = Principal(name="test", grants=ADMIN, role="owner")
Start = Callable[..., Backend]


@pytest.fixture
def start(place: Place, needs_program: Callable[..., str]) -> Iterator[Start]:
    """Starts a backend, and the provider that it is a client of."""
    provider = RealProvider(needs_program("node"))
    with ExitStack() as stack:
        stack.callback(provider.close)

        def started(**settings: str) -> Backend:
            backend = stack.enter_context(client_of(place, provider.issuer, **settings))
            provider.register(backend.url + CALLBACK_PATH)
            return backend

        yield started


def actions(backend: Backend) -> list[tuple[str, str, str]]:
    newest = backend.parts.people.log.newest(BY, 0, 9)
    return [(row.action, row.object, row.result) for _, row in newest]


def test_an_invitation_makes_an_account_without_a_password_that_signs_in_by_the_provider(
    start: Start,
) -> None:
    backend = start()
    people = backend.parts.people
    join(people, "ann")
    ada = Traveller(backend)
    link = people.links.invite(BY, "editor")
    answer = ada.sign_in(link=link, to="/servers/x?range=6h")
    assert answer.json() == {"to": "/servers/x?range=6h"}
    assert (ada.session()["name"], ada.session()["role"]) == ("ada", "editor")
    assert ada.ask("GET", "/api/account").json() == {"has_password": False, "linked": True}
    again = Traveller(backend)
    assert again.sign_in().json() == {"to": "/"}
    assert again.session()["name"] == "ada"
    late = Traveller(backend)
    answer = late.ask("POST", "/api/provider/departures", link=link)
    assert answer.status_code == 410
    assert actions(backend)[:3] == [
        ("sign in with Acme", "ada", "done"),
        ("sign in with Acme", "ada", "done"),
        ("use a invite link", "ada", "done"),
    ]


def test_the_setup_link_may_be_used_by_the_provider_too(start: Start) -> None:
    backend = start()
    owner = Traveller(backend)
    owner.sign_in(link=backend.parts.people.links.make_setup())
    assert (owner.session()["role"], owner.session()["needs_setup"]) == ("owner", False)


def test_an_account_that_links_itself_signs_in_both_ways_until_it_unlinks(start: Start) -> None:
    backend = start()
    join(backend.parts.people, "ann")
    ann = Traveller(backend)
    assert ann.ask("POST", "/api/session", name="ann", password=PASSWORD).ok
    wrong = ann.ask("POST", "/api/provider/link", password="not hers")
    assert (wrong.status_code, wrong.json()["error"]) == (403, "password: is not your password.")
    url = ann.ask("POST", "/api/provider/link", password=PASSWORD).json()["url"]
    session = ann.http.cookies["hostpulse"]
    assert ann.arrive(ann.visit(url, "ann-at-acme")).json() == {"to": "/settings/account"}
    assert ann.http.cookies["hostpulse"] == session
    assert ann.ask("GET", "/api/account").json() == {"has_password": True, "linked": True}
    other = Traveller(backend)
    assert other.sign_in("ann-at-acme").ok
    assert other.session()["name"] == "ann"
    assert ann.ask("DELETE", "/api/provider/link").ok
    assert Traveller(backend).sign_in("ann-at-acme").status_code == 403
    assert ann.ask("POST", "/api/session", name="ann", password=PASSWORD).ok


def test_whoever_nobody_knows_is_told_what_to_do_and_becomes_nothing(start: Start) -> None:
    backend = start()
    join(backend.parts.people, "ada@example.com")  # the same e-mail address is no proof
    stranger = Traveller(backend)
    answer = stranger.sign_in("ada@example.com")
    assert answer.status_code == 403
    assert "Ask an admin for an invitation" in answer.json()["error"]
    assert stranger.session()["signed_in"] is False
    assert len(backend.parts.people.members.list(BY)) == 1
    assert actions(backend)[0] == ("sign in with Acme", "ada", "refused")


@pytest.mark.parametrize(
    ("name", "role"),
    [("ops-ada@other.org", "editor"), ("ada@example.com", "editor"), ("unsure@example.com", "")],
)
def test_only_whom_the_settings_name_comes_in_without_an_invitation(
    start: Start, name: str, role: str
) -> None:
    backend = start(oidc_sign_up="@example.com, groups=ops", oidc_sign_up_role="editor")
    join(backend.parts.people, "ann")
    ada = Traveller(backend)
    assert ada.sign_in(name).status_code == (200 if role else 403)
    assert ada.session()["role"] == role
    assert ada.session()["tenant"] == ("default" if role else "")


def test_a_disabled_person_stays_out_and_so_does_one_without_an_organisation(start: Start) -> None:
    backend = start(oidc_sign_up="groups=all")
    members = backend.parts.people.members
    join(backend.parts.people, "ann")
    ada = Traveller(backend)
    assert ada.sign_in().ok
    user = next(m.user.id for m in members.list(BY) if m.user.name == "ada")
    members.disable(BY, user, True)
    assert ada.session()["signed_in"] is False
    answer = ada.sign_in()
    assert (answer.status_code, "disabled" in answer.json()["error"]) == (403, True)
    members.disable(BY, user, False)
    members.set_role(BY, user, "")
    answer = ada.sign_in()
    assert (answer.status_code, "no organisation" in answer.json()["error"]) == (403, True)
    assert len(members.list(BY)) == 1


def test_an_account_without_a_password_gets_one_only_by_a_link(start: Start) -> None:
    backend = start()
    people = backend.parts.people
    join(people, "ann")
    ada = Traveller(backend)
    ada.sign_in(link=people.links.invite(BY, "viewer"))
    for password in ("", PASSWORD):
        answer = Traveller(backend).ask("POST", "/api/session", name="ada", password=password)
        assert answer.json()["error"] == "The name or the password is wrong."
    change = ada.ask("PUT", "/api/password", old="", new="another short sentence")
    assert (change.status_code, "has none" in change.json()["error"]) == (403, True)
    unlink = ada.ask("DELETE", "/api/provider/link")
    assert (unlink.status_code, "no password" in unlink.json()["error"]) == (409, True)
    user = next(m.user.id for m in people.members.list(BY) if m.user.name == "ada")
    reset = people.links.make_reset(BY, user)
    wrong_way = Traveller(backend).ask("POST", "/api/provider/departures", link=reset)
    assert wrong_way.status_code == 403
    assert ada.ask("POST", "/api/links/use", token=reset, password=PASSWORD).ok
    assert ada.ask("POST", "/api/session", name="ada", password=PASSWORD).ok
    assert ada.ask("DELETE", "/api/provider/link").ok


def test_f104_whoever_was_known_is_known_after_a_restore(
    place: Place, start: Start, tmp_path: Path
) -> None:
    backend = start(oidc_sign_up="groups=all")
    join(backend.parts.people, "ann")
    ada = Traveller(backend)
    assert ada.sign_in().ok
    late = ada.visit(ada.depart())
    file = str(tmp_path / "backup")
    assert run(place, "backup", file).returncode == 0
    restored = run(place, "restore", "--yes", file)
    assert restored.returncode == 0, restored.stderr
    assert ada.arrive(late).status_code == 401
    assert ada.sign_in().ok
    assert ada.session()["name"] == "ada"
    assert len(backend.parts.people.members.list(BY)) == 2


def test_whoever_went_with_their_organisation_is_known_no_more(start: Start) -> None:
    backend = start()
    people = backend.parts.people
    join(people, "ann")
    there = Principal("second", "test", ADMIN, "owner")
    with backend.parts.registrar._store.system_transaction() as connection:
        people_rows.add_tenant(connection, TenantRow("second", "Second", 1))
    ada = Traveller(backend)
    assert ada.sign_in(link=people.links.invite(there, "viewer")).ok
    assert ada.session()["tenant"] == "second"
    with backend.parts.registrar._store.system_transaction() as connection:
        people_rows.remove_tenant(connection, "second")
    answer = ada.sign_in()
    assert (answer.status_code, "invitation" in answer.json()["error"]) == (403, True)


def test_a_provider_that_is_away_stops_neither_the_start_nor_a_password(place: Place) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with client_of(place, nowhere) as backend:
        join(backend.parts.people, "ann")
        ann = Traveller(backend)
        answer = ann.ask("POST", "/api/provider/departures")
        assert answer.status_code == 503
        assert answer.json()["error"].startswith("You cannot sign in with Acme now:")
        assert ann.ask("POST", "/api/session", name="ann", password=PASSWORD).ok


def test_without_a_provider_there_is_no_way_to_one(place: Place) -> None:
    with place.backend(auth=True) as backend:
        join(backend.parts.people, "ann")
        browser = Traveller(backend)
        assert browser.session()["provider"] == ""
        for path in ("departures", "arrivals"):
            body = {"state": "x"} if path == "arrivals" else {}
            answer = browser.ask("POST", f"/api/provider/{path}", **body)
            assert (answer.status_code, "oidc_issuer" in answer.json()["error"]) == (404, True)
