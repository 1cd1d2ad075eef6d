"""People: links, sign-in, sessions and what each role may."""

from __future__ import annotations

import secrets
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from hostpulse.access.denied import AccessDenied
from hostpulse.access.links import LINK_MS
from hostpulse.access.people import People
from hostpulse.access.principal import ADMIN, OPERATOR, Principal
from hostpulse.access.sessions import DAY_MS, HOUR_MS, MINUTE_MS, Client
from hostpulse.control import people_rows

from tests.access.world import PASSWORD, of_key, of_session
from tests.backend_under_test import Backend, eventually, report
from tests.programs import command, environment, free_port

BY = Principal(name="test", grants=ADMIN, role="owner")
HERE = Client("127.0.0.1", "test")


def join(people: People, name: str, role: str = "owner", by: Principal = BY) -> tuple[str, str]:
    """Make an account; return its id and a session."""
    link = people.links.make_setup(by.tenant) if role == "owner" else people.links.invite(by, role)
    session = people.links.use(link, name, PASSWORD, HERE).token
    found = people.sessions.find(session, True)
    assert found is not None
    return found.principal.user, session


def ask(backend: Backend, session: str, method: str = "GET", path: str = "/api/servers") -> int:
    return backend.request(method, path, headers=of_session(session)).status_code


def sign_in(backend: Backend, name: str, password: str, **headers: str) -> requests.Response:
    body = {"name": name, "password": password}
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return backend.request("POST", "/api/session", json=body, headers=named)


# -- F101: the first owner ---------------------------------------------------------------------


def test_f101_of_two_who_use_the_setup_link_at_once_one_wins(backend: Backend) -> None:
    token = backend.parts.people.links.make_setup()

    def use(name: str) -> int:
        body = {"token": token, "name": name, "password": PASSWORD}
        return backend.request("POST", "/api/links/use", json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, ("ann", "bob", "cleo", "dan"))) == [200, 410, 410, 410]
    assert use("eve") == 410
    assert len(backend.parts.people.members.list(BY)) == 1


def test_f101_there_is_no_default_password_and_nothing_to_see(backend: Backend) -> None:
    for name in ("admin", "root", "hostpulse"):
        for password in ("", name, "password"):
            assert sign_in(backend, name, password).status_code == 401
    assert backend.json("/api/session")["needs_setup"] is True
    assert backend.get("/api/servers").status_code == 401


def test_f101_a_link_ends_after_a_day_and_a_newer_one_ends_it_at_once(backend: Backend) -> None:
    people = backend.parts.people
    old, token = people.links.make_setup(), people.links.make_setup()
    about = "/api/links/about"
    assert backend.request("POST", about, json={"token": old}).status_code == 410
    backend.clock.advance(LINK_MS - 1)
    assert backend.request("POST", about, json={"token": token}).json()["kind"] == "setup"
    backend.clock.advance(1)
    for path in (about, "/api/links/look"):
        assert backend.request("POST", path, json={"token": token}).status_code == 410
    body = {"token": token, "name": "ann", "password": PASSWORD}
    assert backend.request("POST", "/api/links/use", json=body).status_code == 410


def test_f101_whoever_only_looked_sees_nothing_once_there_is_an_owner(backend: Backend) -> None:
    people = backend.parts.people
    looked = backend.request("POST", "/api/links/look", json={"token": people.links.make_setup()})
    session = looked.cookies["hostpulse"]
    backend.http.cookies.clear()
    assert ask(backend, session) == 200
    assert ask(backend, session, "DELETE", "/api/session") == 403
    join(people, "ann")
    assert ask(backend, session) == 401


def test_f101_a_second_owner_does_not_come_by_a_setup_link(backend: Backend) -> None:
    people = backend.parts.people
    join(people, "ann")
    with pytest.raises(AccessDenied, match="owner already"):
        people.links.use(people.links.make_setup(), "mallory", PASSWORD, HERE)


# -- F83: what changes is so at once -----------------------------------------------------------


def test_f83_a_role_taken_or_an_account_locked_counts_in_the_other_process_within_a_second(
    pair: list[Backend], capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = pair
    join(one.parts.people, "ann")
    took = {}
    for deed in ("lower", "take away", "lock", "sign out"):
        name = deed.replace(" ", "-")
        user, session = join(one.parts.people, name, "admin")
        eventually(lambda: ask(other, session, path="/api/people") == 200, 1)  # noqa: B023
        who = one.parts.people.sessions.find(session, True)
        assert who is not None
        if deed == "lower":
            one.parts.people.members.set_role(BY, user, "viewer")
        elif deed == "take away":
            one.parts.people.members.set_role(BY, user, "")
        elif deed == "lock":
            one.parts.people.members.disable(BY, user, True)
        else:
            one.parts.people.sessions.end(who.principal)
        before = time.monotonic()
        wanted = 403 if deed == "lower" else 401
        assert ask(one, session, path="/api/people") == wanted
        eventually(lambda: ask(other, session, path="/api/people") == wanted, 2)  # noqa: B023
        took[deed] = time.monotonic() - before
    with capsys.disabled():
        print("\n" + ", ".join(f"{deed}: {took[deed] * 1000:.0f} ms" for deed in took))
    assert max(took.values()) <= 1


@pytest.mark.parametrize("deed", ["lower", "take away", "lock"])
def test_f83_the_personal_tokens_of_whoever_may_less_end_too(
    pair: list[Backend], deed: str
) -> None:
    one, other = pair
    join(one.parts.people, "ann")
    user, session = join(one.parts.people, "bob", "admin")
    tokens = {}
    for scope in ("read", "manage"):
        wish = {"label": "x", "scopes": [scope]}
        made = one.request("POST", "/api/tokens", json=wish, headers=of_session(session))
        tokens[scope] = of_key(made.json()["key"])

    def reads(scope: str) -> int:
        return other.request("GET", "/api/servers", headers=tokens[scope]).status_code

    eventually(lambda: (reads("read"), reads("manage")) == (200, 200), 2)
    if deed == "lock":
        one.parts.people.members.disable(BY, user, True)
    else:
        one.parts.people.members.set_role(BY, user, "viewer" if deed == "lower" else "")
    wanted = (200, 401) if deed == "lower" else (401, 401)
    eventually(lambda: (reads("read"), reads("manage")) == wanted, 1)


# -- F90: sessions -----------------------------------------------------------------------------


def test_f90_a_planted_session_id_is_never_taken_and_an_old_one_ends(backend: Backend) -> None:
    join(backend.parts.people, "ann")
    planted = "A" * 43
    first = sign_in(backend, "ann", PASSWORD, Cookie=f"hostpulse={planted}").cookies["hostpulse"]
    assert first != planted
    assert ask(backend, planted) == 401
    again = sign_in(backend, "ann", PASSWORD, Cookie=f"hostpulse={first}").cookies["hostpulse"]
    assert again != first
    assert (ask(backend, first), ask(backend, again)) == (401, 200)


def test_f90_the_cookie_is_for_this_server_alone_and_out_of_reach_of_scripts(
    backend: Backend,
) -> None:
    join(backend.parts.people, "ann")
    said = sign_in(backend, "ann", PASSWORD).headers["Set-Cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert "path=/" in said
    assert "domain" not in said
    assert "expires" not in said


def test_f90_a_sign_out_ends_the_session_on_the_server(backend: Backend) -> None:
    people = backend.parts.people
    _, session = join(people, "ann")
    other = people.accounts.sign_in("ann", PASSWORD, HERE, remembered=False).token
    answer = backend.request("DELETE", "/api/session", headers=of_session(session))
    assert answer.ok
    assert answer.headers["Clear-Site-Data"]
    assert (ask(backend, session), ask(backend, other)) == (401, 200)


def test_f90_a_new_password_ends_every_other_session(backend: Backend) -> None:
    people = backend.parts.people
    _, session = join(people, "ann")
    other = people.accounts.sign_in("ann", PASSWORD, HERE, remembered=True).token
    wish = {"old": PASSWORD, "new": "another short sentence"}
    headers = of_session(session)
    wrong = backend.request("PUT", "/api/password", json=wish | {"old": "x"}, headers=headers)
    assert wrong.status_code == 403
    assert backend.request("PUT", "/api/password", json=wish, headers=headers).ok
    assert (ask(backend, session), ask(backend, other)) == (200, 401)
    assert sign_in(backend, "ann", PASSWORD).status_code == 401


def test_f90_a_reset_ends_every_session_and_the_link_is_good_once(backend: Backend) -> None:
    people = backend.parts.people
    join(people, "ann")
    user, session = join(people, "bob", "viewer")
    token = people.links.make_reset(BY, user)
    body = {"token": token, "password": "another short sentence"}
    assert backend.request("POST", "/api/links/use", json=body).ok
    assert backend.request("POST", "/api/links/use", json=body).status_code == 410
    assert ask(backend, session) == 401


def test_f90_idle_time_ends_a_session_and_a_refresh_by_itself_does_not_save_it(
    backend: Backend,
) -> None:
    _, session = join(backend.parts.people, "ann")
    background = of_session(session) | {"X-Background": "1"}
    backend.clock.advance(20 * MINUTE_MS)
    assert ask(backend, session) == 200
    for _ in range(3):
        backend.clock.advance(10 * MINUTE_MS)
        assert backend.request("GET", "/api/servers", headers=background).status_code == 200
    backend.clock.advance(1)
    assert backend.request("GET", "/api/servers", headers=background).status_code == 401
    assert ask(backend, session) == 401


def test_f90_a_session_ends_after_12_hours_and_a_remembered_one_after_30_days(
    backend: Backend,
) -> None:
    people = backend.parts.people
    _, short = join(people, "ann")
    long = people.accounts.sign_in("ann", PASSWORD, HERE, remembered=True).token
    for _ in range(12 * 3):
        backend.clock.advance(20 * MINUTE_MS)
        assert ask(backend, short) == 200
    backend.clock.advance(1)
    assert (ask(backend, short), ask(backend, long)) == (401, 200)
    backend.clock.advance(30 * DAY_MS - 12 * HOUR_MS)
    assert ask(backend, long) == 401


# -- F91: other pages --------------------------------------------------------------------------

FORGED: dict[str, dict[str, Any]] = {
    "without a token": {"headers": {"X-CSRF-Token": ""}, "json": {}},
    "with another's token": {"headers": {"X-CSRF-Token": "0" * 64}, "json": {}},
    "with a token of odd letters": {"headers": {"X-CSRF-Token": b"\xfc"}, "json": {}},
    "from another page": {"headers": {"Origin": "https://evil.example"}, "json": {}},
    "from another port": {"headers": {"Origin": "http://127.0.0.1:1"}, "json": {}},
    "from a page without an address": {"headers": {"Origin": "null"}, "json": {}},
    "as the browser says": {"headers": {"Sec-Fetch-Site": "cross-site"}, "json": {}},
    "from a neighbour's page": {"headers": {"Sec-Fetch-Site": "same-site"}, "json": {}},
    "by a form": {"headers": {"X-CSRF-Token": ""}, "data": {"note": "x"}},
    "by a form that looks like JSON": {
        "headers": {"X-CSRF-Token": "", "Content-Type": "text/plain"},
        "data": '{"note":"x"}',
    },
}


@pytest.mark.parametrize("way", FORGED)
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_f91_no_other_page_changes_anything_even_with_the_cookie(
    backend: Backend, way: str
) -> None:
    join(backend.parts.people, "ann")
    _, session = join(backend.parts.people, "bob", "admin")
    backend.accept(report())
    before = _state(backend)
    forged = dict(FORGED[way])
    headers = of_session(session) | forged.pop("headers")
    for method, path in (
        ("DELETE", "/api/servers/web-1"), ("PATCH", "/api/servers/web-1"), ("POST", "/api/keys"),
        ("POST", "/api/people"), ("DELETE", "/api/session"), ("PUT", "/api/password"),
        ("DELETE", "/api/sessions"),
    ):  # fmt: skip
        answer = backend.request(method, path, headers=headers, **forged)
        assert answer.status_code == 403, (method, path, answer.text)
    assert _state(backend) == before


def _state(backend: Backend) -> Any:
    parts = backend.parts
    links = len(parts.people.log.newest(BY, 0, 200))
    return parts.servers.count("default"), len(parts.issuer.list(BY)), links


def test_f91_a_good_token_does_not_help_a_form(backend: Backend) -> None:
    _, session = join(backend.parts.people, "ann")
    backend.accept(report())
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = of_session(session) | {"Content-Type": kind}
        answer = backend.request("PATCH", "/api/servers/web-1", data="{}", headers=headers)
        assert answer.status_code == 415, kind


def test_f91_reading_changes_nothing_and_no_header_makes_it_a_change(backend: Backend) -> None:
    _, session = join(backend.parts.people, "ann")
    backend.accept(report())
    before = _state(backend)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        headers = of_session(session) | {name: "DELETE"}
        for method in ("GET", "HEAD", "OPTIONS"):
            path = "/api/servers/web-1"
            answer = backend.request(method, path, headers=headers, params={"_method": "DELETE"})
            assert answer.status_code == 200
    assert _state(backend) == before


def test_f91_nobody_is_signed_in_by_another_page(backend: Backend) -> None:
    join(backend.parts.people, "ann")
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = sign_in(backend, "ann", PASSWORD, **headers)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers


def test_f101_nobody_else_reaches_a_server_that_has_no_owner(tmp_path: Path) -> None:
    place = environment(HOSTPULSE_DATA_DIR=str(tmp_path))

    def run(*words: str, told: str = "") -> subprocess.CompletedProcess[str]:
        line = command("hostpulse", *words)
        return subprocess.run(
            line, env=place, input=told, capture_output=True, text=True, timeout=60, check=False
        )

    everywhere = ("serve", "--host", "0.0.0.0", "--plain-http", "--port", str(free_port()))
    refused = run(*everywhere)
    assert (refused.returncode, "first-owner NAME" in refused.stderr) == (78, True)
    for name, password, status in (("Ann", "kurz", 1), ("Ann", PASSWORD, 0), ("Bob", PASSWORD, 1)):
        made = run("user", "first-owner", name, told=f"{password}\n")
        assert made.returncode == status, made.stderr
        assert password not in made.stdout + made.stderr
    assert "owner already" in made.stderr
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(command("hostpulse", *everywhere), env=place, stderr=log)
    try:
        eventually(lambda: "plain_http: passwords and keys" in (tmp_path / "log").read_text())
    finally:
        running.terminate()
        running.wait()


# -- F92: guessing -----------------------------------------------------------------------------


def test_f92_guesses_from_one_address_are_slowed_down_and_others_are_not() -> None:
    with Backend(auth=True, behind_proxy="127.0.0.1") as backend:
        join(backend.parts.people, "ann")
        answers = [
            sign_in(backend, f"name-{i}", "x", X_Forwarded_For="198.51.100.7") for i in range(12)
        ]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
        assert int(answers[-1].headers["Retry-After"]) > 0
        right = sign_in(backend, "ann", PASSWORD, X_Forwarded_For="198.51.100.7")
        assert right.status_code == 429
        assert sign_in(backend, "ann", PASSWORD, X_Forwarded_For="198.51.100.8").ok
        near = sign_in(backend, "x", "x", X_Forwarded_For="2001:db8::1")
        assert near.status_code == 401


def test_f92_guesses_at_one_account_wait_longer_each_time_and_do_not_lock_its_owner_out() -> None:
    """Whoever was signed in from an address is let in from there; open sessions stay."""
    with Backend(auth=True, behind_proxy="127.0.0.1") as backend:
        people = backend.parts.people
        home, away = Client("192.0.2.1", "b"), Client("192.0.2.99", "b")
        session = people.links.use(people.links.make_setup(), "ann", PASSWORD, home).token
        for i in range(8):
            with pytest.raises(AccessDenied):
                people.accounts.sign_in("ann", f"guess {i}", Client(f"198.51.100.{i}", "b"), False)
            backend.clock.advance(20_000)
        backend.clock.advance(-19_000)
        with pytest.raises(AccessDenied) as refused:
            people.accounts.sign_in("ann", PASSWORD, away, False)
        assert str(refused.value) == "The name or the password is wrong."
        signed_in = people.sessions.find(session, True)
        assert signed_in is not None
        people.sessions.end(signed_in.principal)
        assert people.accounts.sign_in("ann", PASSWORD, home, False), "from a place known before"
        backend.clock.advance(1_000_000)
        assert people.accounts.sign_in("ann", PASSWORD, away, False)


def test_f92_an_unknown_name_is_answered_as_a_known_one_and_takes_as_long(
    backend: Backend, rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """500 tries with HOSTPULSE_TEST_ROUNDS=250; what this machine does beside is out at times."""
    people = backend.parts.people
    join(people, "ann")
    user, _ = join(people, "locked", "viewer")
    people.members.disable(BY, user, True)
    spread = 2.0
    for _ in range(3):
        if spread >= 1.1:
            took = _times_of_guesses(people, ("ann", "nobody", "locked"), 2 * rounds)
            medians = [statistics.median(times) for times in took.values()]
            quickest = [statistics.quantiles(times, n=10)[0] for times in took.values()]
            spread = max(quickest) / min(quickest)
            with capsys.disabled():
                shown = zip(took, medians, strict=True)
                print("\n" + ", ".join(f"{name} {one * 1000:.1f} ms" for name, one in shown))
    assert spread < 1.1


def _times_of_guesses(people: People, names: tuple[str, ...], tries: int) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {name: [] for name in names}
    said = set()
    for i in range(tries):
        for name in names[i % 3 :] + names[: i % 3]:
            client = Client(secrets.token_hex(8), "b")  # nobody's failures slow another down
            before = time.perf_counter()
            with pytest.raises(AccessDenied) as refused:
                people.accounts.sign_in(name, "guess", client, False)
            took[name].append(time.perf_counter() - before)
            said.add((refused.value.status, str(refused.value)))
    assert len(said) == 1
    return took


def test_f92_many_at_once_wait_for_a_bounded_time(backend: Backend) -> None:
    """Each check takes 19 MB, so two run at a time."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: sign_in(backend, f"n{i}", "x").status_code, range(16)))
    assert set(answers) <= {401, 429, 503}
    assert answers.count(401) >= 10


# -- roles -------------------------------------------------------------------------------------


def test_f80_an_admin_makes_no_owner_and_touches_none(backend: Backend) -> None:
    people = backend.parts.people
    owner, _ = join(people, "ann")
    me, session = join(people, "bob", "admin")
    headers = of_session(session)

    def change(person: str, **wish: Any) -> int:
        path = f"/api/people/{person}"
        return backend.request("PATCH", path, json=wish, headers=headers).status_code

    assert change(owner, role="viewer") == 403
    assert change(owner, disabled=True) == 403
    assert change(me, role="owner") == 403
    assert backend.request("POST", f"/api/people/{owner}/reset", headers=headers).status_code == 403
    invite = {"role": "owner"}
    assert backend.request("POST", "/api/people", json=invite, headers=headers).status_code == 403
    assert change(me, role="viewer") == 200
    assert change(me, role="admin") == 403


def test_f80_only_an_operator_reaches_the_account_of_an_operator(backend: Backend) -> None:
    """Else an admin of one organisation would come to run the server for all."""
    people = backend.parts.people
    join(people, "ann")
    target, _ = join(people, "olga", "admin")
    _, session = join(people, "bob", "admin")
    people.members.make_operator(BY, target, True)
    asked = (
        ("POST", f"/api/people/{target}/reset", None),
        ("PATCH", f"/api/people/{target}", {"disabled": True}),
    )
    for method, path, wish in asked:
        answer = backend.request(method, path, json=wish, headers=of_session(session))
        assert (answer.status_code, "operator" in answer.text) == (403, True), path
    operator = Principal(name="pia", grants=ADMIN | OPERATOR, role="admin", user="usr_pia")
    assert people.links.make_reset(operator, target)


@pytest.mark.parametrize("wish", [{"role": "viewer"}, {"role": ""}, {"disabled": True}])
def test_f83_a_link_ends_with_the_right_of_who_made_it(
    backend: Backend, wish: dict[str, Any]
) -> None:
    people = backend.parts.people
    _, owner = join(people, "ann")
    maker, session = join(people, "bob", "admin")
    asked = backend.request(
        "POST", "/api/people", json={"role": "admin"}, headers=of_session(session)
    )
    token = asked.json()["link"].partition("#")[2]
    changed = backend.request("PATCH", f"/api/people/{maker}", json=wish, headers=of_session(owner))
    assert changed.status_code == 200
    with pytest.raises(AccessDenied, match="ask for another"):
        people.links.use(token, "carl", PASSWORD, HERE)


def test_f80_a_link_for_a_password_opens_no_account_that_its_maker_may_not_reset_now(
    backend: Backend,
) -> None:
    """The account became more than it was when the link was made."""
    people = backend.parts.people
    join(people, "ann")
    maker, _ = join(people, "bob", "admin")
    admin = Principal(name="user bob", grants=ADMIN, role="admin", user=maker)
    people.tenants.make(BY, "second", "Second")
    raised, runs, joined = (join(people, name, "viewer") for name in ("rita", "otto", "jane"))
    tokens = [people.links.make_reset(admin, user) for user, _ in (raised, runs, joined)]
    people.members.set_role(BY, raised[0], "owner")
    people.members.make_operator(BY, runs[0], True)
    invitation = people.links.invite(Principal("second", "test", ADMIN, "owner"), "viewer")
    wish, headers = {"token": invitation}, of_session(joined[1])
    assert backend.request("POST", "/api/links/join", json=wish, headers=headers).ok
    for token in tokens:
        with pytest.raises(AccessDenied, match="ask for another"):
            people.links.use(token, "", PASSWORD, HERE)
    assert [one.kind for one in people.links.open(BY)] == []


def test_a_link_is_listed_until_it_is_used_or_withdrawn(backend: Backend) -> None:
    people = backend.parts.people
    _, owner = join(people, "ann")
    _, admin = join(people, "bob", "admin")

    def asked(method: str, path: str, session: str, wish: Any = None) -> requests.Response:
        return backend.request(method, path, json=wish, headers=of_session(session))

    kept, withdrawn = (
        asked("POST", "/api/people", session, {"role": role}).json()["link"].partition("#")[2]
        for session, role in ((owner, "viewer"), (owner, "owner"))
    )
    found = {one["role"]: one for one in asked("GET", "/api/links", admin).json()["links"]}
    assert {role: one["made_by"] for role, one in found.items()} == dict.fromkeys(found, "ann")
    path = f"/api/links/{found['owner']['id']}"
    assert asked("DELETE", path, admin).status_code == 403, "an admin takes no owner away"
    assert asked("DELETE", path, owner).status_code == 200
    assert asked("DELETE", path, owner).status_code == 404
    with pytest.raises(AccessDenied, match="ask for another"):
        people.links.use(withdrawn, "carl", PASSWORD, HERE)
    people.links.use(kept, "vic", PASSWORD, HERE)
    assert asked("GET", "/api/links", owner).json()["links"] == []


def test_f80_the_last_owner_stays(backend: Backend) -> None:
    people = backend.parts.people
    owner, session = join(people, "ann")
    for wish in ({"role": "viewer"}, {"role": ""}, {"disabled": True}):
        path = f"/api/people/{owner}"
        answer = backend.request("PATCH", path, json=wish, headers=of_session(session))
        assert answer.status_code == 409, wish


def test_f80_an_admin_here_takes_no_account_over_that_another_organisation_has_too(
    backend: Backend,
) -> None:
    """A reset link would open both."""
    people = backend.parts.people
    people.tenants.make(BY, "second", "Second")
    there = Principal("second", "test", ADMIN, "owner")
    both, session = join(people, "ann", by=there)
    join(people, "owner-here")
    _, admin = join(people, "bob", "admin")
    with people.members._store.system_transaction() as connection:
        people_rows.set_role(connection, "default", both, "viewer")
    for method, path, wish in (
        ("POST", f"/api/people/{both}/reset", None),
        ("PATCH", f"/api/people/{both}", {"disabled": True}),
    ):
        answer = backend.request(method, path, json=wish, headers=of_session(admin))
        assert answer.status_code == 403
        assert "another organisation" in answer.json()["error"]
    path = f"/api/people/{both}"
    assert backend.request("PATCH", path, json={"role": ""}, headers=of_session(admin)).ok
    assert ask(backend, session) == 200
