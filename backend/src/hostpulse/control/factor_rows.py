"""The tables of second factors: what is read and written of them, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from hostpulse.control.tables import factors, memberships, recovery_codes, waiting


class FactorRow(NamedTuple):
    """A person's secret of codes; without `confirmed_ms` nobody showed yet that an app has it.

    `used_step` is the newest step of time whose code was taken.
    """

    user: str
    secret: str
    made_ms: int
    confirmed_ms: int | None = None
    used_step: int = 0
    failures: int = 0
    failed_ms: int = 0


class WaitingRow(NamedTuple):
    """A sign-in whose password was right and whose code is to come."""

    digest: bytes
    user: str
    address: str
    client: str
    remembered: bool
    expires_ms: int


_FACTOR = [factors.c[name] for name in FactorRow._fields]
_WAITING = [waiting.c[name] for name in WaitingRow._fields]


def factor(connection: Connection, user: str) -> FactorRow | None:
    """Return a person's factor; until the end of the transaction nobody else changes it."""
    wanted = select(*_FACTOR).where(factors.c.user == user).with_for_update()
    row = connection.execute(wanted).one_or_none()
    return FactorRow(*row) if row else None


def having(connection: Connection, tenant: str) -> set[str]:
    """Return the ids of the people of a tenant who have a second factor."""
    wanted = (
        select(factors.c.user)
        .join(memberships, memberships.c.user == factors.c.user)
        .where(memberships.c.tenant == tenant, factors.c.confirmed_ms.is_not(None))
    )
    return set(connection.execute(wanted).scalars())


def put_factor(connection: Connection, row: FactorRow) -> None:
    """Put a factor in the place of the one there was, with its recovery codes."""
    drop_factor(connection, row.user)
    connection.execute(insert(factors).values(**row._asdict()))


def change_factor(connection: Connection, user: str, **values: Any) -> None:
    """Change columns of a factor."""
    connection.execute(update(factors).where(factors.c.user == user).values(**values))


def drop_factor(connection: Connection, user: str) -> None:
    """Drop a factor with its recovery codes."""
    for table in (recovery_codes, factors):
        connection.execute(delete(table).where(table.c.user == user))


def put_recovery(connection: Connection, user: str, digests: Iterable[bytes]) -> None:
    """Put recovery codes in the place of those there were."""
    connection.execute(delete(recovery_codes).where(recovery_codes.c.user == user))
    rows = [{"user": user, "digest": digest} for digest in digests]
    connection.execute(insert(recovery_codes), rows)


def use_recovery(connection: Connection, user: str, digest: bytes) -> bool:
    """Drop a recovery code that is used; False if there is none."""
    its = (recovery_codes.c.user == user) & (recovery_codes.c.digest == digest)
    return bool(connection.execute(delete(recovery_codes).where(its)).rowcount)


def count_recovery(connection: Connection, user: str) -> int:
    """Return how many recovery codes are left."""
    left = select(func.count()).where(recovery_codes.c.user == user)
    return int(connection.execute(left).scalar_one())


def add_waiting(connection: Connection, row: WaitingRow, now_ms: int) -> None:
    """Add a sign-in that waits for a code; those that waited too long go."""
    connection.execute(delete(waiting).where(waiting.c.expires_ms <= now_ms))
    connection.execute(insert(waiting).values(**row._asdict()))


def waiting_for(connection: Connection, digest: bytes) -> WaitingRow | None:
    """Return the sign-in with this digest that waits for a code."""
    row = connection.execute(select(*_WAITING).where(waiting.c.digest == digest)).one_or_none()
    return WaitingRow(*row) if row else None


def drop_waiting(connection: Connection, digest: bytes) -> bool:
    """Drop a sign-in that waits no longer; False if it is gone."""
    return bool(connection.execute(delete(waiting).where(waiting.c.digest == digest)).rowcount)
