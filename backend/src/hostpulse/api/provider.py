"""/api/provider: the way to the OpenID provider and back, and the account that is linked to it."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from hostpulse.access.principal import Need
from hostpulse.access.provider import CALLBACK_PATH
from hostpulse.access.trips import TRIP_MS, Return, Way
from hostpulse.api.asking import asked_address, body, client, principal, reply
from hostpulse.api.cookies import TRIP, begin_session, drop, keep, value_of
from hostpulse.api.openapi import operation
from hostpulse.api.servers import Done
from hostpulse.parts import Parts


class Departure(msgspec.Struct, forbid_unknown_fields=True):
    """The path to come back to, and the part after # of a link for a new account, if any."""

    to: str = "/"
    link: str = ""


class Proof(msgspec.Struct, forbid_unknown_fields=True):
    """The password of whoever links their account."""

    password: str


class Address(msgspec.Struct):
    """The provider's page, for this browser, within 10 minutes."""

    url: str


class Arrival(msgspec.Struct, forbid_unknown_fields=True):
    """What the provider put into the address that it sent the browser back to."""

    state: str
    code: str = ""
    error: str = ""


class Arrived(msgspec.Struct):
    """The path that one wanted to go on to."""

    to: str


class Account(msgspec.Struct):
    """How one may sign in to the own account."""

    has_password: bool
    linked: bool


def provider_blueprint(parts: Parts) -> Blueprint:
    """Return the routes of the provider."""
    api = Blueprint("provider", __name__, url_prefix="/api")
    views = _Views(parts)
    api.get("/account")(views.show_account)
    api.post("/provider/departures")(views.depart)
    api.post("/provider/arrivals")(views.arrive)
    api.post("/provider/link")(views.link)
    api.delete("/provider/link")(views.unlink)
    return api


class _Views:
    """Each view is one method."""

    def __init__(self, parts: Parts) -> None:
        self._config = parts.config
        self._people = parts.people
        self._identities = parts.people.identities

    @operation("How I may sign in", Account, needs=Need.SELF)
    def show_account(self) -> Response:
        return reply(Account(*self._identities.ways_in(principal())))

    @operation("Go to the provider", Address, needs=Need.OPEN, takes=Departure)
    def depart(self) -> Response:
        given = body(Departure)
        return self._send(self._identities.depart(self._callback(), given.to, given.link))

    @operation("Go to the provider to link my account", Address, needs=Need.SELF, takes=Proof)
    def link(self) -> Response:
        who = principal()
        self._people.accounts.prove("password", who, body(Proof).password)
        return self._send(self._identities.depart_to_link(self._callback(), who))

    @operation("Come back from the provider", Arrived, needs=Need.OPEN, takes=Arrival)
    def arrive(self) -> Response:
        given = body(Arrival)
        back = Return(value_of(TRIP), given.state, given.code, given.error)
        token, to = self._identities.arrive(self._callback(), back, principal(), client())
        response = drop(reply(Arrived(to)), TRIP)
        return begin_session(self._people, response, token, False) if token else response

    @operation("Unlink my account", Done, needs=Need.SELF)
    def unlink(self) -> Response:
        self._identities.unlink(principal())
        return reply(Done())

    def _callback(self) -> str:
        return asked_address(self._config) + CALLBACK_PATH

    @staticmethod
    def _send(way: Way) -> Response:
        return keep(reply(Address(way.url)), TRIP, way.browser, TRIP_MS // 1000)
