"""/api/session, /api/people, /api/audit: accounts, sessions and what was done."""

from __future__ import annotations

from typing import Literal

import msgspec
from flask import Blueprint, Response, request

from hostpulse.access.denied import AccessDenied
from hostpulse.access.principal import NOBODY, Need
from hostpulse.access.sessions import csrf_token
from hostpulse.api import query
from hostpulse.api.answers import BadRequest
from hostpulse.api.asking import asker, body, client, principal, reply
from hostpulse.api.cookies import SESSION, drop
from hostpulse.api.entry import Entered, let_in, waiting_token
from hostpulse.api.links import Link, check_auth
from hostpulse.api.openapi import Parameter, operation
from hostpulse.api.servers import Done
from hostpulse.config import is_loopback
from hostpulse.parts import Parts

_MOST_AUDITED = 200


class Session(msgspec.Struct):
    """Who is signed in here, and what they may do; `csrf` goes into X-CSRF-Token of changes.

    `auth` false is a backend without sign-in; `needs_setup` one that nobody owns yet;
    `needs_code` a sign-in whose password was right and whose code is to come.
    `visit_until` is when the visit of an operator ends (epoch ms), 0 for who belongs here.
    `provider` is what people call the OpenID provider that they may sign in with.
    """

    auth: bool
    signed_in: bool
    needs_setup: bool
    plain_http: bool
    provider: str
    name: str = ""
    role: str = ""
    tenant: str = ""
    tenants: dict[str, str] = {}
    visit_until: int = 0
    suspended: bool = False
    may: list[str] = []
    csrf: str = ""
    needs_code: bool = False


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """A name and its password; `remember` keeps the session for 30 days."""

    name: str
    password: str
    remember: bool = False


class Invitation(msgspec.Struct, forbid_unknown_fields=True):
    """The role of somebody new."""

    role: Literal["viewer", "editor", "admin", "owner"]


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """The password so far and the next one."""

    old: str
    new: str


class TenantChoice(msgspec.Struct, forbid_unknown_fields=True):
    """The id of the tenant to look at."""

    tenant: str


class MemberChange(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of a member; '' takes the role away."""

    role: Literal["", "viewer", "editor", "admin", "owner"] | None = None
    disabled: bool | None = None


class MemberRow(msgspec.Struct):
    """Somebody who belongs to the tenant; `seen` is when last in an open session, 0 for none."""

    id: str
    name: str
    role: str
    disabled: bool
    created: int
    second_factor: bool
    seen: int
    operator: bool


class MemberList(msgspec.Struct):
    """The people of the tenant."""

    people: list[MemberRow]


class SessionRow(msgspec.Struct):
    """A browser where this person is signed in."""

    id: str
    created: int
    seen: int
    address: str
    client: str
    current: bool


class SessionList(msgspec.Struct):
    """Where this person is signed in."""

    sessions: list[SessionRow]


class AuditEntry(msgspec.Struct):
    """Who did what."""

    number: int
    time: int
    actor: str
    action: str
    object: str
    result: str
    address: str


class AuditLog(msgspec.Struct):
    """The newest entries first; `ends_well` is false if some were cut off at the end."""

    entries: list[AuditEntry]
    ends_well: bool


def people_blueprint(parts: Parts) -> Blueprint:
    """Return the routes of people."""
    api = Blueprint("people", __name__, url_prefix="/api")
    views = _Views(parts)
    api.get("/session")(views.show_session)
    api.post("/session")(views.sign_in)
    api.delete("/session")(views.sign_out)
    api.put("/session/tenant")(views.switch_tenant)
    api.get("/sessions")(views.list_sessions)
    api.delete("/sessions")(views.end_other_sessions)
    api.delete("/sessions/<session>")(views.end_session)
    api.put("/password")(views.change_password)
    api.get("/people")(views.list_people)
    api.post("/people")(views.invite)
    api.patch("/people/<person>")(views.change_member)
    api.post("/people/<person>/reset")(views.make_reset_link)
    api.get("/audit")(views.list_audit)
    return api


class _Views:
    """Each view is one method."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._people = parts.people

    @operation("Who is signed in here", Session, needs=Need.OPEN)
    def show_session(self) -> Response:
        return reply(self._session())

    def _session(self) -> Session:
        auth, who = self._parts.config.auth, principal()
        plain = not request.is_secure and not is_loopback(request.remote_addr or "")
        provider = self._people.trips.provider_name
        if who is NOBODY:
            needs_setup, waits = self._people.links.needs_setup(), waiting_token()
            needs_code = bool(waits) and self._people.second_step.is_waiting(waits, client())
            return Session(auth, False, needs_setup, plain, provider, needs_code=needs_code)
        return Session(
            auth,
            bool(who.user) or not auth,
            auth and self._people.links.needs_setup(),
            plain,
            provider,
            who.name.removeprefix("user ") if who.user else "",
            who.role,
            who.tenant,
            self._people.tenants.of(who),
            who.visit_until_ms,
            who.is_suspended,
            sorted(need.name.lower() for need in who.grants),
            csrf_token(asker().session) if asker().session else "",
        )

    @operation("Sign in", Entered, needs=Need.OPEN, takes=SignIn)
    def sign_in(self) -> Response:
        check_auth(self._parts.config)
        given = body(SignIn)
        entry = self._people.accounts.sign_in(given.name, given.password, client(), given.remember)
        return let_in(self._people, entry)

    @operation("Sign out", Done, needs=Need.SELF)
    def sign_out(self) -> Response:
        self._people.sessions.end(principal())
        response = reply(Done())
        drop(response, SESSION)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    @operation("Look at another tenant", Done, needs=Need.SELF, takes=TenantChoice)
    def switch_tenant(self) -> Response:
        self._people.sessions.switch(principal(), body(TenantChoice).tenant)
        return reply(Done())

    @operation("Where I am signed in", SessionList, needs=Need.SELF)
    def list_sessions(self) -> Response:
        who = principal()
        rows = [
            SessionRow(r.id, r.created_ms, r.seen_ms, r.address, r.client, r.id == who.session)
            for r in self._people.sessions.of(who)
        ]
        return reply(SessionList(rows))

    @operation("Sign out everywhere else", Done, needs=Need.SELF)
    def end_other_sessions(self) -> Response:
        self._people.sessions.end(principal(), everywhere_else=True)
        return reply(Done())

    @operation("Sign out there", Done, needs=Need.SELF)
    def end_session(self, session: str) -> Response:
        if not self._people.sessions.end(principal(), session):
            raise AccessDenied(404, f"You have no session {session!r}; see /api/sessions.")
        return reply(Done())

    @operation("Change my password", Done, needs=Need.SELF, takes=PasswordChange)
    def change_password(self) -> Response:
        given = body(PasswordChange)
        self._people.accounts.change_password(principal(), given.old, given.new)
        return reply(Done())

    @operation("The people of the tenant", MemberList, needs=Need.PEOPLE)
    def list_people(self) -> Response:
        members = self._people.members.list(principal())
        having = self._people.second_factor.having(principal())
        seen = self._people.sessions.last_seen(principal())
        rows = [
            MemberRow(
                one.id, one.name, role, one.disabled, one.created_ms, one.id in having,
                seen.get(one.id, 0), one.operator,
            )
            for one, role in members
        ]  # fmt: skip
        return reply(MemberList(rows))

    @operation("Make a link for somebody new", Link, needs=Need.PEOPLE, takes=Invitation)
    def invite(self) -> Response:
        token = self._people.links.invite(principal(), body(Invitation).role)
        return reply(Link.of(self._parts.config, token))

    @operation("Make a link for a new password", Link, needs=Need.PEOPLE)
    def make_reset_link(self, person: str) -> Response:
        token = self._people.links.make_reset(principal(), person)
        return reply(Link.of(self._parts.config, token))

    @operation("Change a member", Done, needs=Need.PEOPLE, takes=MemberChange)
    def change_member(self, person: str) -> Response:
        given = body(MemberChange)
        if given.role is None and given.disabled is None:
            raise BadRequest(422, "role, disabled: give one of them.")
        if given.disabled is not None:
            self._people.members.disable(principal(), person, given.disabled)
        if given.role is not None:
            self._people.members.set_role(principal(), person, given.role)
        return reply(Done())

    @operation(
        "What was done, the newest first",
        AuditLog,
        Parameter("before", "Only entries with a lower number; all by default."),
        needs=Need.PEOPLE,
    )
    def list_audit(self) -> Response:
        before = query.whole(request.args, "before", 0, 0, 2**53)
        found = self._people.log.newest(principal(), before, _MOST_AUDITED)
        entries = [
            AuditEntry(number, r.time_ms, r.actor, r.action, r.object, r.result, r.address)
            for number, r in found
        ]
        return reply(AuditLog(entries, self._people.log.ends_well()))
