"""The answers that both lanes of the door share: refusals, their table, and common headers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import msgspec

from hostpulse.access.denied import AccessDenied
from hostpulse.access.passwords import Busy
from hostpulse.access.provider import ProviderAway
from hostpulse.control.servers import (
    AmbiguousServer,
    HasOwnKey,
    TooManyServers,
    UnknownServer,
)
from hostpulse.control.store import StoreAway
from hostpulse.report import InvalidReport, TooManyReports
from hostpulse.storage import DiskFull, StorageError

RETRY_AFTER_SECONDS = 5

SECURITY_HEADERS: tuple[tuple[str, str], ...] = (
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)


class BadRequest(Exception):
    """A request cannot be answered; `status` is what HTTP calls it.

    `closes` says that what follows on the connection cannot be trusted.
    """

    def __init__(self, status: int, sentence: str, closes: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.closes = closes or status in (408, 413)


class Refusal(msgspec.Struct, frozen=True):
    """What an error says to a client."""

    error: str
    request_id: str
    status: str = "error"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body and extra headers."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


_CLOSE = (("connection", "close"),)
_REFUSED: dict[type[Exception], int] = {
    InvalidReport: 400,
    TooManyReports: 413,
    UnknownServer: 404,
    AmbiguousServer: 409,
    TooManyServers: 403,
    HasOwnKey: 403,
    Busy: 503,
    ProviderAway: 503,
    StoreAway: 503,
    DiskFull: 507,
    StorageError: 503,
}

REFUSED: tuple[type[Exception], ...] = (*_REFUSED, AccessDenied, BadRequest)


def refusal(error: Exception, request_id: str) -> Answer:
    """Return the answer for one of the exceptions in `REFUSED`."""
    if isinstance(error, BadRequest):
        answer = sentence(error.status, str(error), request_id)
        return replace(answer, headers=_CLOSE) if error.closes else answer
    if isinstance(error, AccessDenied):
        return sentence(error.status, str(error), request_id, ceil(error.retry_after_seconds))
    status = next(status for kind, status in _REFUSED.items() if isinstance(error, kind))
    return sentence(status, str(error), request_id)


def sentence(status: int, text: str, request_id: str, retry_seconds: int = 0) -> Answer:
    """Return an error answer that says `text`."""
    headers: tuple[tuple[str, str], ...] = ()
    if status in (429, 503, 507):
        headers = (("retry-after", str(retry_seconds or RETRY_AFTER_SECONDS)),)
    elif status == 401:
        headers = (("www-authenticate", "Bearer"),)
    return Answer(status, encode(Refusal(text, request_id)), headers)


_ENCODER = msgspec.json.Encoder()


def encode(content: Any) -> bytes:
    """Return `content` as JSON; NaN, a gap, becomes null."""
    return _ENCODER.encode(content)
