"""Is a server alive: its status, by this machine's clock alone."""

from __future__ import annotations

from hostpulse.control.servers import Server

STATUSES = ("up", "late", "down", "waiting", "paused")


def status_at(server: Server, now_ms: int) -> str:
    """Return the status: up within 3 intervals (≥ 15 s), late within 12 (≥ 60 s), then down."""
    if server.paused:
        return "paused"
    if not server.last_seen_ms:
        return "waiting"
    age_seconds = (now_ms - server.last_seen_ms) / 1000
    if age_seconds <= max(3 * server.facts.interval_seconds, 15):
        return "up"
    if age_seconds <= max(12 * server.facts.interval_seconds, 60):
        return "late"
    return "down"
