"""Connections with patience: uvicorn's protocols, closed when a client is silent or too slow.

uvicorn limits neither the time of request headers nor that of a body. One timer per connection
does: from the connection, or the first byte of a later request, to the end of the headers,
and then to the end of the body. A request that arrives at once never starts it.
"""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from hostpulse.api.answers import SECURITY_HEADERS, sentence

MAX_HEADER_BYTES = 65_536
_END_OF_HEAD = b"\r\n\r\n"
_INTERIM = b"HTTP/1.1 100"
_TOO_SLOW = (408, "The request came too slowly; send it at once.")
_TOO_LARGE = (431, f"The headers are larger than {MAX_HEADER_BYTES} bytes; send fewer.")
_NOT_HTTP = (400, "This is not HTTP/1.1; see /api/docs.")


def _farewell(status: int, text: str) -> bytes:
    """Return a whole answer that says `text` and ends the connection."""
    answer = sentence(status, text, secrets.token_hex(4))
    headers = (
        ("content-type", "application/json"),
        ("content-length", str(len(answer.body))),
        ("cache-control", "no-store"),
        ("connection", "close"),
        *SECURITY_HEADERS,
    )
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + answer.body


class _WholeAnswers:
    """A transport that holds the head of an answer until its body follows.

    uvicorn writes the two one by one; as two packets they cost twice, here and at the client.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        held, self._held = self._held, b""
        if data.endswith(_END_OF_HEAD) and not data.startswith(_INTERIM):
            self._held = held + data
        else:
            self._transport.write(held + data if held else data)

    def flush(self) -> None:
        if self._held:
            self._transport.write(self._held)
            self._held = b""

    def close(self) -> None:
        self.flush()
        self._transport.close()


if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol
else:
    _Protocol = object


class _Patience(_Protocol):
    """What both protocols share; put before uvicorn's class."""

    header_timeout_seconds = 10.0
    body_timeout_seconds = 10.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._waits_for = ""
        self._header_bytes = 0

    def _phase(self) -> str:
        """Return what the client still owes: 'headers', 'body', or ''."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._answers = _WholeAnswers(transport)
        super().connection_made(cast("asyncio.Transport", self._answers))
        self._wait("headers", self.header_timeout_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._answers.flush()
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        owed = self._phase()
        if owed != self._waits_for:
            self._wait(owed, self._timeout_of(owed))
        if owed == "headers":
            self._limit_headers(len(data))

    def _timeout_of(self, owed: str) -> float:
        return self.header_timeout_seconds if owed == "headers" else self.body_timeout_seconds

    def _wait(self, owed: str, seconds: float) -> None:
        self._stop()
        self._waits_for = owed
        self._header_bytes = 0
        if owed:
            self._timer = self.loop.call_later(seconds, self._give_up, _TOO_SLOW)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _limit_headers(self, count: int) -> None:
        self._header_bytes += count
        if self._header_bytes > MAX_HEADER_BYTES:
            self._give_up(_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        self._give_up(_NOT_HTTP)

    def _give_up(self, why: tuple[int, str]) -> None:
        cycle = self.cycle
        if not self.transport.is_closing():
            if cycle is None or cycle.response_complete or not cycle.response_started:
                self.transport.write(_farewell(*why))
            self.transport.close()


def protocol_class(header_timeout_seconds: float, body_timeout_seconds: float) -> type[Any]:
    """Return the fastest protocol there is here, with these timeouts."""
    timeouts = {
        "header_timeout_seconds": header_timeout_seconds,
        "body_timeout_seconds": body_timeout_seconds,
    }
    return type("Patient", (_fastest(),), timeouts)


def _fastest() -> type[Any]:
    try:
        from hostpulse.connections_httptools import PatientHttpToolsProtocol
    except ImportError:
        from hostpulse.connections_h11 import PatientH11Protocol

        return PatientH11Protocol
    return PatientHttpToolsProtocol
