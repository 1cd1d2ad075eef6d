"""The table of keys: what is read and written of it, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from hostpulse.control.tables import counters, keys

_USED_RESOLUTION_MS = 60_000


class KeyRow(NamedTuple):
    """A key as it is stored; times are epoch ms, None is never.

    `server` is that of an agent's key, `uses_left` of an enrolment token, `machine` the
    fingerprint that a token was traded with, `made_with` the key that this one replaces or came of,
    `refused` why somebody who came with it was sent away last.
    """

    tenant: str
    id: str
    kind: str
    digest: bytes
    label: str
    created_ms: int
    created_by: str
    expires_ms: int | None = None
    server: str = ""
    scopes: Sequence[str] = ()
    tags: Sequence[str] = ()
    uses_left: int | None = None
    machine: str = ""
    made_with: str = ""
    used_ms: int | None = None
    revoked_ms: int | None = None
    refused: str = ""
    refused_ms: int | None = None


_COLUMNS = [keys.c[name] for name in KeyRow._fields]
_OF_A_TRADE = ("tenant", "made_with", "machine", "label")
_IS_LIVE = keys.c.revoked_ms.is_(None)


def change(connection: Connection) -> int:
    """Return how often the keys changed."""
    return int(connection.execute(select(counters.c.key_change)).scalar_one())


def begin_change(connection: Connection) -> None:
    """Wait for the changes of others, keep them out, and let every process learn of this one."""
    connection.execute(update(counters).values(key_change=counters.c.key_change + 1))


def live(connection: Connection) -> list[KeyRow]:
    """Return the keys of all tenants that are not revoked."""
    return [KeyRow(*row) for row in connection.execute(select(*_COLUMNS).where(_IS_LIVE))]


def of_tenant(connection: Connection, tenant: str) -> list[KeyRow]:
    """Return the keys of a tenant that are neither revoked nor used up, the newest first."""
    is_left = keys.c.uses_left.is_(None) | (keys.c.uses_left > 0)
    wanted = select(*_COLUMNS).where(_IS_LIVE, is_left, keys.c.tenant == tenant)
    found = connection.execute(wanted.order_by(keys.c.created_ms.desc(), keys.c.id))
    return [KeyRow(*row) for row in found]


def find(connection: Connection, tenant: str, id_: str) -> KeyRow | None:
    """Return a key of a tenant, None if there is none or it is revoked."""
    wanted = select(*_COLUMNS).where(_IS_LIVE, keys.c.tenant == tenant, keys.c.id == id_)
    row = connection.execute(wanted).one_or_none()
    return KeyRow(*row) if row else None


def of_any_tenant(connection: Connection, id_: str) -> KeyRow | None:
    """Return a key, whosever it is and good or not; None if there never was one."""
    row = connection.execute(select(*_COLUMNS).where(keys.c.id == id_)).one_or_none()
    return KeyRow(*row) if row else None


def never_arrived(connection: Connection, wanted_again: KeyRow) -> KeyRow | None:
    """Return the key that a machine got for the same token and name, and never used."""
    same = [keys.c[name] == getattr(wanted_again, name) for name in _OF_A_TRADE]
    wanted = select(*_COLUMNS).where(_IS_LIVE, keys.c.used_ms.is_(None), *same)
    row = connection.execute(wanted).first()
    return KeyRow(*row) if row else None


def of_server(connection: Connection, tenant: str, server: str) -> list[KeyRow]:
    """Return the keys of a server, the oldest first."""
    wanted = select(*_COLUMNS).where(_IS_LIVE, keys.c.tenant == tenant, keys.c.server == server)
    return [KeyRow(*row) for row in connection.execute(wanted.order_by(keys.c.created_ms))]


def servers_enrolled_with(connection: Connection, tenant: str, id_: str) -> list[str]:
    """Return the ids of the servers whose keys came of this enrolment token."""
    wanted = select(keys.c.server).where(keys.c.tenant == tenant, keys.c.made_with == id_)
    return list(connection.execute(wanted.order_by(keys.c.created_ms, keys.c.id)).scalars())


def servers_with_key(connection: Connection, servers: Sequence[str]) -> set[tuple[str, str]]:
    """Return (tenant, server) for those of these servers that have a key."""
    wanted = select(keys.c.tenant, keys.c.server).where(_IS_LIVE, keys.c.server.in_(servers))
    return {(row.tenant, row.server) for row in connection.execute(wanted)}


def of_person(connection: Connection, tenant: str, user: str) -> list[KeyRow]:
    """Return the personal tokens that a person made in a tenant."""
    wanted = select(*_COLUMNS).where(_IS_LIVE, keys.c.tenant == tenant, keys.c.made_with == user)
    return [KeyRow(*row) for row in connection.execute(wanted) if user]


def add(connection: Connection, row: KeyRow) -> None:
    """Add a key, as part of a begun change."""
    connection.execute(insert(keys).values(**row._asdict()))


def use_up(connection: Connection, row: KeyRow) -> bool:
    """Count one use of an enrolment token, as part of a begun change; False if none is left."""
    of_key = (keys.c.tenant == row.tenant) & (keys.c.id == row.id)
    left = update(keys).where(of_key, _IS_LIVE, keys.c.uses_left > 0)
    return bool(connection.execute(left.values(uses_left=keys.c.uses_left - 1)).rowcount)


def revoke(connection: Connection, tenant: str, ids: Sequence[str], now_ms: int) -> int:
    """Revoke keys, as part of a begun change; return how many of them were good."""
    which = update(keys).where(_IS_LIVE, keys.c.tenant == tenant, keys.c.id.in_(ids))
    return connection.execute(which.values(revoked_ms=now_ms)).rowcount


def note_used(connection: Connection, used: Mapping[str, int]) -> None:
    """Write down when keys were used last, to the minute."""
    for id_, time_ms in used.items():
        due = keys.c.used_ms.is_(None) | (keys.c.used_ms < time_ms - _USED_RESOLUTION_MS)
        connection.execute(update(keys).where(keys.c.id == id_, due).values(used_ms=time_ms))


def note_refusal(connection: Connection, tenant: str, id_: str, words: str, now_ms: int) -> None:
    """Write down why a key was refused."""
    of_key = (keys.c.tenant == tenant) & (keys.c.id == id_)
    connection.execute(update(keys).where(of_key).values(refused=words, refused_ms=now_ms))


def expire(connection: Connection, tenant: str, id_: str, expires_ms: int) -> None:
    """Let a key end at that time, as part of a begun change."""
    of_key = (keys.c.tenant == tenant) & (keys.c.id == id_)
    connection.execute(update(keys).where(of_key).values(expires_ms=expires_ms))
