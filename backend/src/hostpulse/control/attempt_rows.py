"""The table of failed attempts to come in: for each network, when all of them are forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, case, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hostpulse.control.tables import attempts


def forgotten_ms(connection: Connection, networks: Sequence[str]) -> dict[str, int]:
    """Return when what these networks did is forgotten; none for one that did nothing lately."""
    known = select(attempts.c.network, attempts.c.forgotten_ms)
    rows = connection.execute(known.where(attempts.c.network.in_(networks)))
    return {row.network: row.forgotten_ms for row in rows}


def count(connection: Connection, network: str, now_ms: int, each_ms: int) -> None:
    """Let a network be forgotten so much later, counted from now at least; it holds its row."""
    last = attempts.c.forgotten_ms
    later = case((last > now_ms, last), else_=now_ms) + each_ms
    change = update(attempts).where(attempts.c.network == network).values(forgotten_ms=later)
    if connection.execute(change).rowcount:
        return
    try:
        with connection.begin_nested():
            row = {"network": network, "forgotten_ms": now_ms + each_ms}
            connection.execute(insert(attempts).values(row))
    except IntegrityError:  # another process was the first
        connection.execute(change)


def tidy(connection: Connection, now_ms: int) -> None:
    """Drop the networks that are forgotten."""
    connection.execute(delete(attempts).where(attempts.c.forgotten_ms < now_ms))
