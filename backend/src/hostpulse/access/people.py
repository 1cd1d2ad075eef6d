"""People: accounts, sessions and the links that make them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access import passwords
from hostpulse.access.audit import Deed, note
from hostpulse.access.denied import AccessDenied
from hostpulse.access.passwords import Passwords
from hostpulse.access.principal import DEFAULT_TENANT, ROLES, SCOPES, Need, Principal
from hostpulse.access.secret import token_id, url_token
from hostpulse.access.throttle import Throttle, network_of, wait_seconds
from hostpulse.control import audit_rows, key_rows, people_rows
from hostpulse.control.audit_rows import AuditRow
from hostpulse.control.people_rows import LinkRow, Member, SessionRow, UserRow
from hostpulse.control.store import ControlStore

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
IDLE_MS, LONGEST_MS = 30 * MINUTE_MS, 12 * HOUR_MS
REMEMBERED_MS = 30 * DAY_MS
LOOKING_MS = HOUR_MS
LINK_MS = DAY_MS
MAX_NAME_LENGTH = 64
_KNOWN_FOR_SECONDS = 0.5
_SEEN_RESOLUTION_MS = MINUTE_MS
_TRIES, _TRIES_SECONDS = 10, 300.0
_TENANT_ID = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_WRONG = "The name or the password is wrong."
_LINK_OVER = "This link was used or is too old; ask for another one."


class Client(NamedTuple):
    """Where a person sits: the address and what the browser calls itself."""

    address: str
    program: str


class _Attempt(NamedTuple):
    """A sign-in that is refused; `is_early` says that the account had to wait still."""

    person: UserRow | None
    name: str
    client: Client
    now_ms: int
    is_early: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that is good: who it is, and the token that its changes must bring."""

    principal: Principal
    user_name: str
    row: SessionRow

    def is_over(self, now_ms: int) -> bool:
        """Tell whether it ended by itself."""
        row = self.row
        if not row.user:
            return now_ms - row.created_ms > LOOKING_MS
        if row.remembered:
            return now_ms - row.created_ms > REMEMBERED_MS
        return now_ms - row.created_ms > LONGEST_MS or now_ms - row.seen_ms > IDLE_MS


def csrf_token(session_token: str) -> str:
    """Return what a page of this session sends with every change."""
    return sha256(b"csrf\0" + session_token.encode()).hexdigest()


class People:
    """Signs people in and out, and keeps their accounts. Any method may raise StoreAway."""

    def __init__(
        self,
        store: ControlStore,
        clock_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._random_bytes = random_bytes
        self._passwords = Passwords()
        self._tries = Throttle(_TRIES, _TRIES_SECONDS, monotonic)
        self._known: dict[bytes, tuple[float, SignedIn | None]] = {}
        self._lock = Lock()
        self._is_owned = False

    # -- accounts begin with a link ---------------------------------------------------------

    def needs_setup(self) -> bool:
        """Tell whether nobody owns anything yet."""
        if not self._is_owned:
            with self._store.transaction() as connection:
                self._is_owned = people_rows.is_owned(connection)
        return not self._is_owned

    def make_setup_link(self, tenant: str = DEFAULT_TENANT) -> str:
        """Return the token of a link that makes the first owner; an earlier one is void."""
        return self._make_link("setup", Principal(tenant), "owner")

    def invite(self, by: Principal, role: str) -> str:
        """Return the token of a link that makes a member of this role."""
        _check_rank(by, role)
        return self._make_link("invite", by, role)

    def make_reset_link(self, by: Principal, user_id: str) -> str:
        """Return the token of a link that sets a new password of a member."""
        with self._store.transaction() as connection:
            _check_rank(by, _member(connection, by.tenant, user_id).role)
            _check_only_here(connection, by, user_id)
        return self._make_link("reset", by, "", user_id)

    def _make_link(self, kind: str, by: Principal, role: str, user: str = "") -> str:
        token, now_ms = url_token(self._random_bytes), self._clock_ms()
        row = LinkRow(_digest(token), kind, by.tenant, role, user, now_ms + LINK_MS)
        with self._store.transaction() as connection:
            people_rows.add_link(connection, row)
            self._note(connection, by, f"make a {kind} link", user or role)
        return token

    def look(self, token: str, client: Client) -> str:
        """Return the session of somebody who has the set-up link and wants to see a chart first."""
        with self._store.transaction() as connection:
            link = self._good_link(connection, token)
            if link.kind != "setup":
                raise AccessDenied(403, "Only the link of the first owner shows anything before.")
            return self._begin(connection, link.tenant, "", client, remembered=False)

    def link_kind(self, token: str) -> tuple[str, str]:
        """Return what a link is for and whose it is ('' for a new account)."""
        with self._store.transaction() as connection:
            link = self._good_link(connection, token)
            owner = people_rows.user(connection, link.user) if link.user else None
            return link.kind, owner.name if owner else ""

    def use_link(self, token: str, name: str, password: str, client: Client) -> str:
        """Make the account, or set the password, that a link is for; return a session."""
        now_ms = self._clock_ms()
        with self._store.transaction() as connection:
            link = self._good_link(connection, token)
            owner = people_rows.user(connection, link.user) if link.user else None
        name = owner.name if owner else _checked_name(name)
        _check_password(password, name)
        kept = self._passwords.hash(password)
        with self._store.transaction() as connection:
            if not people_rows.use_link(connection, link.digest, now_ms):
                raise AccessDenied(410, _LINK_OVER)
            if owner:
                user_id = owner.id
                people_rows.change_user(connection, user_id, password=kept, failures=0)
                people_rows.end_sessions(connection, user_id)
            else:
                user_id = self._new_member(connection, link, name, kept, now_ms)
            by = Principal(link.tenant, f"user {name}")
            self._note(connection, by, f"use a {link.kind} link", name, "done", client.address)
            token = self._begin(connection, link.tenant, user_id, client, remembered=False)
        self._forget_known()
        return token

    def _new_member(
        self, connection: Connection, link: LinkRow, name: str, kept: str, now_ms: int
    ) -> str:
        if people_rows.user_named(connection, name):
            raise AccessDenied(409, f"name: {name} is taken; choose another.")
        if link.kind == "setup" and any(
            member.role == "owner" for member in people_rows.members(connection, link.tenant)
        ):
            raise AccessDenied(410, "There is an owner already; sign in, or ask for an invitation.")
        if link.kind == "setup":
            people_rows.end_looks(connection, link.tenant)
        user_id = f"usr_{token_id(self._random_bytes)}"
        people_rows.add_user(connection, UserRow(user_id, name, kept, False, now_ms, 0, 0))
        people_rows.set_role(connection, link.tenant, user_id, link.role)
        return user_id

    def _good_link(self, connection: Connection, token: str) -> LinkRow:
        link = people_rows.link(connection, _digest(token))
        if link is None or link.used_ms or self._clock_ms() >= link.expires_ms:
            raise AccessDenied(410, _LINK_OVER)
        return link

    # -- sessions ---------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, client: Client, remembered: bool) -> str:
        """Return the token of a new session; raises AccessDenied, Busy.

        An unknown name takes as long and is told the same as a wrong password.
        """
        network = network_of(client.address)
        if (wait := self._tries.wait(network)) > 0:
            raise _too_often(wait)
        name, now_ms = name.strip().lower()[:MAX_NAME_LENGTH], self._clock_ms()
        with self._store.transaction() as connection:
            person = people_rows.user_named(connection, name)
            seen = people_rows.sessions_of(connection, person.id if person else "")
        waited = (now_ms - person.failed_ms) / 1000 if person else 0.0
        is_early = person is not None and waited < wait_seconds(person.failures)
        if network in {network_of(row.address) for row in seen}:
            is_early = False  # who guesses elsewhere must not keep the owner out
        fits = self._passwords.fits(person.password if person else "", password)
        if person is None or not fits or is_early or person.disabled:
            self._tries.count(network)
            self._note_failure(_Attempt(person, name, client, now_ms, is_early))
            raise AccessDenied(401, _WRONG)
        kept = (
            self._passwords.hash(password) if self._passwords.is_outdated(person.password) else ""
        )
        with self._store.transaction() as connection:
            tenants = people_rows.roles_of(connection, person.id)
            if not tenants:
                raise AccessDenied(403, "This account belongs to no organisation; ask an owner.")
            people_rows.change_user(
                connection, person.id, failures=0, password=kept or person.password
            )
            tenant = DEFAULT_TENANT if DEFAULT_TENANT in tenants else min(tenants)
            by = Principal(tenant, f"user {name}")
            self._note(connection, by, "sign in", name, "done", client.address)
            return self._begin(connection, tenant, person.id, client, remembered)

    def _note_failure(self, tried: _Attempt) -> None:
        person = tried.person
        with self._store.transaction() as connection:
            tenants = people_rows.roles_of(connection, person.id if person else "")
            if not tried.is_early:  # tries within the wait do not make it longer
                people_rows.count_failure(connection, person.id if person else "", tried.now_ms)
            by = Principal(min(tenants, default=DEFAULT_TENANT), "nobody")
            self._note(connection, by, "sign in", tried.name, "refused", tried.client.address)

    def _begin(
        self, connection: Connection, tenant: str, user: str, client: Client, remembered: bool
    ) -> str:
        token, now_ms = url_token(self._random_bytes), self._clock_ms()
        people_rows.drop_old_sessions(connection, now_ms - REMEMBERED_MS)
        row = SessionRow(
            f"ses_{token_id(self._random_bytes)}",
            _digest(token),
            tenant,
            user,
            now_ms,
            now_ms,
            client.address,
            client.program[:200],
            remembered,
        )
        people_rows.add_session(connection, row)
        return token

    def session(self, token: str, is_active: bool) -> SignedIn | None:
        """Return whose session this is, None if it is good for nothing (any more).

        `is_active` says that a person did something, not that a page refreshed by itself. What
        another process changed is known here within a second.
        """
        digest, now = _digest(token), monotonic()
        read_at, found = self._known.get(digest, (0.0, None))
        if not read_at or now - read_at > _KNOWN_FOR_SECONDS:
            found = self._read(digest)
            with self._lock:
                if len(self._known) > 10_000:
                    self._known.clear()
                self._known[digest] = (now, found)
        now_ms = self._clock_ms()
        if found is None or found.is_over(now_ms):
            return None
        if is_active and now_ms - found.row.seen_ms > _SEEN_RESOLUTION_MS:
            with self._store.transaction() as connection:
                people_rows.change_session(connection, found.row.id, seen_ms=now_ms)
            self._known.pop(digest, None)
        return found

    def _read(self, digest: bytes) -> SignedIn | None:
        with self._store.transaction() as connection:
            row = people_rows.session(connection, digest)
            if row is None:
                return None
            if not row.user:
                grants = frozenset({Need.READ})
                name = "somebody with the set-up link"
                looking = Principal(row.tenant, name, grants, "", session=row.id)
                return SignedIn(looking, "", row)
            person = people_rows.user(connection, row.user)
            role = people_rows.roles_of(connection, row.user).get(row.tenant, "")
        if person is None or person.disabled or role not in ROLES:
            return None
        principal = Principal(
            row.tenant, f"user {person.name}", ROLES[role], role, user=person.id, session=row.id
        )
        return SignedIn(principal, person.name, row)

    def sign_out(self, who: Principal, session: str = "", everywhere_else: bool = False) -> int:
        """End one session of a person, this one by default, or all others."""
        which = {"but": who.session} if everywhere_else else {"id_": session or who.session}
        with self._store.transaction() as connection:
            ended = people_rows.end_sessions(connection, who.user, **which)
            if ended:
                self._note(connection, who, "sign out", which.get("id_", "all other sessions"))
        self._forget_known()
        return ended

    def sessions(self, who: Principal) -> list[SessionRow]:
        """Return a person's sessions."""
        with self._store.transaction() as connection:
            return people_rows.sessions_of(connection, who.user)

    def tenants(self, who: Principal) -> dict[str, str]:
        """Return the names of the tenants that a person belongs to, by id."""
        with self._store.transaction() as connection:
            names = people_rows.tenant_names(connection)
            mine = people_rows.roles_of(connection, who.user) if who.user else [who.tenant]
        return {tenant: names.get(tenant, tenant) for tenant in mine}

    def switch(self, who: Principal, tenant: str) -> None:
        """Let a person's session look at another tenant of theirs."""
        with self._store.transaction() as connection:
            if tenant not in people_rows.roles_of(connection, who.user):
                raise AccessDenied(404, f"tenant: you belong to none with the id {tenant!r}.")
            people_rows.change_session(connection, who.session, tenant=tenant)
        self._forget_known()

    def change_password(self, who: Principal, old: str, new: str) -> None:
        """Set a new password and end the person's other sessions."""
        with self._store.transaction() as connection:
            person = people_rows.user(connection, who.user)
        if person is None or not self._passwords.fits(person.password, old):
            raise AccessDenied(403, "old: is not your password.")
        _check_password(new, person.name)
        kept = self._passwords.hash(new)
        with self._store.transaction() as connection:
            people_rows.change_user(connection, person.id, password=kept)
            people_rows.end_sessions(connection, person.id, but=who.session)
            self._note(connection, who, "change the password", person.name)
        self._forget_known()

    # -- members ----------------------------------------------------------------------------

    def members(self, who: Principal) -> list[Member]:
        """Return the people of the tenant."""
        with self._store.transaction() as connection:
            return people_rows.members(connection, who.tenant)

    def set_role(self, by: Principal, user_id: str, role: str) -> None:
        """Give a member another role, '' for none any more; an owner always stays."""
        with self._store.transaction() as connection:
            member = _member(connection, by.tenant, user_id)
            _check_rank(by, member.role)
            if role:
                _check_rank(by, role)
            if role != "owner":
                _check_not_last_owner(connection, by.tenant, user_id)
            people_rows.set_role(connection, by.tenant, user_id, role)
            self._revoke_tokens(connection, by.tenant, user_id, ROLES.get(role, frozenset()))
            self._note(connection, by, f"make {role}" if role else "remove", member.user.name)
        self._forget_known()

    def disable(self, by: Principal, user_id: str, disabled: bool) -> None:
        """Lock a member out at once, or let them in again."""
        with self._store.transaction() as connection:
            member = _member(connection, by.tenant, user_id)
            _check_rank(by, member.role)
            _check_only_here(connection, by, user_id)
            if disabled:
                _check_not_last_owner(connection, by.tenant, user_id)
                people_rows.end_sessions(connection, user_id)
                for tenant in people_rows.roles_of(connection, user_id):
                    self._revoke_tokens(connection, tenant, user_id, frozenset())
            people_rows.change_user(connection, user_id, disabled=disabled)
            self._note(connection, by, "disable" if disabled else "enable", member.user.name)
        self._forget_known()

    def _revoke_tokens(
        self, connection: Connection, tenant: str, user_id: str, grants: frozenset[Need]
    ) -> None:
        """Revoke the personal tokens that may more than their person may from now on."""
        over = [
            row.id
            for row in key_rows.of_person(connection, tenant, user_id)
            if not all(SCOPES[scope] <= grants for scope in row.scopes)
        ]
        if over:
            key_rows.begin_change(connection)
            key_rows.revoke(connection, tenant, over, self._clock_ms())

    # -- the log ----------------------------------------------------------------------------

    def make_tenant(self, by: Principal, id_: str, name: str) -> None:
        """Make an organisation without anybody in it."""
        if not _TENANT_ID.fullmatch(id_):
            raise AccessDenied(422, "tenant: use 1 to 40 small letters, digits and hyphens.")
        with self._store.transaction() as connection:
            if id_ in people_rows.tenant_names(connection):
                raise AccessDenied(409, f"tenant: {id_} is there already.")
            people_rows.add_tenant(connection, id_, name, self._clock_ms())
            self._note(connection, by, "make a tenant", id_)

    def all_tenants(self) -> dict[str, str]:
        """Return the name of every organisation by its id."""
        with self._store.transaction() as connection:
            return people_rows.tenant_names(connection)

    def verify_audit(self) -> tuple[int, list[str]]:
        """Return how many entries the whole log has, and where it is not what was written."""
        with self._store.transaction() as connection:
            return audit_rows.count(connection), list(audit_rows.verify(connection))

    def log(self, by: Principal, action: str, object_: str) -> None:
        """Write down what somebody did."""
        with self._store.transaction() as connection:
            self._note(connection, by, action, object_)

    def audit(self, who: Principal, before: int, most: int) -> list[tuple[int, AuditRow]]:
        """Return the newest rows of the tenant's log."""
        with self._store.transaction() as connection:
            return audit_rows.newest(connection, who.tenant, before, most)

    def _note(self, connection: Connection, by: Principal, *deed: str) -> None:
        note(connection, by, Deed(*deed), self._clock_ms())

    def _forget_known(self) -> None:
        with self._lock:
            self._known.clear()


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _too_often(wait: float) -> AccessDenied:
    return AccessDenied(429, "Too many failed attempts from here; wait a while.", wait)


def _checked_name(name: str) -> str:
    name = name.strip().lower()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable() or " " in name:
        raise AccessDenied(422, f"name: use 1 to {MAX_NAME_LENGTH} characters without spaces.")
    return name


def _check_password(password: str, name: str) -> None:
    if problem := passwords.problem(password, name):
        raise AccessDenied(422, problem)


def _check_rank(by: Principal, role: str) -> None:
    if role not in ROLES:
        raise AccessDenied(422, f"role: use one of {', '.join(ROLES)}.")
    if role == "owner" and by.role != "owner":
        raise AccessDenied(403, "Only an owner may make or change an owner.")


def _member(connection: Connection, tenant: str, user_id: str) -> Member:
    for member in people_rows.members(connection, tenant):
        if member.user.id == user_id:
            return member
    raise AccessDenied(404, f"No member has the id {user_id!r}; see /api/people.")


def _check_only_here(connection: Connection, by: Principal, user_id: str) -> None:
    """Return unless a person would reach an account that another organisation has too."""
    if by.user and set(people_rows.roles_of(connection, user_id)) != {by.tenant}:
        raise AccessDenied(
            403, "This account belongs to another organisation too; take its role away here."
        )


def _check_not_last_owner(connection: Connection, tenant: str, user_id: str) -> None:
    owners = [
        member.user.id
        for member in people_rows.members(connection, tenant)
        if member.role == "owner" and not member.user.disabled
    ]
    if owners == [user_id]:
        raise AccessDenied(409, "This is the last owner; make somebody else an owner first.")
