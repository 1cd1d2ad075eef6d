"""/api/links: what is good once, for an account, a password or another organisation."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from hostpulse.access.denied import AccessDenied
from hostpulse.access.principal import Need
from hostpulse.access.second_step import Entry
from hostpulse.api.asking import body, client, principal, reply
from hostpulse.api.entry import Entered, let_in
from hostpulse.api.openapi import operation
from hostpulse.api.servers import Done
from hostpulse.config import Config, address
from hostpulse.parts import Parts


class LinkToken(msgspec.Struct, forbid_unknown_fields=True):
    """The part of a link after #."""

    token: str


class LinkUse(msgspec.Struct, forbid_unknown_fields=True):
    """A new account, or a new password."""

    token: str
    password: str
    name: str = ""


class LinkAbout(msgspec.Struct):
    """What a link is for, whose it is, and where it leads in which role."""

    kind: str
    name: str
    tenant: str
    role: str


class Link(msgspec.Struct):
    """An address that is good once, for a day; it is shown only now."""

    link: str

    @classmethod
    def of(cls, config: Config, token: str) -> Link:
        """Return where a token leads."""
        return cls(f"{address(config)}/welcome#{token}")


class OpenLink(msgspec.Struct):
    """A link that nobody used yet; `person` is whose password a reset sets, `expires` epoch ms."""

    id: str
    kind: str
    role: str
    person: str
    made_by: str
    expires: int


class OpenLinks(msgspec.Struct):
    """The links of the tenant that are good, the newest first."""

    links: list[OpenLink]


def links_blueprint(parts: Parts) -> Blueprint:
    """Return the routes of links."""
    api = Blueprint("links", __name__, url_prefix="/api/links")
    views = _Views(parts)
    api.get("")(views.list_links)
    api.delete("/<link>")(views.withdraw)
    api.post("/about")(views.show_link)
    api.post("/look")(views.look)
    api.post("/use")(views.use_link)
    api.post("/join")(views.join)
    return api


def check_auth(config: Config) -> None:
    """Return if people sign in here; raises AccessDenied."""
    if not config.auth:
        raise AccessDenied(404, "This backend runs with --no-auth; nobody signs in.")


class _Views:
    """Each view is one method."""

    def __init__(self, parts: Parts) -> None:
        self._config = parts.config
        self._people = parts.people
        self._links = parts.people.links

    @operation("The links that are good", OpenLinks, needs=Need.PEOPLE)
    def list_links(self) -> Response:
        found = self._links.open(principal())
        return reply(OpenLinks([OpenLink(*one) for one in found]))

    @operation("Make a link good for nothing", Done, needs=Need.PEOPLE)
    def withdraw(self, link: str) -> Response:
        self._links.withdraw(principal(), link)
        return reply(Done())

    @operation("What a link is for", LinkAbout, needs=Need.OPEN, takes=LinkToken)
    def show_link(self) -> Response:
        check_auth(self._config)
        return reply(LinkAbout(*self._links.about(body(LinkToken).token)))

    @operation("Look at charts before the first account", Entered, needs=Need.OPEN, takes=LinkToken)
    def look(self) -> Response:
        check_auth(self._config)
        token = self._links.look(body(LinkToken).token, client())
        return let_in(self._people, Entry(token))

    @operation("Make the account or set the password", Entered, needs=Need.OPEN, takes=LinkUse)
    def use_link(self) -> Response:
        check_auth(self._config)
        given = body(LinkUse)
        entry = self._links.use(given.token, given.name, given.password, client())
        return let_in(self._people, entry)

    @operation("Join with the account that is signed in", Done, needs=Need.SELF, takes=LinkToken)
    def join(self) -> Response:
        self._links.join(principal(), body(LinkToken).token)
        return reply(Done())
