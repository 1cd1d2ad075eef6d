"""A backend that cannot store more now says so at once, and takes no body first."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest
from hostpulse import ingest
from hostpulse.access.principal import Principal
from hostpulse.ingest import Outcome
from hostpulse.parts import Parts
from hostpulse.report import Decoded, Refused, decode
from hostpulse.storage.file import journal
from hostpulse.storage.group_commit import Overloaded

from tests.backend_under_test import NOW_MS, Backend, report

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


def test_f33_a_live_report_waits_for_a_piece_of_the_arrays_that_came_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twenty agents are back at once; read in the order they came, that would be 2000 reports."""
    read = 0

    def counted(*given: Any) -> Iterator[Decoded | Refused]:
        nonlocal read
        for item in decode(*given):
            read += 1
            yield item

    monkeypatch.setattr(ingest, "decode", counted)
    backlog = [report("away", time_ms=NOW_MS - 1000 * number) for number in range(100)]
    sender = Principal()

    async def read_before_the_live_one(accept: Callable[..., Awaitable[Outcome]]) -> int:
        body = msgspec.json.encode(backlog)
        arrays = [asyncio.ensure_future(accept(sender, body)) for _ in range(20)]
        await asyncio.sleep(0)
        assert (await accept(sender, msgspec.json.encode(report("live")))).appended.accepted == 1
        before = read
        await asyncio.gather(*arrays)
        return before

    with Backend() as backend:
        assert asyncio.run(read_before_the_live_one(backend.parts.ingest.accept)) <= 50
    assert read == 20 * 100 + 1


def test_f33_arrays_that_wait_too_long_for_their_turn_are_sent_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ingest, "LONGEST_WAIT_SECONDS", 0.05)

    async def asked_while_one_is_read(parts: Parts) -> None:
        body = msgspec.json.encode([report("away")])
        async with parts.ingest._turns.next(1):
            with pytest.raises(Overloaded, match="send again later"):
                await parts.ingest.accept(Principal(), body)
        monkeypatch.setattr(ingest, "MOST_WAITING_BYTES", 1)
        with pytest.raises(Overloaded, match="send again later"):
            await parts.ingest.accept(Principal(), body)
        monkeypatch.undo()
        assert (await parts.ingest.accept(Principal(), body)).appended.accepted == 1

    with Backend() as backend:
        asyncio.run(asked_while_one_is_read(backend.parts))
