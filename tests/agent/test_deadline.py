"""Calls that never return cost a thread each and nobody's time."""

from __future__ import annotations

import threading
import time

import pytest
from hostpulse_agent.deadline import Deadline, Late


def lanes() -> int:
    return sum(thread.name == "deadline" for thread in threading.enumerate())


def wait_for(condition: object) -> None:
    until = time.monotonic() + 5.0
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.005)


def test_calls_that_answer_share_one_thread_for_ever() -> None:
    deadline, before = Deadline(), lanes()
    for number in range(50):
        assert deadline.run({"a": lambda: 1, "b": lambda n=number: n}) == {"a": 1, "b": number}
    assert lanes() == before + 1


def test_an_exception_is_the_outcome_of_its_call_alone() -> None:
    outcomes = Deadline().run({"bad": lambda: 1 // 0, "good": lambda: 2})
    assert isinstance(outcomes["bad"], ZeroDivisionError)
    assert outcomes["good"] == 2


def test_a_hanging_call_costs_one_thread_and_is_waited_for_once() -> None:
    deadline, release, before = Deadline(), threading.Event(), lanes()
    calls = {"first": lambda: 1, "dead": release.wait, "last": lambda: 3}
    began = time.monotonic()
    outcomes = deadline.run(calls, seconds=0.2)
    assert isinstance(outcomes["dead"], Late)
    assert (outcomes["first"], outcomes["last"]) == (1, 3)
    assert time.monotonic() - began >= 0.2
    began = time.monotonic()
    for _ in range(100):
        assert isinstance(deadline.run(calls, seconds=0.2)["dead"], Late)
    assert time.monotonic() - began < 0.2 * 5
    assert lanes() <= before + 2
    release.set()
    wait_for(lambda: not deadline.stuck)
    assert deadline.run(calls, seconds=0.2) == {"first": 1, "dead": True, "last": 3}
    wait_for(lambda: lanes() <= before + 1)


def test_twenty_dead_mounts_delay_a_report_no_longer_than_two_deadlines() -> None:
    deadline, release = Deadline(), threading.Event()
    calls = {f"mount {number}": release.wait for number in range(20)}
    began = time.monotonic()
    outcomes = deadline.run({**calls, "alive": lambda: 1}, seconds=0.2)
    assert time.monotonic() - began < 0.2 * 2 + 0.5
    assert outcomes["alive"] == 1
    assert len(deadline.stuck) == 20
    release.set()


@pytest.mark.parametrize("error", [SystemExit(3), KeyError("x")])
def test_a_call_that_ends_the_program_does_not(error: BaseException) -> None:
    def fail() -> None:
        raise error

    assert Deadline().run({"bad": fail}) == {"bad": error}
