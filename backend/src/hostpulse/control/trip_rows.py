"""The table of trips: what is read and written of them, in the caller's transaction."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from hostpulse.control.tables import trips


class Trip(NamedTuple):
    """A browser on its way to the provider and back; `state` and `browser` are digests.

    It came with a `link`, or as the `user` who links their account, or with neither to sign in.
    """

    state: bytes
    browser: bytes
    destination: str
    link: bytes | None
    user: str
    expires_ms: int


_TRIP = [trips.c[name] for name in Trip._fields]


def add(connection: Connection, row: Trip, now_ms: int) -> None:
    """Add a trip, and drop those that never came back."""
    connection.execute(delete(trips).where(trips.c.expires_ms <= now_ms))
    connection.execute(insert(trips).values(**row._asdict()))


def take(connection: Connection, state: bytes, browser: bytes) -> Trip | None:
    """Take out the trip with this state, if this browser began it; once."""
    mine = (trips.c.state == state) & (trips.c.browser == browser)
    row = connection.execute(select(*_TRIP).where(mine)).one_or_none()
    if row is None or not connection.execute(delete(trips).where(mine)).rowcount:
        return None
    return Trip(*row)
