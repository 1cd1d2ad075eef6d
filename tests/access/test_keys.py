"""Keys: what each is good for, how it is made, traded, renewed and revoked."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hostpulse.access import keys
from hostpulse.access.denied import AccessDenied
from hostpulse.access.issuer import OVERLAP_MS
from hostpulse.access.principal import ADMIN, Principal
from hypothesis import given
from hypothesis import strategies as st

from tests.access.world import of_key
from tests.backend.control_places import Place
from tests.backend_under_test import NOW_MS, Backend, Clock, eventually, report

BY = Principal(name="test", grants=ADMIN)
MACHINE, TWIN = "ab" * 32, "cd" * 32


def enrol(backend: Backend, token: str, hostname: str = "web-1", machine: str = "") -> Any:
    body = {"hostname": hostname, "machine": machine}
    return backend.request("POST", "/api/enrol", json=body, headers=of_key(token))


def enrolled(backend: Backend, hostname: str = "web-1", machine: str = MACHINE) -> tuple[str, str]:
    """Enrol a machine; return the id of its server and its key."""
    token = backend.parts.issuer.make_enrolment(BY, 60, 1).text
    answer = enrol(backend, token, hostname, machine)
    assert answer.status_code == 200, answer.text
    return answer.json()["server"], answer.json()["key"]


def post(backend: Backend, key: str, *reports: Any) -> int:
    return backend.post(list(reports) or report(), headers=of_key(key)).status_code


def servers(backend: Backend, tenant: str = "default") -> dict[str, str]:
    return {one.id: one.hostname for one in backend.parts.servers.all(tenant)}


# -- how a key looks ---------------------------------------------------------------------------


@given(kind=st.sampled_from(list(keys.KINDS)), seed=st.binary(min_size=40, max_size=40))
def test_f93_a_key_is_known_by_its_form_and_one_wrong_letter_is_seen(
    kind: str, seed: bytes
) -> None:
    made = keys.mint(kind, lambda count: seed[-count:])
    assert keys.parse(made.text) == made
    assert made.text.startswith(f"hp_{kind}_")
    for place in range(len(made.text)):
        changed = "x" if made.text[place] != "x" else "y"
        assert keys.parse(made.text[:place] + changed + made.text[place + 1 :]) is None


@given(st.text())
def test_f93_any_text_is_a_key_or_none_and_never_an_error(text: str) -> None:
    assert keys.parse(text) is None


def test_f93_a_known_and_an_unknown_id_take_as_long(capsys: pytest.CaptureFixture[str]) -> None:
    """Both are compared with a digest; the t of Welch is printed, the medians are held."""
    with Backend(auth=True) as backend:
        good = backend.parts.issuer.make_ingest(BY, "x")
        wrong = keys.Key("in", good.id, keys.mint("in", bytes).secret).text
        unknown = keys.Key("in", "a" * 12, keys.mint("in", bytes).secret).text
        took: dict[str, list[int]] = {wrong: [], unknown: []}
        for _ in range(10_000):
            for text, times in took.items():
                before = time.perf_counter_ns()
                assert backend.parts.keyring.find(text) is None
                times.append(time.perf_counter_ns() - before)
    of_wrong, of_unknown = (sorted(times)[:9000] for times in took.values())
    spread = sum(statistics.variance(times) / len(times) for times in (of_wrong, of_unknown))
    t = (statistics.mean(of_wrong) - statistics.mean(of_unknown)) / spread**0.5
    medians = [statistics.median(times) for times in (of_wrong, of_unknown)]
    with capsys.disabled():
        print(f"\nknown id {medians[0]:.0f} ns, unknown id {medians[1]:.0f} ns, t = {t:.1f}")
    assert abs(medians[0] - medians[1]) < 0.1 * max(medians)


# -- F82, F84: an agent's key is for one server ------------------------------------------------


def test_f82_the_server_is_that_of_the_key_whatever_the_body_says(backend: Backend) -> None:
    mine, key = enrolled(backend, "web-1")
    theirs, _ = enrolled(backend, "web-2", TWIN)
    said = [report(name, NOW_MS + i) for i, name in enumerate(("web-2", theirs, "web-3", "web-1"))]
    for one in said:
        assert post(backend, key, one | {"id": theirs, "server": theirs, "tenant": "x"}) == 200
    assert servers(backend) == {mine: "web-1", theirs: "web-2"}
    found = backend.parts.servers.find("default", mine)
    assert found.newest is not None
    assert found.newest.time_ms == NOW_MS + 3
    assert backend.parts.servers.find("default", theirs).newest is None


def test_f84_a_leaked_agent_key_reads_nothing_and_revoking_it_ends_it(backend: Backend) -> None:
    server, key = enrolled(backend)
    paths = ("/api/servers", f"/api/servers/{server}", "/api/keys", "/api/people", "/api/audit")
    for path in paths:
        assert backend.request("GET", path, headers=of_key(key)).status_code == 403, path
    assert backend.request("POST", "/api/keys", json={}, headers=of_key(key)).status_code == 403
    assert post(backend, key) == 200
    backend.parts.issuer.revoke(BY, keys.parse(key).id)  # type: ignore[union-attr]
    assert post(backend, key) == 401


def test_f84_a_renewed_key_overlaps_for_a_day_and_no_sample_is_lost(backend: Backend) -> None:
    server, old = enrolled(backend)
    made = backend.request("POST", "/api/agent/key", headers=of_key(old))
    new = made.json()["key"]
    for i, key in enumerate((old, new, old, new)):
        assert post(backend, key, report(time_ms=NOW_MS + i)) == 200
    assert list(servers(backend)) == [server]
    backend.clock.advance(OVERLAP_MS)
    assert (post(backend, old), post(backend, new)) == (401, 200)


def test_f84_an_agent_that_lost_its_new_key_renews_again_and_two_are_good_at_most(
    backend: Backend,
) -> None:
    _, old = enrolled(backend)
    ask = [backend.request("POST", "/api/agent/key", headers=of_key(old)) for _ in range(2)]
    lost, new = (answer.json()["key"] for answer in ask)
    assert [post(backend, key) for key in (old, lost, new)] == [200, 401, 200]


@pytest.mark.parametrize("deed", ["revoke the key", "delete the server"])
def test_f83_a_key_that_was_revoked_elsewhere_gets_no_new_one(
    pair: list[Backend], deed: str
) -> None:
    """The other process has not learned of it yet: the store has the last word."""
    one, other = pair
    server, key = enrolled(one)
    eventually(lambda: post(other, key) == 200)
    other.parts.key_refresh.close()
    other.parts.keyring.refresh()
    if deed == "revoke the key":
        one.parts.issuer.revoke(BY, keys.parse(key).id)  # type: ignore[union-attr]
    else:
        one.parts.issuer.revoke_of_server(BY, server)
    assert other.parts.keyring.find(key) is not None
    answer = other.request("POST", "/api/agent/key", headers=of_key(key))
    assert answer.status_code == 401
    assert one.parts.issuer.list(BY) == []


def test_f83_a_revoked_key_is_refused_by_every_process_within_a_second(
    pair: list[Backend], capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = pair
    took = []
    for _ in range(5):
        key = one.parts.issuer.make_ingest(BY, "x")
        eventually(lambda key=key: post(other, key.text) == 200, 1)  # type: ignore[misc]
        one.parts.issuer.revoke(BY, key.id)
        before = time.monotonic()
        assert post(one, key.text) == 401
        eventually(lambda key=key: post(other, key.text) == 401, 2)  # type: ignore[misc]
        took.append(time.monotonic() - before)
    with capsys.disabled():
        print(f"\nrevoked in the other process after {max(took) * 1000:.0f} ms at most")
    assert max(took) <= 1


def test_f83_a_deleted_server_does_not_come_back_by_a_post_to_another_process(
    pair: list[Backend],
) -> None:
    """Its key is good there for some 0.5 s more; here that lasts until the end of the test."""
    one, other = pair
    token = one.parts.issuer.make_enrolment(BY, 60, 1).text
    made = enrol(one, token, "web-1", "ab" * 32).json()
    eventually(lambda: post(other, made["key"]) == 200, 2)
    other.parts.registrar.save()
    other.parts.key_refresh.close()
    delete = of_key(one.parts.issuer.make_personal(BY, "d", ["manage"], 1).text)
    path = f"/api/servers/{made['server']}"
    assert one.request("DELETE", path, headers=delete).status_code == 200
    other.parts.registrar.save()
    assert post(other, made["key"]) == 200, "it is the post that comes too late"
    assert other.parts.servers.count("default") == 1
    for backend in (other, one):
        backend.parts.registrar.save()
    assert [backend.parts.servers.count("default") for backend in pair] == [0, 0]


def test_f84_a_token_makes_no_other_token(backend: Backend) -> None:
    """A leaked one would live on in those, when it is revoked itself."""
    token = backend.parts.issuer.make_personal(BY, "script", ["manage"], 1).text
    wish = {"label": "x", "scopes": ["manage"], "days": 3650}
    made = backend.request("POST", "/api/tokens", json=wish, headers=of_key(token))
    assert made.status_code == 403
    ingest = {"label": "x"}
    assert backend.request("POST", "/api/keys", json=ingest, headers=of_key(token)).ok


# -- enrolment ---------------------------------------------------------------------------------


def test_a_token_is_good_once_even_for_many_at_a_time(backend: Backend) -> None:
    token = backend.parts.issuer.make_enrolment(BY, 60, 1).text
    with ThreadPoolExecutor(4) as pool:
        machines = [f"{number:064x}" for number in range(4)]
        answers = pool.map(lambda one: enrol(backend, token, "web-1", one), machines)
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert len(servers(backend)) == 1


def test_a_token_ends_with_its_time(backend: Backend) -> None:
    token = backend.parts.issuer.make_enrolment(BY, 60, 5).text
    backend.clock.advance(60 * 60_000 - 1)
    assert enrol(backend, token).status_code == 200
    backend.clock.advance(1)
    assert enrol(backend, token, "web-2").status_code == 401


def test_a_machine_whose_answer_was_lost_enrols_again_with_the_same_token(backend: Backend) -> None:
    token = backend.parts.issuer.make_enrolment(BY, 60, 1, ["rack-7"]).text
    lost, got = (enrol(backend, token, "web-1", MACHINE).json() for _ in range(2))
    assert lost["server"] == got["server"]
    assert lost["key"] != got["key"]
    assert (post(backend, lost["key"]), post(backend, got["key"])) == (401, 200)
    assert enrol(backend, token, "web-1", TWIN).status_code == 401
    assert enrol(backend, token, "web-1").status_code == 401


def test_a_token_that_another_process_made_this_moment_is_good(pair: list[Backend]) -> None:
    one, other = pair
    other.parts.key_refresh.close()
    token = one.parts.issuer.make_enrolment(BY, 60, 1).text
    assert enrol(other, token).status_code == 200


def test_tags_that_no_page_could_show_are_refused(backend: Backend) -> None:
    for tag in ("", "x" * 256, "a\x1bb"):
        with pytest.raises(AccessDenied, match="tags: use 1 to"):
            backend.parts.issuer.make_enrolment(BY, 60, 1, [tag])


def test_by_ingest_keys_come_only_so_many_servers_and_enrolling_goes_on() -> None:
    with Backend(auth=True, max_keyless_servers=2) as backend:
        ingest = of_key(backend.parts.issuer.make_ingest(BY, "curl").text)
        names = ("a", "b", "c")
        answers = [backend.post(report(name), headers=ingest) for name in names]
        assert [answer.status_code for answer in answers] == [200, 200, 403]
        assert "max_keyless_servers" in answers[-1].json()["error"]
        token = backend.parts.issuer.make_enrolment(BY, 60, 1).text
        assert enrol(backend, token, "c").status_code == 200
        reader = of_key(backend.parts.issuer.make_personal(BY, "r", ["read"], 1).text)
        rows = backend.request("GET", "/api/servers", headers=reader).json()["servers"]
        flags = {row["hostname"]: row.get("flags", []) for row in rows}
        assert flags == {"a": ["no_key"], "b": ["no_key"], "c": []}


def test_machines_of_one_image_are_servers_of_their_own(backend: Backend) -> None:
    token = backend.parts.issuer.make_enrolment(BY, 60, 4).text
    first = enrol(backend, token, "vm-1", MACHINE).json()
    assert post(backend, first["key"]) == 200
    backend.parts.keyring.refresh()  # writes down that the key arrived
    others = [enrol(backend, token, name, MACHINE).json() for name in ("vm-2", "vm-1")]
    assert len({one["server"] for one in (first, *others)}) == 3
    assert post(backend, first["key"]) == 200


def test_a_hostname_with_a_key_of_its_own_takes_no_samples_without(backend: Backend) -> None:
    enrolled(backend, "web-1")
    ingest = of_key(backend.parts.issuer.make_ingest(BY, "curl").text)
    answer = backend.post(report("web-1"), headers=ingest)
    assert (answer.status_code, "its own key" in answer.text) == (403, True)


def test_a_plain_server_is_taken_over_with_its_history_and_the_tags_of_the_token(
    place: Place,
) -> None:
    clock = Clock()
    with place.backend(clock, auth=True) as backend:
        backend.accept([report("web-1", NOW_MS - 1000 * i) for i in (3, 2, 1)])
        backend.parts.registrar.save()
        (plain,) = servers(backend)
        token = backend.parts.issuer.make_enrolment(BY, 60, 1, ["rack-7"]).text
        got = enrol(backend, token, "web-1", MACHINE).json()
        assert got["server"] == plain
        assert post(backend, got["key"], report("web-1", NOW_MS)) == 200
        clock.advance(1000)
        asked = {"metrics": "cpu_percent_total"}
        reader = of_key(backend.parts.issuer.make_personal(BY, "r", ["read"], 1).text)
        path = f"/api/servers/{plain}/history"
        history = backend.request("GET", path, params=asked, headers=reader).json()
        assert len(history["times"]) == 4
        refused = backend.post(report("web-1", NOW_MS + 1))
        assert refused.status_code == 403
        assert "its own key" in refused.json()["error"]
    with place.backend(clock, auth=True) as again:
        assert again.post(report("web-1", NOW_MS + 2)).status_code == 403
        kept = again.parts.servers.find("default", plain)
        assert (kept.enrolled, kept.given_tags) == (True, ("rack-7",))


def test_a_full_list_takes_no_new_machine_and_uses_up_no_token(place: Place) -> None:
    with place.backend(auth=True, max_servers=1) as backend:
        backend.accept(report("web-1"))
        token = backend.parts.issuer.make_enrolment(BY, 60, 1).text
        refused = enrol(backend, token, "web-2", MACHINE)
        assert refused.status_code == 403
        assert "max_servers" in refused.json()["error"]
        assert enrol(backend, token, "web-1", MACHINE).status_code == 200
        assert enrol(backend, token, "web-1", MACHINE).status_code == 200


@pytest.mark.parametrize("name", ["boot_id", "run"])
def test_a_cloned_machine_is_flagged_and_a_restarted_one_is_not(
    backend: Backend, name: str
) -> None:
    server, key = enrolled(backend)
    shown = of_key(backend.parts.issuer.make_personal(BY, "r", ["read"], 1).text)

    def boots(*ids: str) -> bool:
        for id_ in ids:
            agent = {"version": "1", "interval_seconds": 5, "boot_id": "same", name: id_}
            assert (
                post(backend, key, report(time_ms=backend.clock.advance(5000), agent=agent)) == 200
            )
        row = backend.request("GET", f"/api/servers/{server}", headers=shown).json()
        return "cloned" in row.get("flags", [])

    assert not boots("A", "A", "B", "B", "C")
    assert boots("D", "E", "F", "D")
    backend.clock.advance(2 * 3_600_000)
    assert not boots("D", "G")


# -- two organisations, one name ---------------------------------------------------------------


def test_f80_one_hostname_in_two_organisations_is_two_servers_with_their_own_history(
    backend: Backend,
) -> None:
    backend.parts.people.tenants.make(BY, "second", "Second")
    tenants = {"default": BY, "second": Principal("second", "test", ADMIN)}
    values = {"default": 11.0, "second": 22.0}
    for tenant, by in tenants.items():
        key = backend.parts.issuer.make_ingest(by, "x").text
        for i in range(3):
            body = report("web-1", NOW_MS - i, cpu={"cpu_percent_total": values[tenant]})
            assert post(backend, key, body) == 200
    for tenant, by in tenants.items():
        reader = of_key(backend.parts.issuer.make_personal(by, "r", ["read"], 1).text)
        asked = {"metrics": "cpu_percent_total"}
        path = "/api/servers/web-1/history"
        found = backend.request("GET", path, params=asked, headers=reader).json()
        assert {v for v in found["series"][0]["mean"] if v is not None} == {values[tenant]}
    one, two = (set(servers(backend, tenant)) for tenant in tenants)
    assert not one & two
    delete = of_key(backend.parts.issuer.make_personal(tenants["second"], "d", ["manage"], 1).text)
    assert backend.request("DELETE", "/api/servers/web-1", headers=delete).ok
    assert set(servers(backend)) == one
    reader = of_key(backend.parts.issuer.make_personal(BY, "r", ["read"], 1).text)
    path, asked = "/api/servers/web-1/history", {"metrics": "cpu_percent_total"}
    found = backend.request("GET", path, params=asked, headers=reader).json()
    assert found["series"]


def test_a_hostname_of_two_servers_is_a_409_that_lists_their_ids(backend: Backend) -> None:
    ids = [enrolled(backend, "web-1", machine)[0] for machine in (MACHINE, TWIN)]
    backend.parts.people.tenants.make(BY, "second", "Second")
    other = Principal("second", "test", ADMIN)
    assert post(backend, backend.parts.issuer.make_ingest(other, "x").text, report("web-1")) == 200
    reader = of_key(backend.parts.issuer.make_personal(BY, "r", ["manage"], 1).text)
    for method, path in (("GET", ""), ("GET", "/cpu"), ("DELETE", "")):
        answer = backend.request(method, f"/api/servers/web-1{path}", headers=reader)
        assert answer.status_code == 409
        sentence = answer.json()["error"]
        assert all(id_ in sentence for id_ in ids)
        assert sentence.count("srv_") == 2
        for id_ in ids:
            assert backend.request("GET", f"/api/servers/{id_}", headers=reader).ok
