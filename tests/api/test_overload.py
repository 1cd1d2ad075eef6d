"""A backend that cannot store more now says so at once, and takes no body first."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import pytest
from hostpulse.storage.file import journal

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


def test_a_server_of_which_nothing_is_stored_is_not_in_the_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_room(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Backend(storage="file:", max_servers=1) as backend:
        with monkeypatch.context() as broken:
            broken.setattr(journal.os, "write", no_room)
            for name in ("web-1", "web-2", "web-1"):  # and none has the only place
                assert backend.post(report(name)).status_code == 507
        backend.parts.registrar.save()
        assert backend.json("/api/servers")["servers"] == []
        backend.accept(report("web-2"))
        assert [one["hostname"] for one in backend.json("/api/servers")["servers"]] == ["web-2"]
