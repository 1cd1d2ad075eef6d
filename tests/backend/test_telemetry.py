"""What the backend counts of itself."""

from __future__ import annotations

import pytest
from hostpulse.telemetry import Telemetry


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_counts_are_of_the_last_five_minutes() -> None:
    clock = Seconds()
    telemetry = Telemetry(clock)
    telemetry.count_request(200, 0.01)
    telemetry.count_request(500, 0.01)
    telemetry.count_samples(7)
    clock.now += 280
    telemetry.count_request(404, 0.01)
    recent = telemetry.recent()
    assert (recent.requests, recent.errors, recent.samples) == (3, 1, 7)
    clock.now += 25
    assert (telemetry.recent().requests, telemetry.recent().samples) == (1, 0)
    clock.now += 10_000
    assert telemetry.recent().requests == 0


def test_nothing_counted_is_nothing() -> None:
    recent = Telemetry(Seconds()).recent()
    assert (recent.requests, recent.errors, recent.samples, recent.p95_ms) == (0, 0, 0, 0.0)


@pytest.mark.parametrize("seconds", [0.00001, 0.001, 0.02, 1.5, 30.0])
def test_the_p95_is_right_to_a_fifth(seconds: float) -> None:
    telemetry = Telemetry(Seconds())
    for i in range(100):
        telemetry.count_request(200, seconds if i < 96 else 59.0)
    p95 = telemetry.recent().p95_ms
    assert max(seconds * 1000, 0.05) * 0.99 <= p95 <= max(seconds * 1000, 0.1) * 1.2


def test_answers_slower_than_every_edge_count_as_slow() -> None:
    telemetry = Telemetry(Seconds())
    for _ in range(10):
        telemetry.count_request(200, 100.0)
    assert telemetry.recent().p95_ms >= 50_000


def test_uptime_counts_from_the_start() -> None:
    clock = Seconds()
    telemetry = Telemetry(clock)
    clock.now += 5
    assert telemetry.uptime_seconds() == 5
