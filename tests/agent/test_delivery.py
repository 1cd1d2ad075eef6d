"""What happens to a report for each thing a server may answer."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hostpulse_agent.clock import Clock
from hostpulse_agent.delivery import Delivery
from hostpulse_agent.journal import Journal
from hostpulse_agent.refused import FILE_NAME, Refused
from hostpulse_agent.sender import Transport
from hostpulse_agent.spool import Limits, Spool

from tests.agent.server import Reply, Request, Server, serving


@dataclass
class Rig:
    """A delivery whose time a test sets, before a real server."""

    server: Server
    directory: Path
    seconds: float = 1000.0
    log: io.StringIO = field(default_factory=io.StringIO)
    made: int = 0
    key: str = "key"

    def __post_init__(self) -> None:
        journal = Journal(lambda: self.log, lambda: self.seconds)
        self.spool = Spool(self.directory, Limits())
        clock = Clock(monotonic=lambda: self.seconds)
        transport = Transport(self.server.url, lambda: self.key, "", 2)
        refused = Refused(self.directory, journal)
        self.delivery = Delivery(transport, self.spool, clock, journal, refused)
        self.delivery.random_between = lambda low, high: high

    def offer(self, count: int = 1) -> None:
        for _ in range(count):
            self.made += 1
            report = json.dumps({"hostname": "h", "timestamp": f"t{self.made:04d}"}).encode()
            self.delivery.offer(self.made * 1000, report)

    def posts_in(self, seconds: float) -> list[int]:
        """Let time pass in steps of a second; return how many reports each post carried."""
        before = len(self.server.requests)
        for _ in range(int(seconds)):
            while self.delivery.step():
                pass
            self.seconds += 1
        return [len(request.reports) for request in self.server.requests[before:]]


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    with serving(Server()) as server:
        yield Rig(server, tmp_path)


def test_a_report_that_is_accepted_never_touches_the_disk(rig: Rig) -> None:
    rig.offer()
    assert rig.posts_in(1) == [1]
    assert rig.delivery.state()["spool_reports"] == 0
    assert not list(rig.directory.glob("*.spool"))


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 404, 301, 200])
def test_any_answer_that_is_no_success_keeps_the_report(rig: Rig, status: int) -> None:
    rig.server.answers = [(status, {}, b"<html>something else</html>")]
    rig.offer()
    rig.delivery.step()
    assert rig.delivery.state()["spool_reports"] == 1
    assert rig.posts_in(70) == [1]
    assert rig.server.accepted == {"t0001": 1}
    assert rig.delivery.state()["spool_reports"] == 0


def test_pauses_grow_to_a_minute_and_begin_anew_after_a_success(rig: Rig) -> None:
    rig.server.judge = lambda _: (503, {}, {"error": "later"})
    rig.offer()
    moments = []
    for _ in range(400):
        if rig.delivery.step():
            moments.append(rig.seconds)
        rig.seconds += 1
    pauses = [after - before for before, after in zip(moments, moments[1:])]
    assert pauses[:6] == [2, 4, 8, 16, 32, 60]
    assert set(pauses[6:]) == {60}
    rig.server.judge = None
    assert rig.posts_in(61) == [1]
    rig.offer()
    assert rig.posts_in(1) == [1]


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_is_honoured(rig: Rig, status: int) -> None:
    rig.server.answers = [(status, {"Retry-After": "120"}, {"error": "busy"})]
    rig.offer()
    rig.delivery.step()
    assert rig.posts_in(119) == []
    assert rig.posts_in(2) == [1]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_agent_keeps_its_reports_and_tries_every_five_minutes(
    rig: Rig, status: int
) -> None:
    rig.server.judge = lambda _: (status, {}, {"error": "this key was revoked"})
    rig.offer()
    rig.delivery.step()
    rig.offer(10)
    assert len(rig.posts_in(900)) == 2
    assert rig.delivery.state()["spool_reports"] == 11
    rig.server.judge = None
    rig.posts_in(301)
    assert len(rig.server.accepted) == 11


def test_a_refused_agent_tells_once_in_the_server_s_words_why(rig: Rig) -> None:
    rig.server.judge = lambda _: (503, {}, {"error": "later"})
    rig.offer()
    rig.posts_in(61)
    for words in ("this key was revoked", "this server was deleted"):
        rig.server.judge = lambda _, words=words: (403, {}, {"error": f"{words}."})
        rig.posts_in(3000)
        assert rig.log.getvalue().count(f"{words}; reports are kept") == 1
    rig.server.judge = None
    rig.posts_in(301)
    assert rig.log.getvalue().count("the server accepts reports again") == 1


@pytest.mark.parametrize("status", [401, 403, 409, 410])
def test_no_refusal_for_good_costs_a_report(rig: Rig, status: int) -> None:
    rig.server.judge = lambda _: (status, {}, {"error": "never again"})
    for _ in range(11):
        rig.offer()
        rig.posts_in(330)
    assert rig.delivery.state()["spool_reports"] == 11
    assert rig.delivery.state()["dropped_reports"] == rig.delivery.state()["refused_reports"] == 0
    rig.server.judge = None
    rig.posts_in(301)
    assert len(rig.server.accepted) == 11


def test_a_new_key_ends_the_pause_after_a_refusal_with_the_next_report(rig: Rig) -> None:
    def judge(request: Request) -> Reply:
        if request.headers["Authorization"] == "Bearer key":
            return 401, {}, {"error": "this key was revoked"}
        return rig.server.success(request)

    rig.server.judge = judge
    rig.offer(2)
    rig.posts_in(100)
    assert rig.server.accepted == {}
    rig.key = "another"
    rig.offer()
    rig.posts_in(5)
    assert rig.server.accepted == {"t0001": 1, "t0002": 1, "t0003": 1}


def test_a_report_that_is_refused_is_set_aside_logged_once_and_blocks_nothing(rig: Rig) -> None:
    refusal: Reply = (400, {}, {"status": "error", "error": "hostname: is missing"})
    rig.server.answers = [refusal, refusal, refusal]
    for _ in range(3):
        rig.offer()
        rig.posts_in(1)
    rig.offer()
    assert rig.posts_in(1) == [1]
    assert rig.server.accepted == {"t0004": 1}
    assert rig.delivery.state()["refused_reports"] == 3
    assert rig.delivery.state()["spool_reports"] == 0
    assert rig.log.getvalue().count("hostname: is missing") == 1
    aside = (rig.directory / FILE_NAME).read_text().splitlines()
    assert [json.loads(line)["timestamp"] for line in aside] == ["t0001", "t0002", "t0003"]


def test_a_400_of_somebody_else_keeps_the_report(rig: Rig) -> None:
    rig.server.answers = [(400, {}, b"<h1>plain HTTP request was sent to HTTPS port</h1>")]
    rig.offer()
    rig.posts_in(61)
    assert rig.server.accepted == {"t0001": 1}


def test_items_that_a_batch_answer_rejects_are_set_aside_and_the_rest_is_delivered(
    rig: Rig,
) -> None:
    rig.server.answers = [(503, {}, {"error": "later"})]
    rig.offer()
    rig.delivery.step()
    rig.offer(5)

    def judge(request: Request) -> Reply:
        status, headers, answer = rig.server.success(request)
        if len(request.reports) > 1:
            answer["rejected"] = [{"index": 1, "error": "memory: must be an object"}]
        return status, headers, answer

    rig.server.judge = judge
    rig.posts_in(10)
    assert rig.delivery.state()["refused_reports"] == 1
    assert rig.delivery.state()["spool_reports"] == 0


def test_a_batch_that_is_too_large_is_halved_until_it_fits(rig: Rig) -> None:
    rig.server.answers = [(503, {}, {"error": "later"})]
    rig.offer()
    rig.delivery.step()
    rig.offer(63)

    def judge(request: Request) -> Reply:
        if len(request.reports) > 10:
            return 413, {}, {"error": "too large"}
        return rig.server.success(request)

    rig.server.judge = judge
    for _ in range(30):
        rig.posts_in(1)
        rig.offer()
    assert len(rig.server.accepted) >= 64
    assert set(rig.server.accepted.values()) == {1}


def test_a_single_report_that_is_too_large_is_set_aside(rig: Rig) -> None:
    rig.server.answers = [(413, {}, {"error": "too large"})]
    rig.offer()
    rig.posts_in(1)
    assert rig.delivery.state() == {
        "spool_reports": 0, "spool_bytes": 0, "dropped_reports": 0, "refused_reports": 1,
    }  # fmt: skip
    rig.offer()
    assert rig.posts_in(1) == [1]


def wait_with_400(rig: Rig) -> None:
    """Let 400 reports wait while the server is away."""
    rig.server.answers = [(503, {}, {"error": "later"})]
    rig.offer()
    rig.delivery.step()
    rig.offer(399)


def test_the_newest_report_comes_first_and_the_backlog_one_batch_behind_each_live_one(
    rig: Rig,
) -> None:
    wait_with_400(rig)
    assert rig.posts_in(3) == [1, 10]
    assert rig.server.requests[1].reports[0]["timestamp"] == "t0400"
    batch = [report["timestamp"] for report in rig.server.requests[2].reports]
    assert batch == [f"t{number:04d}" for number in range(390, 400)]
    assert rig.posts_in(20) == []  # until the next live report
    rig.offer()
    assert rig.posts_in(1) == [1, 20]
    assert rig.server.requests[3].reports[0]["timestamp"] == "t0401"
    for most in (30, 40, 50, 60, 70, 80, 39):
        rig.offer()
        assert rig.posts_in(1) == [1, most]
    assert set(rig.server.accepted) == {f"t{number:04d}" for number in range(1, 409)}
    assert set(rig.server.accepted.values()) == {1}


def test_f33_a_batch_that_is_answered_late_is_halved_because_the_next_live_report_waits_for_it(
    rig: Rig,
) -> None:
    """This server takes 30 reports a second, for which 100 at once would be 3 s of waiting."""
    wait_with_400(rig)
    waits = []

    def judge(request: Request) -> Reply:
        waits.append(len(request.reports) / 30)
        rig.seconds += waits[-1]
        return rig.server.success(request)

    rig.server.judge = judge
    for _ in range(30):
        rig.posts_in(1)
        rig.offer()
    rig.posts_in(1)
    assert max(waits) < 1.5
    assert rig.delivery.state()["spool_reports"] == 0


def test_the_same_trouble_is_logged_once_in_five_minutes(rig: Rig) -> None:
    rig.server.judge = lambda _: (503, {}, {"error": "later"})
    for _ in range(60):
        rig.offer()
        rig.posts_in(5)
    assert rig.log.getvalue().count("later") == 1
    rig.posts_in(120)
    assert rig.log.getvalue().count("later") == 2
    assert "more since the last line" in rig.log.getvalue()


def test_the_clock_s_offset_is_learned_from_the_answers(tmp_path: Path) -> None:
    with serving(Server()) as server:
        rig = Rig(server, tmp_path)
        clock = Clock(wall=lambda: 1_795_000_000.0)
        rig.delivery._clock = clock
        server.judge = lambda _: (
            200, {}, {"status": "success", "server_time_ms": 1_795_000_010_000},
        )  # fmt: skip
        rig.offer()
        rig.delivery.step()
        assert clock.offset_ms == 10_000
