"""How a browser comes in: with a session, or first with the wait for a code."""

from __future__ import annotations

import msgspec
from flask import Response, request

from hostpulse.access.people import People
from hostpulse.access.second_step import WAITING_MS, Entry
from hostpulse.api.asking import reply
from hostpulse.api.cookies import SESSION, begin_session, drop, keep

_WAITING = f"{SESSION[0]}-waiting", f"{SESSION[1]}-waiting"


class Entered(msgspec.Struct):
    """A session began, unless `needs_code`: then PUT /api/session takes the code."""

    status: str = "success"
    needs_code: bool = False


def waiting_token() -> str:
    """Return the token of the sign-in that waits for a code in this browser, '' for none."""
    return request.cookies.get(_WAITING[request.is_secure], "")


def let_in(people: People, entry: Entry) -> Response:
    """Answer with the session of an entry, or with its wait."""
    response = reply(Entered(needs_code=entry.needs_code))
    if entry.needs_code:
        return keep(response, _WAITING, entry.token, WAITING_MS // 1000)
    if waiting_token():
        drop(response, _WAITING)
    return begin_session(people, response, entry.token, entry.remembered)
