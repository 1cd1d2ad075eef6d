"""The real agent's loop, spool and delivery, and six hours in which nobody listens."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from hostpulse.control.servers import server_id
from hostpulse_agent.report import encoded

from tests.agent.compressed import Compressed
from tests.backend_under_test import Backend, Clock

AWAY_TICKS = 6 * 3600 // 5
TENANT = "default"
MINUTE_MS = 60_000


class Counting(Compressed):
    """An agent whose reports are numbered."""

    def _tick(self, planned: float) -> None:
        self.planned.append(planned)
        report: dict[str, Any] = dict(self._reporter.report(planned, {}))
        report["custom"] = {"tick": value_at(len(self.planned))}
        self.delivery.offer(round(planned * 1000), encoded(report))


def value_at(tick: int) -> int:
    return tick * 7919 % 1009


class AgentClock(Clock):
    """The backend's clock shows the agent's time."""

    def __init__(self, agent: Compressed) -> None:
        super().__init__(0)
        self._agent = agent

    def __call__(self) -> int:
        return max(round(self._agent.now * 1000), self.now_ms)


def test_six_hours_away_cost_no_sample_and_no_roll_up(tmp_path: Path) -> None:
    settings = {"storage": "file:", "data_dir": str(tmp_path / "data")}
    first = Backend(**settings)
    agent = Counting(first.url, tmp_path / "spool")
    first.clock.now_ms = round(agent.now * 1000)
    agent.ticks(10)
    first.close()
    agent.ticks(AWAY_TICKS)
    with Backend(clock=AgentClock(agent), port=first.port, **settings) as backend:
        agent.ticks(60)  # five minutes, in which it also goes on reporting
        agent.drain()
        expected = {round(at * 1000): value_at(n) for n, at in enumerate(agent.planned, 1)}
        found = stored(backend)
        assert found == sorted(expected.items())
        assert len(found) == 10 + AWAY_TICKS + 60
        backend.clock.now_ms = backend.clock() + 3 * 60 * MINUTE_MS
        backend.parts.storage.maintain()
        tiers = {tier.name: tier for tier in backend.parts.storage.usage().tiers}
        assert tiers["1m"].value_count  # there are roll-ups to read
        check_minutes(backend, expected)


def stored(backend: Backend) -> list[tuple[int, float]]:
    samples = backend.parts.storage.samples(TENANT, server_id(TENANT, "web-1"), 0, 2**53)
    return [
        (sample.time_ms, value)
        for sample in samples
        for key, value in sample.items()
        if key.metric == "custom.tick"
    ]


def check_minutes(backend: Backend, expected: dict[int, int]) -> None:
    """Compare each minute of the six hours with the samples it was made of."""
    start_ms = min(expected) // MINUTE_MS * MINUTE_MS
    asked = {"metrics": "custom.tick", "start": start_ms, "end": start_ms + 400 * MINUTE_MS}
    history = backend.json("/api/servers/web-1/history", **asked)
    assert (history["step"], history["raw"]) == (MINUTE_MS, False)
    (series,) = history["series"]
    minutes: dict[int, list[int]] = {}
    for time_ms, value in expected.items():
        minutes.setdefault(time_ms // MINUTE_MS * MINUTE_MS, []).append(value)
    points = zip(series["mean"], series["min"], series["max"], strict=True)
    shown = dict(zip(history["times"], points, strict=True))
    for minute_ms, values in minutes.items():
        mean, low, high = shown[minute_ms]
        assert (low, high) == (min(values), max(values))
        assert abs(mean - fmean(values)) < 0.001
    assert all(shown[at] == (None, None, None) for at in shown if at not in minutes)
