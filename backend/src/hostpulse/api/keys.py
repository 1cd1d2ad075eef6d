"""/api/keys, /api/tokens, /api/enrolments, /api/enrol: keys of agents and of programs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from hostpulse.access.keys import KINDS
from hostpulse.access.principal import Need, Principal
from hostpulse.api.answers import REFUSED
from hostpulse.api.asking import body, principal, reply
from hostpulse.api.openapi import operation
from hostpulse.api.servers import Done, Tag
from hostpulse.config import address
from hostpulse.control import key_rows
from hostpulse.control.store import StoreAway
from hostpulse.parts import Parts
from hostpulse.report import limits

Label = Annotated[str, Meta(max_length=100)]


class KeyRow(msgspec.Struct):
    """A key that is good; of its secret nothing is known any more."""

    id: str
    kind: str
    label: str
    created: int
    created_by: str
    expires: int | None
    used: int | None
    server: str
    scopes: list[str]
    uses_left: int | None


class KeyList(msgspec.Struct):
    """The keys of the tenant, the newest first."""

    keys: list[KeyRow]


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """An ingest key: what it is for."""

    label: Label


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """A personal token: what it is for, what it may, and for how many days."""

    label: Label
    scopes: tuple[str, ...] = ("read",)
    days: int = 365


class NewEnrolment(msgspec.Struct, forbid_unknown_fields=True):
    """How long and how often a token may be traded for the key of a server."""

    minutes: int = 60
    uses: int = 1
    tags: Annotated[tuple[Tag, ...], Meta(max_length=limits.MAX_TAGS)] = ()
    label: Label = ""


class MadeKey(msgspec.Struct):
    """A key, shown once."""

    id: str
    key: str


class MadeEnrolment(msgspec.Struct):
    """An enrolment token, shown once, and the address that an agent takes it to."""

    id: str
    token: str
    url: str


class EnrolmentState(msgspec.Struct):
    """What came of an enrolment token, and why it was refused last: at 0 it never was."""

    uses_left: int
    servers: list[str]
    refused: str
    refused_at: int


class Machine(msgspec.Struct, forbid_unknown_fields=True):
    """What a machine says of itself when it enrols; `machine` is a fingerprint, or ''."""

    hostname: Annotated[str, Meta(min_length=1, max_length=limits.MAX_HOSTNAME_LENGTH)]
    machine: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    version: Annotated[str, Meta(max_length=100)] = ""


class Enrolment(msgspec.Struct):
    """Which server the machine is now, and its key, shown once."""

    tenant: str
    server: str
    key: str
    status: str = "success"


class AgentKey(msgspec.Struct):
    """The next key of a server, shown once."""

    key: str
    status: str = "success"


def keys_blueprint(parts: Parts) -> Blueprint:
    """Return the routes of keys."""
    api = Blueprint("keys", __name__, url_prefix="/api")
    views = _Views(parts)
    api.get("/keys")(views.list_keys)
    api.post("/keys")(views.make_key)
    api.delete("/keys/<key>")(views.revoke_key)
    api.get("/tokens")(views.list_tokens)
    api.post("/tokens")(views.make_token)
    api.delete("/tokens/<key>")(views.revoke_token)
    api.post("/enrolments")(views.make_enrolment)
    api.get("/enrolments/<key>")(views.show_enrolment)
    api.post("/enrol")(views.enrol)
    api.post("/agent/key")(views.rotate)
    return api


class _Views:
    """Each view is one method."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._issuer = parts.issuer

    @operation("The keys that are good", KeyList, needs=Need.MANAGE)
    def list_keys(self) -> Response:
        return reply(_listed(self._issuer.list(principal())))

    @operation("Make a key that sends samples", MadeKey, needs=Need.MANAGE, takes=NewKey)
    def make_key(self) -> Response:
        key = self._issuer.make_ingest(principal(), body(NewKey).label)
        return reply(MadeKey(key.id, key.text))

    @operation("My tokens that are good", KeyList, needs=Need.SELF)
    def list_tokens(self) -> Response:
        return reply(_listed(self._issuer.list_own(principal())))

    @operation("Make a token that asks as I do", MadeKey, needs=Need.SELF, takes=NewToken)
    def make_token(self) -> Response:
        given = body(NewToken)
        key = self._issuer.make_personal(principal(), given.label, given.scopes, given.days)
        return reply(MadeKey(key.id, key.text))

    @operation("Make a token of mine good for nothing", Done, needs=Need.SELF)
    def revoke_token(self, key: str) -> Response:
        self._issuer.revoke_own(principal(), key)
        return reply(Done())

    @operation("Make a key good for nothing", Done, needs=Need.MANAGE)
    def revoke_key(self, key: str) -> Response:
        self._issuer.revoke(principal(), key)
        return reply(Done())

    @operation(
        "Make a token for a new server", MadeEnrolment, needs=Need.MANAGE, takes=NewEnrolment
    )
    def make_enrolment(self) -> Response:
        given = body(NewEnrolment)
        key = self._issuer.make_enrolment(
            principal(), given.minutes, given.uses, given.tags, given.label
        )
        return reply(MadeEnrolment(key.id, key.text, address(self._parts.config)))

    @operation("What became of a token for a new server", EnrolmentState, needs=Need.MANAGE)
    def show_enrolment(self, key: str) -> Response:
        row, servers = self._issuer.enrolment(principal(), key)
        refused_at = row.refused_ms or 0
        return reply(EnrolmentState(row.uses_left or 0, servers, row.refused, refused_at))

    @operation("Trade an enrolment token for a key", Enrolment, needs=Need.ENROL, takes=Machine)
    def enrol(self) -> Response:
        who = principal()
        try:
            return self._enrol(who, body(Machine))
        except REFUSED as refused:
            with suppress(StoreAway):
                self._issuer.note_refusal(who, str(refused))
            raise

    def _enrol(self, who: Principal, given: Machine) -> Response:
        server, key, tags = self._issuer.enrol(who, given.hostname, given.machine)
        it = self._parts.servers.find(who.tenant, server)
        if tags and not it.given_tags:
            self._parts.registrar.say(who.tenant, it, given_tags=list(tags))
        return reply(Enrolment(who.tenant, server, key.text))

    @operation("Renew the key of an agent", AgentKey, needs=Need.ROTATE)
    def rotate(self) -> Response:
        return reply(AgentKey(self._issuer.rotate(principal()).text))


def _listed(rows: Sequence[key_rows.KeyRow]) -> KeyList:
    return KeyList(
        [
            KeyRow(
                r.id, KINDS[r.kind], r.label, r.created_ms, r.created_by, r.expires_ms, r.used_ms,
                r.server, list(r.scopes), r.uses_left,
            )
            for r in rows
        ]
    )  # fmt: skip
