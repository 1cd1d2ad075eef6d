"""Who asks, in Flask's terms, and how it is answered."""

from __future__ import annotations

import gzip
import secrets
from typing import Any

from flask import Flask, Response, g, request

from hostpulse.access.guard import FORWARDING_HEADERS, Asker, Guard
from hostpulse.access.principal import Principal
from hostpulse.api.answers import Answer, BadRequest, encode

_READING = ("GET", "HEAD", "OPTIONS")
_ZIPPED = ("application/json", "text/html", "text/css", "text/javascript", "image/svg+xml")
_SMALLEST_ZIPPED = 1024
_LARGE = 512 * 1024  # above, a better compression costs more than the bytes it saves


def principal() -> Principal:
    """Return who asks; the guard let them in before any view runs."""
    asker: Principal = g.principal
    return asker


def request_id() -> str:
    """Return the id that the door gave this request."""
    state = request.environ.get("asgi.scope", {}).get("state", {})
    return str(state.get("request_id") or secrets.token_hex(4))


def reply(content: Any, status: int = 200) -> Response:
    """Return `content` as a JSON response."""
    return to_response(Answer(status, encode(content)))


def to_response(answer: Answer) -> Response:
    """Return an answer as a response of Flask's."""
    response = Response(answer.body, answer.status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    for name, value in answer.headers:
        response.headers[name] = value
    return response


def guard_people(app: Flask, guard: Guard) -> None:
    """Let nobody past the guard, and take no body that is not JSON."""

    @app.before_request
    def let_in() -> None:
        headers = request.headers
        forwarded = any(name in headers for name in FORWARDING_HEADERS)
        asker = Asker(request.remote_addr or "", lambda name: headers.get(name, ""), forwarded)
        reads = request.method in _READING
        g.principal = guard.for_people(asker) if reads else guard.for_change(asker)
        if request.content_length and request.mimetype != "application/json":
            raise BadRequest(415, "Content-Type: send application/json.")


def zip_answers(app: Flask) -> None:
    """Compress answers for clients that can read them so."""

    @app.after_request
    def compress(response: Response) -> Response:
        if response.mimetype not in _ZIPPED or response.status_code != 200:
            return response
        response.headers["Vary"] = "Accept-Encoding"
        if not request.accept_encodings["gzip"]:
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) >= _SMALLEST_ZIPPED:
            response.set_data(gzip.compress(body, 1 if len(body) > _LARGE else 5, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
        return response
