"""Who asks, in Flask's terms, and how it is answered."""

from __future__ import annotations

import gzip
import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from hostpulse.access.denied import AccessDenied
from hostpulse.access.guard import FORWARDING_HEADERS, Asker, Guard
from hostpulse.access.principal import NOBODY, Need, Principal
from hostpulse.access.refusals import Refusals
from hostpulse.access.sessions import Client
from hostpulse.api.answers import Answer, BadRequest, encode
from hostpulse.config import Config, address

View = TypeVar("View", bound=Callable[..., Any])

_READING = ("GET", "HEAD", "OPTIONS")
_FILES = "/static/"  # a page is many of them, the same for everybody; they count for nobody
_REFUSED = (401, 403, 404, 429)
_ZIPPED = ("application/json", "text/html", "text/css", "text/javascript", "image/svg+xml")
_SMALLEST_ZIPPED = 1024
_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_LARGE = 352 * 1024  # above, a better compression costs more than the bytes it saves


def principal() -> Principal:
    """Return who asks; the guard let them in before any view runs."""
    asker: Principal = g.principal
    return asker


def asker() -> Asker:
    """Return what the guard looks at."""
    headers = request.headers
    forwarded = any(name in headers for name in FORWARDING_HEADERS)
    return Asker(
        request.remote_addr or "", lambda name: headers.get(name, ""), forwarded, request.is_secure
    )


def client() -> Client:
    """Return where whoever asks sits."""
    return Client(request.remote_addr or "", request.headers.get("User-Agent", ""))


def asked_address(config: Config) -> str:
    """Return the address of this server as whoever asks knows it; raises BadRequest."""
    if config.public_url:
        return address(config)
    # Whatever a client says ends up in a script that root runs, and where a browser is sent to.
    if not _HOST.fullmatch(request.host):
        raise BadRequest(400, "Host: is no name or address with a port.")
    return f"{request.scheme}://{request.host}"


def needing(need: Need) -> Callable[[View], View]:
    """Say what a view needs of whoever asks; the guard lets nobody reach one that does not say."""

    def declare(view: View) -> View:
        view.needs = need  # type: ignore[attr-defined]
        return view

    return declare


def _need_of(app: Flask) -> Need:
    if request.endpoint is None:  # there is no such route: whoever asks may know
        return Need.OPEN
    need: Need | None = getattr(app.view_functions[request.endpoint], "needs", None)
    if need is None:
        raise BadRequest(500, "This address does not say who may use it; report this.")
    return need


Body = TypeVar("Body")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # PostgreSQL takes every other character


def body(kind: type[Body]) -> Body:
    """Return the body of the request; raises BadRequest that names the field."""
    data = request.get_data() or b"{}"
    if _NUL.search(data):
        raise BadRequest(422, "body: must not hold the character NUL.")
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`") or "body"
        raise BadRequest(422, f"{name}: {problem[0].lower()}{problem[1:]}.") from error
    except msgspec.DecodeError as error:
        raise BadRequest(400, f"body: is no JSON ({error}).") from error


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


def guard_people(app: Flask, guard: Guard, refusals: Refusals) -> None:
    """Let nobody past the guard, write down who was refused, and take no body but JSON."""

    @app.before_request
    def let_in() -> None:
        changes = request.method not in _READING
        try:
            is_file = request.path.startswith(_FILES)
            who = NOBODY if is_file else guard.for_people(asker(), _need_of(app), changes)
            g.principal = who if who is NOBODY else replace(who, address=client().address)
        except AccessDenied as denied:
            g.principal = denied.by
            raise
        if "\0" in request.path:
            raise NotFound
        if request.content_length and request.mimetype != "application/json":
            raise BadRequest(415, "Content-Type: send application/json.")

    @app.after_request
    def note_refusal(response: Response) -> Response:
        status, who, shown = response.status_code, g.get("principal", NOBODY), asker().key
        is_sign_in = status == 401 and who is NOBODY and not shown  # it has a row of its own
        is_missing = status == 404 and (who is NOBODY or not request.view_args)
        if status in _REFUSED and request.url_rule and not (is_sign_in or is_missing):
            asked = f"{request.method} {request.url_rule.rule}"
            refusals.note(who, shown, asked, status, request.remote_addr or "")
        return response


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
