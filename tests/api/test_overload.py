"""A backend that cannot store more now says so at once, and takes no body first."""

from __future__ import annotations

import socket

import pytest

from tests.backend_under_test import Backend, report

HEAD = (
    b"POST /api/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n"
)


@pytest.fixture
def full(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """A backend in which as many samples wait as may."""
    monkeypatch.setattr(backend.parts.ingest._commit, "_most_samples", 0)
    return backend


def test_a_full_backend_refuses_before_the_body_is_read(full: Backend) -> None:
    with socket.create_connection(("127.0.0.1", full.port), timeout=5) as client:
        client.sendall(HEAD)  # and no body
        head = client.recv(65536).lower()
    assert head.startswith(b"http/1.1 503 ")
    assert b"\r\nretry-after: " in head


def test_a_full_backend_still_shows_what_it_has(full: Backend) -> None:
    refused = full.post(report("web-1"))
    assert refused.status_code == 503
    assert "send again later" in refused.json()["error"]
    assert full.json("/api/servers")["servers"] == []
    assert full.json("/api/health")["components"]["storage"]["status"] == "ok"
