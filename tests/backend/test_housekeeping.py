"""Repeated work: it goes on after a failure, and says when it is stuck."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from hostpulse.housekeeping import Chore

from tests.backend_under_test import eventually


def chore(work: Callable[[], None], seconds: list[float] | None = None) -> Chore:
    now = seconds or [0.0]
    return Chore("the work", 0.005, work, clock=lambda: now[0], patience_seconds=10)


def test_work_is_done_again_and_again_until_it_is_closed() -> None:
    rounds: list[int] = []
    it = chore(lambda: rounds.append(1))
    eventually(lambda: len(rounds) > 3)
    it.close()
    done = len(rounds)
    assert not it._thread.is_alive()
    assert len(rounds) == done


def test_a_failure_is_a_problem_until_a_round_goes_well() -> None:
    broken = Event()
    broken.set()

    def work() -> None:
        if broken.is_set():
            raise OSError("the disk is away")

    it = chore(work)
    eventually(lambda: it.problem == "the disk is away")
    broken.clear()
    eventually(lambda: it.problem == "")
    it.close()


def test_work_that_does_not_end_is_a_problem() -> None:
    entered, gate, now = Event(), Event(), [0.0]

    def work() -> None:
        entered.set()
        assert gate.wait(10)

    it = chore(work, now)
    assert entered.wait(10)
    assert it.problem == ""
    now[0] = 60.0
    assert it.problem == "the work has not come to an end for 60 s."
    gate.set()
    eventually(lambda: it.problem == "")
    it.close()
