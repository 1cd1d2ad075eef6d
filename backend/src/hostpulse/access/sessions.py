"""Sessions of people: they begin at a sign-in, end by themselves or by a wish."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from hashlib import sha256
from threading import Lock
from time import monotonic
from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access.audit import AuditLog
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.principal import DEFAULT_TENANT, OPERATOR, ROLES, VISITOR, Need, Principal
from hostpulse.access.secret import digest, token_id, url_token
from hostpulse.access.throttle import network_of
from hostpulse.control import people_rows
from hostpulse.control.people_rows import SessionRow, UserRow

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
IDLE_MS, LONGEST_MS = 30 * MINUTE_MS, 12 * HOUR_MS
REMEMBERED_MS = 30 * DAY_MS
LOOKING_MS = VISIT_MS = HOUR_MS
_KNOWN_FOR_SECONDS = 0.5
_SEEN_RESOLUTION_MS = MINUTE_MS


class Client(NamedTuple):
    """Where a person sits: the address and what the browser calls itself."""

    address: str
    program: str


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


def home_of(tenants: Collection[str], suspended: Collection[str]) -> str:
    """Return where somebody who belongs to these tenants begins, '' for who belongs to none."""
    first = sorted(tenants, key=lambda one: (one in suspended, one != DEFAULT_TENANT, one))
    return first[0] if first else ""


def at_home(connection: Connection, person: UserRow) -> Principal:
    """Return a person as the audit log names them, in the organisation that they see first."""
    roles = people_rows.roles_of(connection, person.id)
    tenant = home_of(roles, people_rows.suspended(connection))
    if not tenant:
        raise AccessDenied(403, "This account belongs to no organisation; ask an owner.")
    return Principal(tenant, f"user {person.name}")


class Sessions:
    """Begins, finds and ends sessions. Any method may raise StoreAway."""

    def __init__(self, means: Means) -> None:
        self._store, self._clock_ms, self._random_bytes = means
        self._log = AuditLog(means)
        self._known: dict[bytes, tuple[float, SignedIn | None]] = {}
        self._lock = Lock()

    def enter(
        self, connection: Connection, person: UserRow, client: Client, remembered: bool, how: str
    ) -> str:
        """Return the token of a new session of somebody who showed who they are; `how` is noted."""
        by = at_home(connection, person)
        self._log.note(connection, by, how, person.name, "done", client.address)
        return self.begin(connection, by.tenant, person.id, client, remembered)

    def begin(
        self, connection: Connection, tenant: str, user: str, client: Client, remembered: bool
    ) -> str:
        """Return the token of a new session; `user` '' only looks."""
        token, now_ms = url_token(self._random_bytes), self._clock_ms()
        people_rows.drop_old_sessions(connection, now_ms - REMEMBERED_MS)
        row = SessionRow(
            f"ses_{token_id(self._random_bytes)}",
            digest(token),
            tenant,
            user,
            now_ms,
            now_ms,
            client.address,
            client.program[:200],
            remembered,
        )
        people_rows.add_session(connection, row)
        if user:
            people_rows.note_network(connection, user, network_of(client.address))
        return token

    def find(self, token: str, is_active: bool) -> SignedIn | None:
        """Return whose session this is, None if it is good for nothing (any more).

        `is_active` says that a person did something, not that a page refreshed by itself. What
        another process changed is known here within a second.
        """
        kept, now = digest(token), monotonic()
        read_at, found = self._known.get(kept, (0.0, None))
        if not read_at or now - read_at > _KNOWN_FOR_SECONDS:
            found = self._read(kept)
            with self._lock:
                if len(self._known) > 10_000:
                    self._known.clear()
                self._known[kept] = (now, found)
        now_ms = self._clock_ms()
        if found is None or found.is_over(now_ms):
            return None
        if is_active and now_ms - found.row.seen_ms > _SEEN_RESOLUTION_MS:
            with self._store.transaction(found.row.tenant) as connection:
                people_rows.change_session(connection, found.row.id, seen_ms=now_ms)
            self._known.pop(kept, None)
        return found

    def _read(self, kept: bytes) -> SignedIn | None:
        with self._store.system_transaction() as connection:
            row = people_rows.session(connection, kept)
            if row is None:
                return None
            if not row.user:
                grants = frozenset({Need.READ})
                name = "somebody with the set-up link"
                looking = Principal(row.tenant, name, grants, "", session=row.id)
                return SignedIn(looking, "", row)
            person = people_rows.user(connection, row.user)
            roles = people_rows.roles_of(connection, row.user)
            suspended = people_rows.suspended(connection)
        if person is None or person.disabled:
            return None
        tenant, until_ms = row.tenant, row.visit_until_ms or 0
        if until_ms and not (person.operator and self._clock_ms() < until_ms):
            tenant, until_ms = home_of(roles, suspended), 0
        role = "visitor" if until_ms else roles.get(tenant, "")
        if not until_ms and role not in ROLES:
            return None
        grants = VISITOR if until_ms else ROLES[role]
        principal = Principal(
            tenant,
            f"user {person.name}",
            grants | OPERATOR if person.operator else grants,
            role,
            user=person.id,
            session=row.id,
            visit_until_ms=until_ms,
            is_suspended=tenant in suspended and not until_ms,
        )
        return SignedIn(principal, person.name, row)

    def last_seen(self, who: Principal) -> dict[str, int]:
        """Return when each member of the tenant was seen last."""
        with self._store.transaction(who.tenant) as connection:
            return people_rows.last_seen(connection, who.tenant)

    def end(self, who: Principal, session: str = "", everywhere_else: bool = False) -> int:
        """End one session of a person, this one by default, or all others."""
        which = {"but": who.session} if everywhere_else else {"id_": session or who.session}
        with self._store.system_transaction() as connection:
            ended = people_rows.end_sessions(connection, who.user, **which)
            if ended:
                self._log.note(connection, who, "sign out", which.get("id_", "all other sessions"))
        self.forget_known()
        return ended

    def of(self, who: Principal) -> list[SessionRow]:
        """Return a person's sessions."""
        with self._store.system_transaction() as connection:
            return people_rows.sessions_of(connection, who.user)

    def switch(self, who: Principal, tenant: str) -> None:
        """Let a person's session look at another tenant of theirs."""
        with self._store.system_transaction() as connection:
            if tenant not in people_rows.roles_of(connection, who.user):
                raise AccessDenied(404, f"tenant: you belong to none with the id {tenant!r}.")
            people_rows.change_session(connection, who.session, tenant=tenant, visit_until_ms=None)
        self.forget_known()

    def visit(self, who: Principal, tenant: str, reason: str) -> None:
        """Let an operator look at an organisation of others for an hour, and let it know why.

        Both logs say so: that of the organisation, and that of the operator's.
        """
        reason = reason.strip()
        if not 10 <= len(reason) <= 200:
            raise AccessDenied(422, "reason: say in 10 to 200 characters why; its people read it.")
        until_ms = self._clock_ms() + VISIT_MS
        with self._store.system_transaction() as connection:
            found = people_rows.tenants_by_id(connection).get(tenant)
            if found is None or found.closed_ms is not None:
                raise AccessDenied(404, f"tenant: there is none with the id {tenant!r}.")
            roles = people_rows.roles_of(connection, who.user)
            if tenant in roles:
                raise AccessDenied(409, "You belong to this organisation; switch to it instead.")
            people_rows.change_session(
                connection, who.session, tenant=tenant, visit_until_ms=until_ms
            )
            for place in filter(None, (home_of(roles, ()), tenant)):
                self._log.note(connection, replace(who, tenant=place), "visit", tenant, reason)
        self.forget_known()

    def forget_known(self) -> None:
        """Read every session anew, as a person, a role or a session changed."""
        with self._lock:
            self._known.clear()
