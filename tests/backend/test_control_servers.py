"""Servers outlive a restart and a crash, and processes that share a store agree on them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from hostpulse.control.registrar import LOOK_SECONDS
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from tests.backend.control_places import PLACES, Place, place_of
from tests.backend_under_test import NOW_MS, Backend, Clock, eventually, report
from tests.conftest import ROUNDS
from tests.full_report import full_report
from tests.postgres_server import GivenPostgres
from tests.programs import Server, now_ms

AGENT = {"version": "1.0", "interval_seconds": 30}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, request.param, tmp_path / "data")


@pytest.fixture
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, "postgresql", tmp_path / "data")


def everything(backend: Backend) -> dict[str, Any]:
    """Return all that the API says of servers, samples apart."""
    said = {"list": backend.json("/api/servers")}
    for row in said["list"]["servers"]:
        path = f"/api/servers/{row['id']}"
        said[path] = (backend.json(path), backend.json(f"{path}/latest"))
    return said


def test_a_restart_changes_nothing_that_is_said_of_servers(place: Place) -> None:
    clock = Clock()
    with place.backend(clock) as backend:
        whole, _ = full_report(hostname="full", tags=["prod", "größer"])
        whole["agent"] |= AGENT
        whole["system"] |= {"os": "Debian", "kernel": "6.1"}
        backend.accept(whole)
        backend.accept(report("ahead", NOW_MS + 3_600_000, agent=AGENT))
        clock.advance(70_000)
        backend.accept(report("late", NOW_MS - 10_000, agent=AGENT))
        backend.accept(report("web 1/../ü", clock(), agent=AGENT, tags=["a\u0000b", "x"]))
        backend.parts.registrar.save()
        before = everything(backend)
    assert len(before["list"]["servers"]) == 4
    assert {row["number"] for row in before["list"]["servers"]} == {1, 2, 3, 4}
    with place.backend(clock) as again:
        assert everything(again) == before
        clock.advance(60_000)
        counts = again.json("/api/servers")["counts"]
        assert (counts["up"], counts["late"]) == (2, 2)


def test_the_end_saves_what_no_round_has_saved_yet(place: Place) -> None:
    clock = Clock()
    with place.backend(clock) as backend:
        for _ in range(3):
            backend.accept(report(time_ms=clock.advance(1)))
    with place.backend(clock) as again:
        (row,) = again.json("/api/servers")["servers"]
    assert (row["last_seen"], row["time"], row["number"]) == (NOW_MS + 3, NOW_MS + 3, 1)


def test_a_restart_judges_by_when_each_was_seen_not_by_its_last_report(place: Place) -> None:
    clock = Clock()
    with place.backend(clock) as backend:
        for wait in (0, 5000):
            backend.accept(report("slow-clock", clock.advance(wait) - 300_000))
        backend.accept(report("backlog", clock() - 300_000))
    with place.backend(clock) as again:
        rows = again.json("/api/servers")["servers"]
        found = {row["hostname"]: (row["status"], row["last_seen"]) for row in rows}
        assert found == {"slow-clock": ("up", clock()), "backlog": ("down", clock() - 300_000)}
        again.accept(report("slow-clock", clock.advance(5000) - 300_000))
        assert again.json("/api/servers/slow-clock")["last_seen"] == clock()


def test_counters_go_on_over_a_restart(place: Place) -> None:
    clock = Clock()

    def counted(sent: int) -> dict[str, Any]:
        return report(time_ms=clock(), io={"network": {"eth0": {"bytes_sent": sent}}})

    with place.backend(clock) as backend:
        backend.accept(counted(1000))
    clock.advance(5000)
    with place.backend(clock) as again:
        again.accept(counted(6000))
        (row,) = again.json("/api/servers")["servers"]
    assert row["bytes_sent_per_sec"] == 1000


def test_text_that_no_database_takes_stops_no_round(place: Place) -> None:
    odd = {"tags": ["\ud800", "a\u0000b"], "system": {"os": "\udfff", "kernel": "\u0000"}}
    with place.backend() as backend:
        backend.accept([report("odd", **odd), report("even")])
        backend.parts.registrar.save()
        assert place.ask("SELECT count(*) FROM servers") == [(2,)]
    with place.backend() as again:
        assert again.json("/api/servers")["total"] == 2


def test_servers_come_back_however_many_may_be_new(place: Place) -> None:
    with place.backend() as backend:
        backend.accept([report("a"), report("b"), report("c")])
    with place.backend(max_servers=2) as again:
        assert again.json("/api/servers")["total"] == 3
        assert again.post(report("a", NOW_MS + 1)).status_code == 200
        assert again.post(report("d")).status_code == 403


def test_a_report_that_this_version_cannot_read_costs_no_server(place: Place) -> None:
    with place.backend() as backend:
        backend.accept(report())
        known = backend.json("/api/servers")["servers"][0]["id"]
    blob = "'\\x7b7d'" if place.url else "x'7b7d'"
    place.ask(f"UPDATE servers SET report = {blob}")
    with place.backend() as again:
        (row,) = again.json("/api/servers")["servers"]
        assert (row["id"], row["status"]) == (known, "up")
        again.accept(report(time_ms=NOW_MS + 1))
        assert again.json("/api/servers")["servers"][0]["time"] == NOW_MS + 1


def test_a_forgotten_server_stays_forgotten(place: Place) -> None:
    with place.backend() as backend:
        backend.accept([report("kept"), report("saved")])
        backend.parts.registrar.save()
        backend.accept([report("saved", NOW_MS + 1), report("new")])
        for name in ("saved", "new"):
            assert backend.request("DELETE", f"/api/servers/{name}").status_code == 200
        assert place.ask("SELECT hostname FROM servers") == [("kept",)]
        backend.parts.registrar.save()
    with place.backend() as again:
        assert [row["hostname"] for row in again.json("/api/servers")["servers"]] == ["kept"]


def test_a_server_that_comes_back_is_a_new_one(place: Place) -> None:
    with place.backend() as backend:
        numbers = []
        for _ in range(2):
            backend.accept(report())
            backend.parts.registrar.save()
            numbers.append(backend.json("/api/servers/web-1")["number"])
            assert backend.request("DELETE", "/api/servers/web-1").status_code == 200
    assert numbers == [1, 2]


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_paused_server_stays_paused(place: Place, is_saved: bool) -> None:
    with place.backend() as backend:
        backend.accept([report("a"), report("b")])
        if is_saved:
            backend.parts.registrar.save()
        backend.parts.registrar.say(
            "default", backend.parts.servers.find("default", "a"), paused=True
        )
        paused = "SELECT hostname FROM servers WHERE paused"
        assert place.ask(paused) == [("a",)]
        backend.accept([report("a", NOW_MS + 1)])
    with place.backend() as again:
        assert again.json("/api/servers/a")["status"] == "paused"
        again.parts.registrar.say("default", again.parts.servers.find("default", "a"), paused=False)
        assert again.json("/api/servers/a")["status"] == "up"
    assert place.ask(paused) == []


def test_five_hundred_servers_are_saved_in_one_round(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with place.backend() as backend:
        backend.parts.saving.close()
        took = []
        for i in range(3):
            reports = [full_report(hostname=f"web-{n}", time_ms=NOW_MS + i)[0] for n in range(500)]
            for start in range(0, 500, 100):
                backend.accept(reports[start : start + 100])
            before = time.perf_counter()
            backend.parts.registrar.save()
            took.append(time.perf_counter() - before)
            assert place.ask("SELECT change, numbers FROM counters") == [(i + 1, 500)]
            changed = f"SELECT count(*) FROM servers WHERE sample_ms = {NOW_MS + i}"
            assert place.ask(changed) == [(500,)]
    with capsys.disabled():
        print(f"\n500 servers, one round: {', '.join(f'{one * 1000:.0f} ms' for one in took)}")
    with place.backend() as again:
        assert again.json("/api/servers")["total"] == 500


def test_a_round_without_news_writes_nothing(place: Place) -> None:
    with place.backend() as backend:
        backend.accept(report())
        for _ in range(3):
            backend.parts.registrar.save()
        assert place.ask("SELECT change FROM counters") == [(1,)]


# -- crashes ----------------------------------------------------------------------------------


def test_a_killed_backend_has_lost_a_second_at_most(
    place: Place, rounds: int, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    acknowledged: dict[str, int] = {}
    for turn in range(max(rounds // 10, 2)):
        server = Server(log, env=place.environment())
        try:
            shown = {row["hostname"]: row for row in server.json("/api/servers")["servers"]}
            assert shown.keys() == acknowledged.keys()
            for name, at in acknowledged.items():
                assert shown[name]["last_seen"] >= at, name
            end = time.monotonic() + 2 + turn * 0.37 % 1
            sent: list[tuple[str, int]] = []
            while time.monotonic() < end:
                name = f"web-{len(sent) % 7}"
                server.accept(report(name, now_ms()))
                sent.append((name, now_ms()))
                time.sleep(0.02)
            killed = now_ms()
        finally:
            server.kill()
        assert server.process.returncode == -signal.SIGKILL
        # What was acknowledged more than a second, and a busy machine's second, before the end.
        acknowledged |= {name: at - 100 for name, at in sent if at < killed - 2000}
        acknowledged |= {name: 0 for name, _ in sent if name not in acknowledged}
    assert len(acknowledged) == 7


def test_a_server_that_was_forgotten_before_the_kill_is_gone(place: Place, tmp_path: Path) -> None:
    server = Server(tmp_path / "log", env=place.environment())
    try:
        server.accept([report("kept", now_ms()), report("gone", now_ms())])
        eventually(lambda: place.ask("SELECT count(*) FROM servers") == [(2,)])
        server.accept(report("gone", now_ms() + 1))
        answer = requests.delete(f"{server.url}/api/servers/gone", timeout=10)
        assert answer.status_code == 200
    finally:
        server.kill()
    assert server.process.returncode == -signal.SIGKILL
    with place.backend() as again:
        assert [row["hostname"] for row in again.json("/api/servers")["servers"]] == ["kept"]


# -- a store that is away ---------------------------------------------------------------------


def control(backend: Backend) -> dict[str, str]:
    health = backend.json("/api/health")
    assert (health["status"] == "ok") == (health["components"]["control"]["status"] == "ok")
    return health["components"]["control"]


def test_reports_are_taken_while_the_store_is_away(shared: Place, postgres: GivenPostgres) -> None:
    with shared.backend() as backend:
        backend.accept(report())
        backend.parts.registrar.save()
        postgres.stop("immediate")
        try:
            eventually(lambda: control(backend)["status"] == "failed", 30)
            assert control(backend)["problem"].startswith("control: the store does not answer: ")
            backend.accept([report(time_ms=NOW_MS + 1), report("new")])
            assert {row["hostname"] for row in backend.json("/api/servers")["servers"]} == {
                "web-1",
                "new",
            }
            refused = backend.request("DELETE", "/api/servers/web-1")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            assert refused.json()["error"].startswith("control: ")
            assert backend.get("/api/servers/web-1").status_code == 200
        finally:
            postgres.start()
        eventually(lambda: control(backend)["status"] == "ok", 30)
        saved = "SELECT hostname, sample_ms FROM servers ORDER BY hostname"
        assert shared.ask(saved) == [("new", NOW_MS), ("web-1", NOW_MS + 1)]


def test_a_store_that_hangs_stops_no_report(shared: Place, postgres: GivenPostgres) -> None:
    assert postgres.pid  # its processes are on this machine
    with shared.backend() as backend:
        backend.accept(report())
        backend.parts.registrar.save()
        sessions = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        mine = f"{sessions} AND application_name = 'hostpulse'"
        pids = [pid for (pid,) in shared.ask(mine)]
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            slowest = 0.0
            until = time.monotonic() + 5
            while time.monotonic() < until:
                before = time.monotonic()
                backend.accept(report(f"web-{before}", NOW_MS))
                slowest = max(slowest, time.monotonic() - before)
                time.sleep(0.05)
            assert slowest < 2
            eventually(lambda: control(backend)["status"] == "failed", 30)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        eventually(lambda: control(backend)["status"] == "ok", 30)
        total = backend.json("/api/servers")["total"]
        eventually(lambda: shared.ask("SELECT count(*) FROM servers") == [(total,)])


# -- processes that share a store --------------------------------------------------------------


@pytest.fixture
def pair(shared: Place, tmp_path: Path) -> Iterator[list[Backend]]:
    """Two backends on one store and one clock, which learn when the test says so."""
    with ExitStack() as stack:
        clock = Clock()
        folders = (tmp_path / "one", tmp_path / "other")
        both = [Place(folder, shared.url).backend(clock) for folder in folders]
        for backend in both:
            stack.enter_context(backend)
            backend.parts.saving.close()
        yield both


def exchange(*backends: Backend) -> None:
    """Let each save, and then learn what the others saved."""
    for _ in range(2):
        for backend in backends:
            backend.parts.registrar.save()


def test_a_new_server_is_known_to_all_by_one_number(pair: list[Backend]) -> None:
    one, other = pair
    one.accept([report("a"), report("b", agent=AGENT, tags=["x"])])
    other.accept([report("b", NOW_MS - 1), report("c")])
    exchange(one, other)
    lists = [{row["id"]: row for row in each.json("/api/servers")["servers"]} for each in pair]
    assert lists[0] == lists[1]
    assert sorted(row["number"] for row in lists[0].values()) == [1, 2, 3]


def test_who_asks_for_a_server_that_another_process_has_saved_finds_it(pair: list[Backend]) -> None:
    one, other = pair
    one.accept(report())
    assert other.get("/api/servers/web-1").status_code == 404
    one.parts.registrar.save()
    eventually(lambda: other.get("/api/servers/web-1").status_code == 200, 5 * LOOK_SECONDS)


def test_a_flood_of_unknown_names_asks_the_store_a_few_times(pair: list[Backend]) -> None:
    _, other = pair
    asked: list[None] = []
    event.listen(other.parts.registrar._store._engine, "begin", lambda _: asked.append(None))
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        names = [f"/api/servers/nobody-{number}" for number in range(400)]
        assert {answer.status_code for answer in pool.map(other.get, names)} == {404}
    chores_per_second = 4  # they ask the same store: to save, for keys, for refusals
    most = (time.monotonic() - began) * (1 / LOOK_SECONDS + chores_per_second) + 4
    assert 1 <= len(asked) <= most


def test_the_newer_report_wins_everywhere(pair: list[Backend]) -> None:
    one, other = pair
    one.accept(report(cpu={"cpu_percent_total": 1}))
    exchange(one, other)
    one.accept(report(time_ms=NOW_MS + 2, cpu={"cpu_percent_total": 2}))
    other.accept(report(time_ms=NOW_MS + 1, cpu={"cpu_percent_total": 3}))
    exchange(other, one)
    for each in pair:
        (row,) = each.json("/api/servers")["servers"]
        assert (row["time"], row["cpu_percent_total"]) == (NOW_MS + 2, 2)


def test_reports_between_the_rounds_of_all_are_missed_by_none(pair: list[Backend]) -> None:
    end = time.monotonic() + 2

    def post(backend: Backend, offset: int) -> None:
        sent = 0
        while time.monotonic() < end:
            sent += 1
            backend.accept(report(f"web-{sent % 50}", NOW_MS + 2 * sent + offset))

    def save(backend: Backend) -> None:
        while time.monotonic() < end:
            backend.parts.registrar.save()

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(post, each, offset) for offset, each in enumerate(pair)]
        work += [pool.submit(save, each) for each in pair]
    assert [one.result() for one in work] == [None] * 4
    exchange(*pair)
    lists = [{row["id"]: row for row in each.json("/api/servers")["servers"]} for each in pair]
    assert lists[0] == lists[1]
    assert sorted(row["number"] for row in lists[0].values()) == list(range(1, 51))


def test_what_one_forgot_or_paused_is_so_for_all(pair: list[Backend]) -> None:
    one, other = pair
    one.accept([report("gone"), report("paused"), report("kept")])
    exchange(one, other)
    one.parts.registrar.say("default", one.parts.servers.find("default", "paused"), paused=True)
    assert one.request("DELETE", "/api/servers/gone").status_code == 200
    other.accept([report("gone", NOW_MS + 1), report("paused", NOW_MS + 1)])
    exchange(other, one)
    for each in pair:
        shown = {row["hostname"]: row["status"] for row in each.json("/api/servers")["servers"]}
        assert shown == {"paused": "paused", "kept": "up"}
    other.accept(report("gone", NOW_MS + 2))
    exchange(other, one)
    assert [each.json("/api/servers/gone")["number"] for each in pair] == [4, 4]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.sampled_from("ab"), st.booleans(), st.sampled_from([5, 30])),
        st.tuples(st.just("forget"), st.sampled_from("ab"), st.booleans()),
        st.tuples(st.just("save"), st.booleans()),
        st.tuples(st.just("wait"), st.sampled_from([1, 900, 20_000])),
        st.tuples(st.just("ask"), st.booleans()),
    ),
    max_size=14,
)


class Client:
    """A page behind a proxy: each question may reach another process."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: dict[str, Any] = {}
        self.since: int | None = None

    def ask(self, backend: Backend) -> None:
        query = {} if self.since is None else {"since": self.since}
        answer = backend.json("/api/servers", **query)
        if not self._merge(answer):
            answer = backend.json("/api/servers")
            assert self._merge(answer)
        self.since = answer["now"]

    def _merge(self, answer: dict[str, Any]) -> bool:
        rows = dict(self.rows) if answer["delta"] else {}
        ids = {row["number"]: name for name, row in rows.items() if row["number"]}
        for row in answer["servers"]:
            name = row.get("id") or ids.get(row["number"])
            if name is None:
                return False
            rows[name] = rows.get(name, {}) | row
        self.rows = rows
        return len(rows) == answer["total"]


def test_a_page_whose_questions_reach_other_processes_misses_nothing(pair: list[Backend]) -> None:
    one, other = pair
    client = Client(one.clock)
    one.accept(report(system={"kernel": "6.1"}))
    exchange(one, other)
    client.ask(other)
    client.clock.advance(5000)
    one.accept(report(time_ms=client.clock(), system={"kernel": "6.2"}))
    one.parts.registrar.save()
    client.clock.advance(900)
    for asked in (other, one):
        client.ask(asked)
    assert [row["kernel"] for row in client.rows.values()] == ["6.2"]


@settings(max_examples=ROUNDS)
@given(data=st.data())
def test_deltas_of_changing_processes_add_up(shared_for_all: Place, data: st.DataObject) -> None:
    steps = data.draw(STEPS)
    shared_for_all.ask("DELETE FROM servers")
    shared_for_all.ask("UPDATE counters SET change = 0, forgotten = 0, numbers = 0")
    clock = Clock()
    folders = (shared_for_all.folder / "one", shared_for_all.folder / "other")
    with ExitStack() as stack:
        pair = [Place(folder, shared_for_all.url).backend(clock) for folder in folders]
        for backend in pair:
            stack.enter_context(backend)
            backend.parts.saving.close()
        client = Client(clock)
        clock.advance(1)
        for kind, *what in steps:
            take(pair, client, kind, what)
        exchange(*pair)
        clock.advance(1)
        last = pair[data.draw(st.integers(0, 1))]
        client.ask(last)
        assert client.rows == {row["id"]: row for row in last.json("/api/servers")["servers"]}


def take(pair: list[Backend], client: Client, kind: str, what: list[Any]) -> None:
    """Do one step of a story."""
    clock = client.clock
    if kind == "post":
        agent = {"version": "1", "interval_seconds": what[2]}
        pair[what[1]].accept(report(what[0], clock(), agent=agent))
    elif kind == "forget":
        assert pair[what[1]].request("DELETE", f"/api/servers/{what[0]}").status_code in (200, 404)
    elif kind == "save":
        pair[what[0]].parts.registrar.save()
    elif kind == "wait":
        if what[0] > 1000:  # each process exchanges once a second
            exchange(*pair)
        clock.advance(what[0])
    else:
        client.ask(pair[what[0]])


@pytest.fixture(scope="module")
def shared_for_all(
    postgres: GivenPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("shared"), postgres.create_database())
    with place.opened():
        pass
    yield place
