"""Agents that post one sample per request while what stores them is killed again and again."""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from threading import Event, Thread
from typing import Protocol

STEP_MS = 250
PAUSE_SECONDS = 0.02
ANSWER_SECONDS = 10
LONGEST_LIFE_SECONDS = 1.2

Kept = Mapping[str, Sequence[tuple[int, float]]]
"""Hostname -> (time, value) of each sample that is readable."""


class Victim(Protocol):
    """A process that is killed by SIGKILL and started again."""

    def kill(self) -> None:
        """End it at once; returns when it has ended, and fails if something else had ended it."""

    def start(self) -> None:
        """Start it again; returns when it answers."""


class Agent(Thread):
    """Posts one sample after another; the same one again until it is acknowledged."""

    def __init__(self, port: int, number: int, first_ms: int) -> None:
        super().__init__(name=f"agent-{number}")
        self.hostname = f"web-{number}"
        self.acknowledged: dict[int, float] = {}
        self.refusals = 0
        self.refused: list[tuple[int, str]] = []
        self._port = port
        self._next_ms = first_ms
        self._stop_asked = Event()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, ANSWER_SECONDS)
            while not self._stop_asked.is_set() and self._post(connection):
                pass
            connection.close()
            if not self._stop_asked.wait(PAUSE_SECONDS):
                self.refusals += 1

    def _post(self, connection: http.client.HTTPConnection) -> bool:
        value = value_at(self._next_ms)
        stamp = datetime.fromtimestamp(self._next_ms / 1000, UTC).isoformat()
        report = {"hostname": self.hostname, "timestamp": stamp, "custom": {"load": value}}
        try:
            body = json.dumps(report)
            connection.request("POST", "/api/metrics", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read().decode()
        except (OSError, http.client.HTTPException):
            return False
        if answer.status == 200:
            self.acknowledged[self._next_ms] = value
            self._next_ms += STEP_MS
        else:
            self.refused.append((answer.status, said))
        return answer.status == 200

    def stop(self) -> None:
        """End after the request under way."""
        self._stop_asked.set()
        self.join()


def value_at(time_ms: int) -> float:
    """Return the value that the sample of a time has, so that a torn one shows."""
    return float(time_ms * 2_654_435_761 % 1_000_003)


@dataclass
class Verdict:
    """What the loop found; `kills` happened for sure, between `acknowledged` answers."""

    kills: int = 0
    acknowledged: int = 0
    refusals: int = 0
    lost: list[tuple[str, int]] = field(default_factory=list)
    doubled: list[tuple[str, int]] = field(default_factory=list)
    wrong: list[tuple[str, int]] = field(default_factory=list)


def kill_again_and_again(
    port: int, victims: Sequence[Victim], kills: int, chance: Random, agents: int = 4
) -> list[Agent]:
    """Kill the victims in turn while agents post; return the agents, which have stopped."""
    first_ms = int(time.time() * 1000) - 12 * 3_600_000
    senders = [Agent(port, number, first_ms) for number in range(agents)]
    for sender in senders:
        sender.start()
    try:
        for number in range(kills):
            before = _acknowledged(senders)
            time.sleep(chance.uniform(0, LONGEST_LIFE_SECONDS))
            _wait(lambda before=before: _acknowledged(senders) > before)
            victim = victims[number % len(victims)]
            victim.kill()
            victim.start()
        after = _acknowledged(senders)
        _wait(lambda: _acknowledged(senders) > after)
    finally:
        for sender in senders:
            sender.stop()
    return senders


def _acknowledged(agents: Sequence[Agent]) -> int:
    return sum(len(agent.acknowledged) for agent in agents)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "no sample was acknowledged for a minute"
        time.sleep(0.005)


def judge(agents: Sequence[Agent], kept: Kept, kills: int) -> Verdict:
    """Compare what was acknowledged with what is readable."""
    verdict = Verdict(kills)
    for agent in agents:
        name, rows = agent.hostname, kept.get(agent.hostname, ())
        times = Counter(time_ms for time_ms, _ in rows)
        verdict.acknowledged += len(agent.acknowledged)
        verdict.refusals += agent.refusals
        verdict.lost += [(name, time_ms) for time_ms in set(agent.acknowledged) - times.keys()]
        verdict.doubled += [(name, time_ms) for time_ms, count in times.items() if count > 1]
        verdict.wrong += [(name, at) for at, value in rows if value != value_at(at)]
    return verdict
