"""The table of identities: what is read and written of them, in the caller's transaction."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from hostpulse.control.tables import identities


def user_of(connection: Connection, issuer: str, subject: str) -> str:
    """Return the id of the person with this identity, '' for nobody."""
    mine = (identities.c.issuer == issuer) & (identities.c.subject == subject)
    return str(connection.execute(select(identities.c.user).where(mine)).scalar() or "")


def is_linked(connection: Connection, issuer: str, user_id: str) -> bool:
    """Tell whether a person has an identity at this provider."""
    mine = (identities.c.issuer == issuer) & (identities.c.user == user_id)
    return connection.execute(select(identities.c.subject).where(mine)).first() is not None


def add(connection: Connection, issuer: str, subject: str, user_id: str, now_ms: int) -> None:
    """Say that this identity is that person."""
    values = {"issuer": issuer, "subject": subject, "user": user_id, "created_ms": now_ms}
    connection.execute(insert(identities).values(**values))


def remove(connection: Connection, issuer: str, user_id: str) -> bool:
    """Forget a person's identity at this provider; False if there was none."""
    mine = (identities.c.issuer == issuer) & (identities.c.user == user_id)
    return bool(connection.execute(delete(identities).where(mine)).rowcount)
