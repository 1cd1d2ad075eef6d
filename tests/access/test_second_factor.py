"""The second factor: a password alone opens nothing, and a code is good once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests
from hostpulse.access.principal import Principal
from hostpulse.access.second_factor import CONFIRM_MS
from hostpulse.access.second_step import WAITING_MS
from hostpulse.access.sessions import csrf_token
from hostpulse.control import people_rows

from tests.access.world import PASSWORD
from tests.backend.control_places import Place
from tests.backend.test_backup import run
from tests.backend_under_test import Backend, eventually

STEP_MS = 30_000
COOKIE, WAITING = "hostpulse", "hostpulse-waiting"
BY = Principal(name="test")


class Browser:
    """Somebody's browser, and the app that has their secret once there is one."""

    def __init__(self, backend: Backend, name: str, program: str = "a browser") -> None:
        self.backend, self.name = backend, name
        self.http = requests.Session()
        self.http.headers["User-Agent"] = program
        self.secret = ""
        self.recovery: list[str] = []

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        token = csrf_token(self.http.cookies.get(COOKIE, ""))
        headers = {"X-CSRF-Token": token}
        url = self.backend.url + path
        return self.http.request(method, url, json=body, headers=headers, timeout=20)

    def status(self, method: str, path: str, body: Any = None) -> int:
        return self.ask(method, path, body).status_code

    def join(self, link: str) -> Browser:
        wish = {"token": link, "name": self.name, "password": PASSWORD}
        assert self.ask("POST", "/api/links/use", wish).ok
        return self

    def code(self, steps: int = 0) -> str:
        """Return what the app shows so many steps from now."""
        return pyotp.TOTP(self.secret).at((self.backend.clock.now_ms + steps * STEP_MS) // 1000)

    def next_code(self) -> str:
        """Wait for the code after this one, as each is good once."""
        self.backend.clock.advance(STEP_MS)
        return self.code()

    def turn_on(self) -> Browser:
        given = self.ask("POST", "/api/second-factor", {"password": PASSWORD})
        assert given.ok, given.text
        self.secret = given.json()["secret"]
        done = self.ask("PUT", "/api/second-factor", {"code": self.code()})
        assert done.ok, done.text
        self.recovery = done.json()["codes"]
        return self

    def give_password(self, remember: bool = False) -> dict[str, Any]:
        wish = {"name": self.name, "password": PASSWORD, "remember": remember}
        answer = self.ask("POST", "/api/session", wish)
        assert answer.ok, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def give_code(self, code: str) -> int:
        return self.status("PUT", "/api/session", {"code": code})

    def is_in(self) -> bool:
        return self.status("GET", "/api/servers") == 200

    def twin(self, program: str = "a browser") -> Browser:
        """Return another browser of the same person."""
        other = Browser(self.backend, self.name, program)
        other.secret, other.recovery = self.secret, self.recovery
        return other


@pytest.fixture
def ann(backend: Backend) -> Browser:
    """The owner, who has a second factor."""
    return Browser(backend, "ann").join(backend.parts.people.links.make_setup()).turn_on()


def invited(backend: Backend, name: str, role: str) -> Browser:
    return Browser(backend, name).join(backend.parts.people.links.invite(BY, role))


def deeds(backend: Backend) -> list[tuple[str, str, str, str]]:
    rows = [row for _, row in backend.parts.people.log.newest(BY, 0, 200)]
    return [(row.actor, row.action, row.object, row.result) for row in reversed(rows)]


# -- the sign-in ----------------------------------------------------------------------------------


def test_a_password_alone_opens_nothing(ann: Browser) -> None:
    other = ann.twin()
    assert other.give_password() == {"status": "success", "needs_code": True}
    assert COOKIE not in other.http.cookies
    assert not other.is_in()
    other.http.cookies.set(COOKIE, other.http.cookies[WAITING])
    assert not other.is_in(), "what waits for a code is no session"


def test_the_code_of_the_app_opens_the_session_that_was_wished_for(ann: Browser) -> None:
    other = ann.twin()
    other.give_password(remember=True)
    assert other.ask("GET", "/api/session").json()["needs_code"] is True
    assert other.give_code(other.next_code()) == 200
    assert WAITING not in other.http.cookies
    assert other.is_in()
    ann.backend.clock.advance(86_400_000)
    assert other.is_in(), "it was to be remembered"


def test_the_cookie_of_the_wait_is_out_of_reach_of_scripts_and_other_sites(ann: Browser) -> None:
    other = ann.twin()
    wish = {"name": "ann", "password": PASSWORD}
    said = other.ask("POST", "/api/session", wish).headers["Set-Cookie"].lower()
    for word in ("httponly", "samesite=lax", "max-age=300", "path=/"):
        assert word in said
    assert "domain" not in said


def test_whoever_does_not_know_the_password_does_not_learn_of_the_second_factor(
    ann: Browser,
) -> None:
    invited(ann.backend, "bob", "viewer")
    said = set()
    for name in ("ann", "bob", "nobody"):
        stranger = Browser(ann.backend, name)
        wish = {"name": name, "password": "a wrong sentence"}
        answer = stranger.ask("POST", "/api/session", wish)
        body = answer.json()
        said.add((answer.status_code, body["error"], len(stranger.http.cookies)))
    assert len(said) == 1


def test_a_code_is_good_once_even_for_two_who_give_it_at_the_same_moment(ann: Browser) -> None:
    browsers = [ann.twin() for _ in range(4)]
    for browser in browsers:
        browser.give_password()
    code = ann.next_code()
    with ThreadPoolExecutor(4) as pool:
        given = sorted(pool.map(lambda browser: browser.give_code(code), browsers))
    assert given == [200, 403, 403, 403]
    late = ann.twin()
    late.give_password()
    assert late.give_code(code) == 403, "replayed"
    assert late.give_code(ann.next_code()) == 200


def test_the_code_that_switched_it_on_signs_nobody_in(ann: Browser) -> None:
    other = ann.twin()
    other.give_password()
    assert other.give_code(other.code()) == 403


@pytest.mark.parametrize(("steps", "status"), [(-3, 403), (-2, 403), (-1, 200), (1, 200), (2, 403)])
def test_a_code_of_a_step_before_or_after_is_taken_and_none_further_away(
    ann: Browser, steps: int, status: int
) -> None:
    ann.backend.clock.advance(10 * STEP_MS)
    other = ann.twin()
    other.give_password()
    assert other.give_code(other.code(steps)) == status


def test_a_recovery_code_is_good_once(ann: Browser) -> None:
    first, again = ann.twin(), ann.twin()
    first.give_password()
    assert first.give_code(ann.recovery[3].upper().replace("-", " ")) == 200
    again.give_password()
    assert again.give_code(ann.recovery[3]) == 403
    assert again.give_code(ann.recovery[4]) == 200
    assert first.ask("GET", "/api/second-factor").json() == {"on": True, "codes_left": 8}


def test_a_wait_for_a_code_ends_after_five_minutes(ann: Browser) -> None:
    other = ann.twin()
    other.give_password()
    ann.backend.clock.advance(WAITING_MS - 1)
    assert other.ask("GET", "/api/session").json()["needs_code"] is True
    ann.backend.clock.advance(1)
    assert other.ask("GET", "/api/session").json()["needs_code"] is False
    assert other.give_code(other.next_code()) == 410


def test_a_wait_for_a_code_is_that_of_one_browser(ann: Browser) -> None:
    other, thief = ann.twin(), ann.twin("another browser")
    other.give_password()
    thief.http.cookies.set(WAITING, other.http.cookies[WAITING])
    code = ann.next_code()
    assert thief.ask("GET", "/api/session").json()["needs_code"] is False
    assert thief.give_code(code) == 410
    assert ann.twin().give_code(code) == 410, "without any"
    assert other.give_code(code) == 200


@pytest.mark.parametrize("deed", ["password", "off", "disabled"])
def test_a_wait_for_a_code_ends_with_what_it_rests_on(ann: Browser, deed: str) -> None:
    people = ann.backend.parts.people
    people.links.invite(BY, "owner")
    invited(ann.backend, "bob", "owner")
    other = ann.twin()
    other.give_password()
    if deed == "password":
        new = {"old": PASSWORD, "new": "another short sentence"}
        assert ann.ask("PUT", "/api/password", new).ok
    elif deed == "off":
        proof = {"password": PASSWORD, "code": ann.recovery[0]}
        assert ann.ask("POST", "/api/second-factor/off", proof).ok
    else:
        me = next(one.user.id for one in people.members.list(BY) if one.user.name == "ann")
        people.members.disable(BY, me, True)
    assert other.give_code(ann.next_code()) in (409, 410)
    assert not other.is_in()


# -- guessing -------------------------------------------------------------------------------------


def test_wrong_codes_wait_longer_each_time_and_the_password_does_not_end_the_wait(
    ann: Browser,
) -> None:
    other = ann.twin()
    other.give_password()
    assert [other.give_code("000000") for _ in range(5)] == [403] * 5
    other.give_password()
    ann.backend.clock.advance(STEP_MS)
    assert other.give_code("000000") == 403, "the wait of 1 s is over after a step"
    refused = other.ask("PUT", "/api/session", {"code": other.code()})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "2"
    assert "wait 2 s" in refused.json()["error"]
    ann.backend.clock.advance(2000)
    assert other.give_code(other.code()) == 200
    again = ann.twin()
    again.give_password()
    assert again.give_code("000000") == 403, "a right code ends the count"


def test_guesses_at_one_moment_are_no_more_than_guesses_in_turn(ann: Browser) -> None:
    browsers = [ann.twin() for _ in range(9)]
    for browser in browsers:
        browser.give_password()
    with ThreadPoolExecutor(9) as pool:
        given = list(pool.map(lambda browser: browser.give_code("000000"), browsers))
    assert sorted(given) == [403] * 5 + [429] * 4


def test_wrong_codes_count_against_the_address_too() -> None:
    with Backend(auth=True) as backend:
        people = backend.parts.people
        owner = Browser(backend, "ann").join(people.links.make_setup()).turn_on()
        others = [invited(backend, name, "viewer").turn_on() for name in ("bob", "cleo", "dan")]
        given = []
        for one in (owner, *others):
            browser = one.twin()
            browser.give_password()
            given += [browser.give_code("000000") for _ in range(3)]
            if 429 in given:
                break
        assert given == [403] * 10 + [429] * 2


def test_the_password_is_not_guessed_at_the_settings(ann: Browser) -> None:
    wrong = {"password": "a wrong sentence", "code": "000000"}
    given = [ann.status("POST", "/api/second-factor/off", wrong) for _ in range(11)]
    assert given == [403] * 10 + [429]


# -- on, off, and new codes -----------------------------------------------------------------------


def test_it_counts_only_once_a_code_was_given(backend: Backend) -> None:
    browser = Browser(backend, "ann").join(backend.parts.people.links.make_setup())
    assert browser.status("POST", "/api/second-factor", {"password": "wrong sentence"}) == 403
    first = browser.ask("POST", "/api/second-factor", {"password": PASSWORD}).json()
    browser.secret = first["secret"]
    assert browser.secret in first["address"]
    assert first["image"].startswith("data:image/svg+xml")
    assert browser.status("PUT", "/api/second-factor", {"code": browser.code(-3)}) == 403
    assert browser.twin().give_password()["needs_code"] is False
    assert browser.ask("GET", "/api/second-factor").json() == {"on": False, "codes_left": 0}
    backend.clock.advance(CONFIRM_MS)
    assert browser.status("PUT", "/api/second-factor", {"code": browser.code()}) == 410
    browser.turn_on()
    assert len(set(browser.recovery)) == 10
    assert browser.status("POST", "/api/second-factor", {"password": PASSWORD}) == 409


def test_switching_it_on_ends_the_sessions_that_began_without_it(backend: Backend) -> None:
    one = Browser(backend, "ann").join(backend.parts.people.links.make_setup())
    other = one.twin()
    other.give_password()
    assert other.is_in()
    one.turn_on()
    assert (one.is_in(), other.is_in()) == (True, False)


def test_switching_it_off_asks_for_the_password_and_a_code(ann: Browser) -> None:
    off = "/api/second-factor/off"
    code = ann.next_code()
    assert ann.status("POST", off, {"password": "a wrong sentence", "code": code}) == 403
    assert ann.status("POST", off, {"password": PASSWORD, "code": "000000"}) == 403
    assert ann.status("POST", off, {"password": PASSWORD, "code": code}) == 200
    assert ann.twin().give_password()["needs_code"] is False
    assert ann.status("POST", off, {"password": PASSWORD, "code": code}) == 409


def test_new_recovery_codes_void_the_old_ones(ann: Browser) -> None:
    proof = {"password": PASSWORD, "code": ann.recovery[0]}
    made = ann.ask("POST", "/api/second-factor/codes", proof).json()["codes"]
    assert len(made) == 10
    other = ann.twin()
    other.give_password()
    assert other.give_code(ann.recovery[1]) == 403
    assert other.give_code(made[1]) == 200


def test_a_link_for_a_new_password_does_not_go_around_it(ann: Browser) -> None:
    bob = invited(ann.backend, "bob", "viewer").turn_on()
    people = ann.backend.parts.people
    user = next(one.user.id for one in people.members.list(BY) if one.user.name == "bob")
    other = bob.twin()
    wish = {"token": people.links.make_reset(BY, user), "password": "another short sentence"}
    answer = other.ask("POST", "/api/links/use", wish)
    assert answer.json()["needs_code"] is True
    assert not other.is_in()
    assert other.give_code(bob.next_code()) == 200
    assert other.is_in()


def test_an_owner_switches_it_off_for_a_member_who_lost_it_and_an_admin_does_not(
    ann: Browser,
) -> None:
    bob = invited(ann.backend, "bob", "viewer").turn_on()
    admin = invited(ann.backend, "cleo", "admin")
    rows = {row["name"]: row for row in ann.ask("GET", "/api/people").json()["people"]}
    shown = {name: row["second_factor"] for name, row in rows.items()}
    assert shown == {"ann": True, "bob": True, "cleo": False}
    path = f"/api/people/{rows['bob']['id']}/second-factor"
    assert admin.status("DELETE", path) == 403
    assert ann.status("DELETE", path) == 200
    eventually(lambda: not bob.is_in(), 2)
    assert bob.twin().give_password()["needs_code"] is False


def test_the_command_line_switches_it_off_for_whoever_is_locked_out(
    ann: Browser, place: Place
) -> None:
    assert "second factor" in run(place, "user", "list").stdout
    ended = run(place, "user", "second-factor-off", "ann")
    assert ended.returncode == 0, ended.stderr
    assert ann.twin().give_password()["needs_code"] is False
    again = run(place, "user", "second-factor-off", "ann")
    assert (again.returncode, again.stderr) == (1, "Error: ann has no second factor.\n")
    done = ("the command line", "switch the second factor off", "ann", "done")
    assert deeds(ann.backend).count(done) == 1


def test_what_becomes_of_a_second_factor_is_in_the_audit_log(ann: Browser) -> None:
    other = ann.twin()
    other.give_password()
    other.give_code("000000")
    other.give_code(ann.recovery[0])
    for what in ("codes", "off"):
        proof = {"password": PASSWORD, "code": ann.next_code()}
        assert ann.ask("POST", f"/api/second-factor/{what}", proof).ok
    told = [deed for deed in deeds(ann.backend) if deed[1] != "ask"]  # requests have their own test
    assert told[2:] == [
        ("user ann", "switch the second factor on", "", "done"),
        ("user ann", "sign in", "ann", "asked for a code"),
        ("user ann", "give a code", "", "refused"),
        ("user ann", "use a recovery code", "9 left", "done"),
        ("user ann", "sign in", "ann", "done"),
        ("user ann", "make recovery codes", "", "done"),
        ("user ann", "switch the second factor off", "", "done"),
    ]


def test_a_restore_brings_second_factors_and_recovery_codes_back(
    ann: Browser, place: Place, tmp_path: Path
) -> None:
    """Without them a restore would make passwords enough again."""
    file = tmp_path / "backup"
    assert run(place, "backup", str(file)).returncode == 0
    proof = {"password": PASSWORD, "code": ann.recovery[0]}
    assert ann.ask("POST", "/api/second-factor/off", proof).ok
    assert ann.twin().give_password()["needs_code"] is False
    assert run(place, "restore", "--yes", str(file)).returncode == 0
    other = ann.twin()
    assert other.give_password()["needs_code"] is True
    assert other.give_code(ann.next_code()) == 200
    late = ann.twin()
    late.give_password()
    assert late.give_code(ann.recovery[1]) == 200


def test_with_an_organisation_the_second_factors_of_its_people_go(
    ann: Browser, place: Place
) -> None:
    people = ann.backend.parts.people
    people.tenants.make(BY, "zoo", "Zoo")
    zoe = Browser(ann.backend, "zoe").join(people.links.make_setup("zoo")).turn_on()
    zoe.twin().give_password()
    with people.members._store.system_transaction() as connection:
        people_rows.remove_tenant(connection, "zoo")
    left = [
        place.ask(f"SELECT count(*) FROM {t}") for t in ("factors", "recovery_codes", "waiting")
    ]
    assert left == [[(1,)], [(10,)], [(0,)]]
