"""The cookies of this server: no script reads them, and over TLS their names bind them to it."""

from __future__ import annotations

from flask import Response, request

from hostpulse.access.guard import COOKIE, SECURE_COOKIE
from hostpulse.access.people import People
from hostpulse.access.sessions import REMEMBERED_MS
from hostpulse.api.asking import principal

SESSION = COOKIE, SECURE_COOKIE
TRIP = "hostpulse-trip", "__Host-hostpulse-trip"
"""A browser on its way to the OpenID provider and back."""

Names = tuple[str, str]


def value_of(names: Names) -> str:
    """Return what this browser keeps, '' for nothing."""
    return request.cookies.get(names[request.is_secure], "")


def keep(response: Response, names: Names, value: str, age_seconds: int | None) -> Response:
    """Have this browser keep a value, by default as long as it runs."""
    name = names[request.is_secure]
    secure = request.is_secure
    response.set_cookie(name, value, age_seconds, secure=secure, httponly=True, samesite="Lax")
    return response


def drop(response: Response, names: Names) -> Response:
    """Have this browser forget a value."""
    name = names[request.is_secure]
    response.delete_cookie(name, secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def begin_session(people: People, response: Response, token: str, remembered: bool) -> Response:
    """Give this browser a new session; the one that it had ends."""
    if principal().session:
        people.sessions.end(principal())
    return keep(response, SESSION, token, REMEMBERED_MS // 1000 if remembered else None)
