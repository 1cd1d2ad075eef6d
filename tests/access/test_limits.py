"""Who asks too often is told to wait, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests
from hostpulse.access.principal import ADMIN, Principal
from hostpulse.config import Config
from hostpulse_agent.batch_size import MOST_REPORTS

from tests.access.test_edges import BY, owner_of
from tests.access.test_people import HERE
from tests.access.world import PASSWORD, REMOTE, of_key, of_session
from tests.backend_under_test import NOW_MS, Backend, report


def statuses(backend: Backend, count: int, **headers: str) -> list[int]:
    named = {name.replace("_", "-"): value for name, value in headers.items()} | REMOTE
    return [
        backend.post(report(time_ms=NOW_MS + i), headers=named).status_code for i in range(count)
    ]


def test_the_files_of_the_pages_count_for_nobody() -> None:
    """A page is many of them, and whoever may not have them sees nothing at all."""
    with Backend(auth=True, stranger_requests_per_minute=2) as backend:
        paths = ["/static/app.js", "/api/session"] * 4
        answers = [backend.request("GET", path, headers=REMOTE).status_code for path in paths]
        assert answers[::2] == [200] * 4
        assert answers[1::2] == [200, 200, 429, 429]


def test_a_key_has_a_budget_of_its_own_and_is_told_when_there_is_more() -> None:
    with Backend(auth=True, key_requests_per_minute=5) as backend:
        token = backend.parts.issuer.make_enrolment(BY, 60, 2).text
        agents = []
        for name in ("web-1", "web-2"):
            body = {"hostname": name, "machine": name.encode().hex().ljust(64, "0")}
            made = backend.request("POST", "/api/enrol", json=body, headers=of_key(token))
            agents.append(of_key(made.json()["key"]))
        assert statuses(backend, 7, **agents[0]) == [200] * 5 + [429] * 2
        refused = backend.post(report(), headers=agents[0])
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.json()["error"] == "Too many requests with this key; wait a little."
        assert statuses(backend, 5, **agents[1]) == [200] * 5
        reader = of_key(backend.parts.issuer.make_personal(BY, "r", ["read"], 1).text)
        read = [
            backend.request("GET", "/api/servers", headers=reader).status_code for _ in "1234567"
        ]
        assert read == [200] * 5 + [429] * 2


def test_f103_a_key_that_many_share_has_what_its_organisation_has_and_leaves_others_alone() -> None:
    limits = {"key_requests_per_minute": 2, "tenant_requests_per_minute": 8}
    with Backend(auth=True, **limits) as backend:
        backend.parts.people.tenants.make(BY, "second", "Second")
        other = Principal("second", "test", ADMIN)
        mine = of_key(backend.parts.issuer.make_ingest(BY, "x").text)
        theirs = of_key(backend.parts.issuer.make_ingest(other, "x").text)
        assert statuses(backend, 10, **mine) == [200] * 8 + [429] * 2
        assert statuses(backend, 8, **theirs) == [200] * 8


def test_an_address_counts_only_while_nobody_knows_who_asks() -> None:
    with Backend(auth=True, stranger_requests_per_minute=30) as backend:
        owner = owner_of(backend)
        good = of_key(backend.parts.issuer.make_ingest(BY, "x").text)
        assert statuses(backend, 4, X_API_Key="wrong")[-1] == 429
        refused = backend.request("GET", "/api/servers", headers=REMOTE | of_key("wrong"))
        assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
        assert statuses(backend, 40, **good) == [200] * 40
        for _ in range(40):
            assert backend.request("GET", "/api/servers", headers=owner).status_code == 200


def test_live_reports_and_a_day_that_waited_fit_into_ten_minutes_of_a_keys_budget() -> None:
    live, waited = 10 * 60, 86_400 / MOST_REPORTS  # of the shortest interval, 1 s
    assert live + waited <= 10 * Config().key_requests_per_minute / 2
    fleet = 500 * (10 * 12 + 86_400 / 5 / MOST_REPORTS)  # of the usual 5 s
    assert fleet <= 10 * Config().tenant_requests_per_minute / 2


def test_a_fleet_behind_one_address_that_comes_back_with_a_backlog_is_refused_nothing() -> None:
    with Backend(auth=True) as backend:
        token = of_key(backend.parts.issuer.make_enrolment(BY, 60, 20).text)
        for number in range(20):
            body = {"hostname": f"web-{number}", "machine": f"{number:064x}"}
            made = backend.request("POST", "/api/enrol", json=body, headers=token | REMOTE)
            key = of_key(made.json()["key"]) | REMOTE
            backlog = [report(time_ms=NOW_MS - 1000 * i) for i in range(1, MOST_REPORTS)]
            for i in range(20):
                assert backend.post(report(time_ms=NOW_MS + i), headers=key).status_code == 200
                if i % 5 == 0:
                    assert backend.post(backlog, headers=key).status_code == 200


# -- floods ------------------------------------------------------------------------------------


def asked(url: str, headers: dict[str, str]) -> Callable[[int], int]:
    """Return what reads the list once, on a connection of its own."""
    return lambda _: requests.get(f"{url}/api/servers", headers=headers, timeout=20).status_code


def sent(url: str, headers: dict[str, str]) -> Callable[[int], int]:
    """Return what posts one report; each has a time of its own."""
    return lambda i: (
        requests.post(
            f"{url}/api/metrics", json=report(time_ms=NOW_MS + i), headers=headers, timeout=20
        ).status_code
    )


def stop_the_minute(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time of the limits stand still, so that they count alike on a slow machine."""
    for throttle in vars(backend.parts.guard._limiter).values():
        monkeypatch.setattr(throttle, "_clock", lambda: 0.0)


@pytest.mark.parametrize("most", [30, 10**6])
def test_f99_a_person_who_asks_without_end_is_told_to_wait_and_agents_are_not(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a limit of persons (a million) they would take what their organisation has."""
    with Backend(
        auth=True, person_requests_per_minute=most, tenant_requests_per_minute=100
    ) as backend:
        stop_the_minute(backend, monkeypatch)
        owner = owner_of(backend)
        link = backend.parts.people.links.invite(BY, "viewer")
        viewer = of_session(backend.parts.people.links.use(link, "bob", PASSWORD, HERE).token)
        agent = of_key(backend.parts.issuer.make_ingest(BY, "x").text)
        with ThreadPoolExecutor(8) as pool:
            read = list(pool.map(asked(backend.url, viewer), range(100)))
        posted = [sent(backend.url, agent)(i) for i in range(40)]
        if most == 30:
            assert (read.count(200), read.count(429)) == (30, 70)
            assert posted == [200] * 40
            assert asked(backend.url, owner)(0) == 200
            refused = backend.request("GET", "/api/servers", headers=viewer)
            assert refused.json()["error"] == "Too many requests by you; wait a little."
            assert 1 <= int(refused.headers["Retry-After"]) <= 60
        else:
            assert set(read) == {200, 429}
            assert posted == [429] * 40


@pytest.mark.parametrize("are_apart", [True, False])
def test_f103_ten_times_what_it_may_is_refused_to_one_organisation_and_nothing_to_another(
    are_apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted together, as it is not, both would be refused."""
    with Backend(auth=True, tenant_requests_per_minute=60) as backend:
        owner_of(backend)
        stop_the_minute(backend, monkeypatch)
        if not are_apart:
            limiter = backend.parts.guard._limiter
            check = limiter.check
            monkeypatch.setattr(limiter, "check", lambda who: check(replace(who, tenant="all")))
        backend.parts.people.tenants.make(BY, "second", "Second")
        other = Principal("second", "test", ADMIN)
        loud = of_key(backend.parts.issuer.make_ingest(BY, "x").text)
        quiet = of_key(backend.parts.issuer.make_ingest(other, "x").text)
        reader = of_key(backend.parts.issuer.make_personal(other, "r", ["read"], 1).text)
        with ThreadPoolExecutor(6) as pool:
            flood = pool.map(sent(backend.url, loud), range(600))
            posted = pool.map(sent(backend.url, quiet), range(20))
            read = pool.map(asked(backend.url, reader), range(20))
            refused, answers = list(flood).count(429), [*posted, *read]
        assert refused >= 540
        assert (set(answers) == {200}) is are_apart
