"""The backend was away: every report of that time arrives, once, at its own time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from tests.backend_under_test import eventually
from tests.e2e.conftest import StartAgent
from tests.programs import Server, free_port, now_ms

NAME = "patient-1"
AWAY_SECONDS = 6


def times_of(server: Server) -> list[int]:
    """Return the times of all samples."""
    query = {"metrics": "cpu_count_logical", "start": "-10m"}
    history = server.json(f"/api/servers/{NAME}/history", **query)
    values = history["series"][0]["mean"]
    assert history["raw"]
    return [at for at, value in zip(history["times"], values, strict=True) if value is not None]


def has_caught_up(server: Server, since_ms: int) -> bool:
    rows = server.json("/api/servers")["servers"]
    return bool(rows) and min(times_of(server)) < since_ms


def test_reports_made_while_the_backend_was_away_arrive_once(
    start_agent: StartAgent, work: Path
) -> None:
    port = free_port()
    started_ms = now_ms()
    start_agent(f"http://127.0.0.1:{port}", NAME)
    eventually(lambda: now_ms() - started_ms > AWAY_SECONDS * 1000, 20)
    server = Server(work / "late-server.log", port)
    try:
        eventually(lambda: has_caught_up(server, started_ms + 2500), 40)
        found = times_of(server)
    finally:
        server.kill()
    assert len([at for at in found if at < started_ms + AWAY_SECONDS * 1000]) >= AWAY_SECONDS - 2
    assert found == sorted(set(found))
    on_grid = found[2:]  # the first two are made at once
    assert {later - at for at, later in pairwise(on_grid)} == {1000}
