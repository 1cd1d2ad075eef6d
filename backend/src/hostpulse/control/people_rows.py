"""The tables of people: what is read and written of them, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from hostpulse.control.tables import (
    factors,
    identities,
    keys,
    links,
    memberships,
    recovery_codes,
    sessions,
    tenants,
    users,
    waiting,
)


class TenantRow(NamedTuple):
    """An organisation, since when it is suspended or closed, None if it is not.

    One that is closed is taken out with all that it had, as soon as nobody sends anything more.
    """

    id: str
    name: str
    created_ms: int
    suspended_ms: int | None = None
    closed_ms: int | None = None


class UserRow(NamedTuple):
    """A person; `password` is a hash, '' for none. An operator runs the server for all tenants.

    `networks` are those that they signed in from lately.
    """

    id: str
    name: str
    password: str
    disabled: bool
    created_ms: int
    failures: int
    failed_ms: int
    operator: bool = False
    networks: Sequence[str] = ()


class SessionRow(NamedTuple):
    """A browser that is signed in; `user` '' is one that only looks, before the first account."""

    id: str
    digest: bytes
    tenant: str
    user: str
    created_ms: int
    seen_ms: int
    address: str
    client: str
    remembered: bool = False
    visit_until_ms: int | None = None


class LinkRow(NamedTuple):
    """A link that is good once, for a new account (setup, invite) or a new password (reset).

    `made_by` is the id of the person who made it, '' for whoever runs the server.
    """

    digest: bytes
    kind: str
    tenant: str
    role: str
    user: str
    expires_ms: int
    used_ms: int | None = None
    made_by: str = ""


class Member(NamedTuple):
    """A person and their role in a tenant."""

    user: UserRow
    role: str


_MOST_NETWORKS = 10
_TENANT = [tenants.c[name] for name in TenantRow._fields]
_USER = [users.c[name] for name in UserRow._fields]
_SESSION = [sessions.c[name] for name in SessionRow._fields]
_LINK = [links.c[name] for name in LinkRow._fields]


def is_owned(connection: Connection) -> bool:
    """Tell whether any tenant has an owner."""
    owners = select(func.count()).select_from(memberships).where(memberships.c.role == "owner")
    return bool(connection.execute(owners).scalar())


def tenants_by_id(connection: Connection) -> dict[str, TenantRow]:
    """Return every tenant."""
    found = connection.execute(select(*_TENANT).order_by(tenants.c.id))
    return {row.id: TenantRow(*row) for row in found}


def suspended(connection: Connection) -> set[str]:
    """Return the ids of the tenants that are suspended or closed."""
    is_open = tenants.c.suspended_ms.is_(None) & tenants.c.closed_ms.is_(None)
    return set(connection.execute(select(tenants.c.id).where(~is_open)).scalars())


def closed_before(connection: Connection, time_ms: int) -> list[str]:
    """Return the ids of the tenants that were closed before that time."""
    found = connection.execute(select(tenants.c.id).where(tenants.c.closed_ms < time_ms))
    return list(found.scalars())


def remove_tenant(connection: Connection, id_: str) -> None:
    """Remove a tenant, its keys, links and sessions, and the people who belong to no other.

    Its servers are gone by now. What the audit log says of it stays: taking it out would break the
    chain.
    """
    here = select(memberships.c.user).where(memberships.c.tenant == id_)
    left = list(connection.execute(here).scalars())
    for table in (memberships, sessions, links, keys):
        connection.execute(delete(table).where(table.c.tenant == id_))
    elsewhere = select(memberships.c.user)
    gone = users.c.id.in_(left) & users.c.id.not_in(elsewhere) & ~users.c.operator
    for table in (waiting, recovery_codes, factors, identities):
        connection.execute(delete(table).where(table.c.user.in_(select(users.c.id).where(gone))))
    connection.execute(delete(users).where(gone))
    connection.execute(delete(tenants).where(tenants.c.id == id_))


def end_sessions_in(connection: Connection, tenant: str) -> None:
    """End the sessions that look at a tenant."""
    connection.execute(delete(sessions).where(sessions.c.tenant == tenant))


def add_tenant(connection: Connection, row: TenantRow) -> None:
    """Add a tenant."""
    connection.execute(insert(tenants).values(**row._asdict()))


def change_tenant(connection: Connection, id_: str, **values: Any) -> None:
    """Change columns of a tenant."""
    connection.execute(update(tenants).where(tenants.c.id == id_).values(**values))


def member_counts(connection: Connection) -> dict[str, int]:
    """Return how many people belong to each tenant that has any."""
    counted = select(memberships.c.tenant, func.count().label("people")).group_by(
        memberships.c.tenant
    )
    return {row.tenant: row.people for row in connection.execute(counted)}


def user_named(connection: Connection, name: str) -> UserRow | None:
    """Return the person who signs in with this name."""
    row = connection.execute(select(*_USER).where(users.c.name == name)).one_or_none()
    return UserRow(*row) if row else None


def user(connection: Connection, id_: str) -> UserRow | None:
    """Return the person with this id."""
    row = connection.execute(select(*_USER).where(users.c.id == id_)).one_or_none()
    return UserRow(*row) if row else None


def add_user(connection: Connection, row: UserRow) -> None:
    """Add a person."""
    connection.execute(insert(users).values(**row._asdict()))


def change_user(connection: Connection, id_: str, **values: Any) -> None:
    """Change columns of a person."""
    connection.execute(update(users).where(users.c.id == id_).values(**values))


def addresses(connection: Connection) -> set[str]:
    """Return from where people are signed in."""
    known = select(sessions.c.address).where(sessions.c.user != "").distinct()
    return set(connection.execute(known).scalars())


def note_network(connection: Connection, id_: str, network: str) -> None:
    """Remember from where a person signed in, as the newest of the last ten places."""
    known = connection.execute(select(users.c.networks).where(users.c.id == id_)).scalar_one()
    if known[-1:] != [network]:
        kept = [one for one in known if one != network][1 - _MOST_NETWORKS :]
        change_user(connection, id_, networks=[*kept, network])


def count_failure(connection: Connection, id_: str, now_ms: int) -> None:
    """Count one more failed sign-in of a person."""
    failed = {"failures": users.c.failures + 1, "failed_ms": now_ms}
    connection.execute(update(users).where(users.c.id == id_).values(**failed))


def members(connection: Connection, tenant: str) -> list[Member]:
    """Return the people of a tenant, by name."""
    wanted = (
        select(*_USER, memberships.c.role)
        .join_from(memberships, users, memberships.c.user == users.c.id)
        .where(memberships.c.tenant == tenant)
        .order_by(users.c.name)
    )
    return [Member(UserRow(*row), role) for *row, role in connection.execute(wanted)]


def roles_of(connection: Connection, user_id: str) -> dict[str, str]:
    """Return a person's role by tenant."""
    mine = select(memberships.c.tenant, memberships.c.role).where(memberships.c.user == user_id)
    found = connection.execute(mine.order_by(memberships.c.tenant))
    return {row.tenant: row.role for row in found}


def set_role(connection: Connection, tenant: str, user_id: str, role: str) -> None:
    """Give a person a role in a tenant, '' for none any more."""
    of_member = (memberships.c.tenant == tenant) & (memberships.c.user == user_id)
    connection.execute(delete(memberships).where(of_member))
    if role:
        values = {"tenant": tenant, "user": user_id, "role": role}
        connection.execute(insert(memberships).values(**values))


def session(connection: Connection, digest: bytes) -> SessionRow | None:
    """Return the session with this digest."""
    row = connection.execute(select(*_SESSION).where(sessions.c.digest == digest)).one_or_none()
    return SessionRow(*row) if row else None


def sessions_of(connection: Connection, user_id: str) -> list[SessionRow]:
    """Return a person's sessions, the one used last first."""
    mine = select(*_SESSION).where(sessions.c.user == user_id).order_by(sessions.c.seen_ms.desc())
    return [SessionRow(*row) for row in connection.execute(mine)]


def last_seen(connection: Connection, tenant: str) -> dict[str, int]:
    """Return when each member of a tenant was seen last in a session that is there."""
    newest = select(sessions.c.user, func.max(sessions.c.seen_ms).label("seen")).where(
        sessions.c.user.in_(select(memberships.c.user).where(memberships.c.tenant == tenant))
    )
    return {row.user: row.seen for row in connection.execute(newest.group_by(sessions.c.user))}


def add_session(connection: Connection, row: SessionRow) -> None:
    """Add a session."""
    connection.execute(insert(sessions).values(**row._asdict()))


def change_session(connection: Connection, id_: str, **values: Any) -> None:
    """Change columns of a session."""
    connection.execute(update(sessions).where(sessions.c.id == id_).values(**values))


def end_sessions(connection: Connection, user_id: str, *, id_: str = "", but: str = "") -> int:
    """End one session of a person, or all `but` one; return how many ended.

    With all, sign-ins that wait for a code end too.
    """
    if not id_:
        connection.execute(delete(waiting).where(waiting.c.user == user_id))
    which = delete(sessions).where(sessions.c.user == user_id)
    which = which.where(sessions.c.id == id_) if id_ else which.where(sessions.c.id != but)
    return connection.execute(which).rowcount


def end_looks(connection: Connection, tenant: str) -> None:
    """End the sessions of those who only look, before the first account of a tenant."""
    looks = (sessions.c.tenant == tenant) & (sessions.c.user == "")
    connection.execute(delete(sessions).where(looks))


def drop_old_sessions(connection: Connection, created_before_ms: int) -> None:
    """Drop sessions that are too old to be good."""
    connection.execute(delete(sessions).where(sessions.c.created_ms < created_before_ms))


def add_link(connection: Connection, row: LinkRow) -> None:
    """Add a link; of the same kind for the same person or role there is one at a time."""
    same = (links.c.kind == row.kind) & (links.c.tenant == row.tenant) & (links.c.user == row.user)
    if row.kind != "invite":
        connection.execute(delete(links).where(same))
    connection.execute(insert(links).values(**row._asdict()))


def open_links(connection: Connection, tenant: str, now_ms: int) -> list[LinkRow]:
    """Return the links of a tenant that are good, the newest first."""
    is_open = links.c.used_ms.is_(None) & (links.c.expires_ms > now_ms)
    wanted = select(*_LINK).where(links.c.tenant == tenant, is_open)
    return [LinkRow(*row) for row in connection.execute(wanted.order_by(links.c.expires_ms.desc()))]


def drop_link(connection: Connection, digest: bytes) -> None:
    """Drop a link."""
    connection.execute(delete(links).where(links.c.digest == digest))


def link(connection: Connection, digest: bytes) -> LinkRow | None:
    """Return the link with this digest."""
    row = connection.execute(select(*_LINK).where(links.c.digest == digest)).one_or_none()
    return LinkRow(*row) if row else None


def use_link(connection: Connection, digest: bytes, now_ms: int) -> bool:
    """Take note that a link was used; False if it was before."""
    unused = update(links).where(links.c.digest == digest, links.c.used_ms.is_(None))
    return bool(connection.execute(unused.values(used_ms=now_ms)).rowcount)
