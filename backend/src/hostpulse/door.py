"""The door: one ASGI application with a lane for agents and a lane for people.

`POST /api/metrics` is a coroutine on the event loop: a slow sender holds no thread, and many posts
can wait for one commit. Everything else is the Flask application in a pool of threads.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from typing import Any, cast

import structlog
from a2wsgi.wsgi import build_environ
from werkzeug.test import run_wsgi_app

from hostpulse.access.denied import AccessDenied
from hostpulse.access.guard import FORWARDING_HEADERS, Asker, without_port
from hostpulse.access.principal import Principal
from hostpulse.api.answers import (
    REFUSED,
    SECURITY_HEADERS,
    Answer,
    BadRequest,
    encode,
    refusal,
    sentence,
)
from hostpulse.api.cors import Cors
from hostpulse.api.metrics import Received
from hostpulse.app import create_app
from hostpulse.config import is_loopback, origins
from hostpulse.parts import Parts

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

METRICS_PATH = "/api/metrics"
ROUTES = ((METRICS_PATH, "POST"),)
PEOPLE_THREADS = 8

_COMMON = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS]
_JSON = (b"content-type", b"application/json")
_NO_SNIFF = (b"x-content-type-options", b"nosniff")
_FORWARDING = frozenset(name.encode() for name in FORWARDING_HEADERS)
_NO_STORE = (b"cache-control", b"no-store")
_STAY_ON_TLS = (b"strict-transport-security", b"max-age=31536000")


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


class Door:
    """The ASGI application."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        app: Any = create_app(parts)
        self._people = _People(app)
        self._cors = Cors(app, origins(parts.config))
        self._ids = _request_ids()
        self._log = structlog.get_logger("hostpulse.door")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request_id = next(self._ids)
        scope["state"] = {"request_id": request_id}
        headers = dict(scope["headers"])
        more = [*self._cors.headers(scope["method"], headers), *_tls_headers(scope, headers)]
        exchange = _Exchange(send, request_id, more)
        try:
            await self._route(scope, headers, receive, exchange)
        except ClientGone:
            return
        except REFUSED as error:
            await exchange.answer(refusal(error, request_id))
        except Exception:  # noqa: BLE001 - the last net: nothing may end without an answer
            self._log.exception("a request failed", path=scope["path"], request_id=request_id)
            text = "Something went wrong here; try again, and report the request id if it stays."
            await exchange.answer(sentence(500, text, request_id))
        self._parts.telemetry.count_request(exchange.status, time.perf_counter() - started)

    async def _route(
        self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, exchange: _Exchange
    ) -> None:
        if len(headers) != len(scope["headers"]):
            _check_host_is_one(scope["headers"])
        _check_framing(headers)
        self._parts.guard.check_host(headers.get(b"host", b"").decode("latin-1"))
        if self._cors.is_preflight(scope["method"], headers):
            await exchange.answer(Answer(204, b""))
        elif scope["path"] != METRICS_PATH:
            body = await self._body(headers, receive)
            await exchange.pass_on(*await self._people.ask(scope, body))
        elif scope["method"] == "POST":
            await exchange.receipt(await self._metrics(scope, headers, receive))
        else:
            await exchange.answer(_only_post(scope["state"]["request_id"]))

    async def _metrics(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        principal = self._sender(_asker(scope, headers))
        self._parts.ingest.check_room()
        _check_content_type(headers)
        encoding = headers.get(b"content-encoding", b"identity").strip().lower()
        body = await self._body(headers, receive)
        if encoding == b"gzip":
            body = inflate(body, self._parts.config.max_inflated_bytes)
        elif encoding != b"identity":
            raise BadRequest(415, "Content-Encoding: send gzip or no encoding at all.")
        outcome = await self._parts.ingest.accept(principal, body)
        received = Received.of(outcome, self._parts.ingest.durability, self._parts.clock_ms())
        return encode(received)

    def _sender(self, asker: Asker) -> Principal:
        try:
            return self._parts.guard.for_ingest(asker)
        except AccessDenied as denied:
            if asker.key:
                asked = f"POST {METRICS_PATH}"
                self._parts.refusals.note(denied.by, asker.key, asked, denied.status, asker.peer)
            raise

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        most = self._parts.config.max_body_bytes
        if _declared_length(headers) > most:
            raise _too_large(most)
        message = await receive()
        body: bytes = message.get("body", b"")
        if message["type"] == "http.request" and not message.get("more_body"):
            return body
        chunks = [body]
        size = len(body)
        while message.get("more_body"):
            message = await receive()
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > most:
                raise _too_large(most)
        if message["type"] == "http.disconnect":
            raise ClientGone
        return b"".join(chunks)


class _Exchange:
    """Sends one answer with the headers that every answer has."""

    def __init__(self, send: Send, request_id: str, more: list[Header]) -> None:
        self._send = send
        self._request_id = (b"x-request-id", request_id.encode())
        self._more = more
        self.status = 0

    def _common(self) -> list[Header]:
        return [*_COMMON, self._request_id, *self._more]

    async def answer(self, answer: Answer) -> None:
        """Send an answer of our own, unless one was begun already."""
        if self.status:
            return
        headers = [_NO_STORE, *self._common()]
        headers += [(name.encode(), value.encode()) for name, value in answer.headers]
        await self._whole(answer.status, answer.body, headers)

    async def receipt(self, body: bytes) -> None:
        """Send the answer to an agent: no browser shows it, so it carries no page's headers."""
        await self._whole(200, body, [_NO_SNIFF, self._request_id, *self._more])

    async def _whole(self, status: int, body: bytes, headers: list[Header]) -> None:
        self.status = status
        headers += (_JSON, (b"content-length", b"%d" % len(body)))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def pass_on(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send on what the Flask application answers."""
        self.status = status
        theirs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        theirs += self._common()
        await self._send({"type": "http.response.start", "status": status, "headers": theirs})
        await self._send({"type": "http.response.body", "body": body})


class _People:
    """Runs the Flask application in threads; an answer crosses back to the loop once, whole."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(PEOPLE_THREADS, "people")

    async def ask(self, scope: Scope, body: bytes) -> tuple[int, Iterable[tuple[str, str]], bytes]:
        """Return status, headers and body of the answer."""
        environ: Any = build_environ(cast("Any", scope), cast("Any", BytesIO(body)))
        if body:  # it is whole by now, in however many chunks it came
            environ["CONTENT_LENGTH"] = str(len(body))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._answer, environ)

    def _answer(self, environ: Any) -> tuple[int, Iterable[tuple[str, str]], bytes]:
        chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        return int(status.partition(" ")[0]), headers, b"".join(chunks)


def _request_ids() -> Any:
    prefix = secrets.token_hex(4)
    return (f"{prefix}-{number:x}" for number in itertools.count(1))


def _asker(scope: Scope, headers: dict[bytes, bytes]) -> Asker:
    client = scope.get("client") or ("", 0)
    return Asker(
        client[0],
        lambda name: headers.get(name.encode(), b"").decode("latin-1"),
        not _FORWARDING.isdisjoint(headers),
        scope.get("scheme") == "https",
    )


def _tls_headers(scope: Scope, headers: dict[bytes, bytes]) -> list[Header]:
    """Have a browser that came by TLS do so for a year; on localhost other programs serve too."""
    if scope.get("scheme") != "https":
        return []
    host = without_port(headers.get(b"host", b"").decode("latin-1"))
    return [] if is_loopback(host) else [_STAY_ON_TLS]


def _check_content_type(headers: dict[bytes, bytes]) -> None:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise BadRequest(415, "Content-Type: send application/json.")


def _check_host_is_one(headers: Iterable[Header]) -> None:
    """Refuse two names of this server: which one counts is a matter of who looks."""
    if sum(name == b"host" for name, _ in headers) > 1:
        raise BadRequest(400, "Host: send one.", closes=True)


def _check_framing(headers: dict[bytes, bytes]) -> None:
    """Refuse a body of two lengths: a proxy in front may have believed the other one."""
    if b"transfer-encoding" in headers and b"content-length" in headers:
        raise BadRequest(400, "Send Content-Length or Transfer-Encoding, not both.", closes=True)


def _only_post(request_id: str) -> Answer:
    text = "Reports are sent here by POST; read them at /api/servers."
    return replace(sentence(405, text, request_id), headers=(("allow", "POST"),))


def _declared_length(headers: dict[bytes, bytes]) -> int:
    declared = headers.get(b"content-length", b"0")
    return int(declared) if declared.isdigit() else 0


def _too_large(most: int) -> BadRequest:
    return BadRequest(413, f"The body is larger than {most} bytes; send less at once.")


def inflate(body: bytes, most: int) -> bytes:
    """Unzip a gzip body of at most `most` bytes; raises BadRequest."""
    unzip = zlib.decompressobj(wbits=31)
    try:
        inflated = unzip.decompress(body, most + 1)
    except zlib.error as error:
        raise BadRequest(400, f"The body is not valid gzip: {error}.") from error
    if len(inflated) > most:
        raise BadRequest(413, f"The body is larger than {most} bytes once unzipped; send less.")
    if not unzip.eof:
        raise BadRequest(400, "The body is gzip that ends too early; send it whole.")
    if unzip.unused_data:
        raise BadRequest(400, "The body has bytes after the end of its gzip data.")
    return inflated
