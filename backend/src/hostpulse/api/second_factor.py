"""/api/second-factor and the second step of a sign-in."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
from flask import Blueprint, Response

from hostpulse.access.principal import Need
from hostpulse.access.second_factor import Proof
from hostpulse.access.totp import address_of, picture_of
from hostpulse.api.asking import body, client, principal, reply
from hostpulse.api.entry import Entered, let_in, waiting_token
from hostpulse.api.openapi import operation
from hostpulse.api.servers import Done
from hostpulse.config import address
from hostpulse.parts import Parts


class Code(msgspec.Struct, forbid_unknown_fields=True):
    """A code of the app; at the sign-in a recovery code does too."""

    code: str


class PasswordAgain(msgspec.Struct, forbid_unknown_fields=True):
    """The password, shown again before something changes."""

    password: str


class PasswordAndCode(msgspec.Struct, forbid_unknown_fields=True):
    """Both, shown again; `code` is one of the app, or a recovery code."""

    password: str
    code: str


class SecondFactorState(msgspec.Struct):
    """Whether there is a second factor, and how many recovery codes are left."""

    on: bool
    codes_left: int


class AppSecret(msgspec.Struct):
    """What an authenticator app takes; it is shown only now.

    `address` is the otpauth: address, `image` a QR code of it as a data: URL.
    """

    secret: str
    address: str
    image: str


class RecoveryCodes(msgspec.Struct):
    """Each is good once, in the place of a code; they are shown only now."""

    codes: list[str]


def second_factor_blueprint(parts: Parts) -> Blueprint:
    """Return the routes of second factors."""
    api = Blueprint("second_factor", __name__, url_prefix="/api")
    views = _Views(parts)
    api.put("/session")(views.finish_sign_in)
    api.get("/second-factor")(views.show)
    api.post("/second-factor")(views.begin)
    api.put("/second-factor")(views.turn_on)
    api.post("/second-factor/codes")(views.renew_codes)
    api.post("/second-factor/off")(views.turn_off)
    api.delete("/people/<person>/second-factor")(views.remove)
    return api


class _Views:
    """Each view is one method."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._people = parts.people
        self._factor = parts.people.second_factor

    @operation("Give the code that a sign-in waits for", Entered, needs=Need.OPEN, takes=Code)
    def finish_sign_in(self) -> Response:
        code = body(Code).code
        entry = self._people.second_step.finish(waiting_token(), code, client())
        return let_in(self._people, entry)

    @operation("My second factor", SecondFactorState, needs=Need.SELF)
    def show(self) -> Response:
        left = self._factor.codes_left(principal())
        return reply(SecondFactorState(left is not None, left or 0))

    @operation("Get a secret for an app", AppSecret, needs=Need.SELF, takes=PasswordAgain)
    def begin(self) -> Response:
        who = principal()
        secret = self._factor.begin(who, body(PasswordAgain).password)
        here = urlsplit(address(self._parts.config)).hostname or ""
        name = who.name.removeprefix("user ")
        otpauth = address_of(secret, name, f"Hostpulse {here}")
        return reply(AppSecret(secret, otpauth, picture_of(otpauth)))

    @operation("Switch my second factor on", RecoveryCodes, needs=Need.SELF, takes=Code)
    def turn_on(self) -> Response:
        return reply(RecoveryCodes(self._factor.turn_on(principal(), body(Code).code)))

    @operation("Make new recovery codes", RecoveryCodes, needs=Need.SELF, takes=PasswordAndCode)
    def renew_codes(self) -> Response:
        return reply(RecoveryCodes(self._factor.renew_codes(principal(), _proof())))

    @operation("Switch my second factor off", Done, needs=Need.SELF, takes=PasswordAndCode)
    def turn_off(self) -> Response:
        self._factor.turn_off(principal(), _proof())
        return reply(Done())

    @operation("Switch off the second factor of a member who lost it", Done, needs=Need.OWN)
    def remove(self, person: str) -> Response:
        self._factor.remove(principal(), person)
        return reply(Done())


def _proof() -> Proof:
    given = body(PasswordAndCode)
    return Proof(given.password, given.code, client())
