"""Writes refused requests down in the audit log, so many of each asker and no more."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access import audit, keys
from hostpulse.access.audit import Deed
from hostpulse.access.means import Means
from hostpulse.access.principal import DEFAULT_TENANT, NOBODY, Principal
from hostpulse.access.throttle import network_of
from hostpulse.control import key_rows
from hostpulse.control.store import StoreAway

SPAN_MS = 600_000
MOST_OF_ONE = 10
MOST_OF_STRANGERS = 100
"""How many rows of a span one asker gets, and all together whom nobody knows."""
_MOST_WAITING = 10_000


class Refusal(NamedTuple):
    """Who was refused what: a principal, or NOBODY with the id of the key they showed, if any."""

    by: Principal
    key: str
    asked: str
    status: int
    address: str

    @property
    def asker(self) -> tuple[str, str]:
        """Whom the rows are counted for."""
        if self.by is NOBODY:
            return "", self.key or network_of(self.address)
        return self.by.tenant, self.by.name


class Refusals:
    """Takes refusals without waiting for the store; `save` writes them.

    The first rows of an asker in 10 minutes are kept, the others are counted into one more row.
    """

    def __init__(self, means: Means) -> None:
        self._store, self._clock_ms, _ = means
        self._waiting: list[tuple[int, Refusal]] = []
        self._kept: Counter[tuple[str, str]] = Counter()
        self._left_out: dict[tuple[str, str], tuple[Refusal, int]] = {}
        self._strangers = 0
        self._begun_ms = self._clock_ms()
        self._lock = Lock()
        self._turn = Lock()

    def note(self, by: Principal, shown: str, asked: str, status: int, address: str) -> None:
        """Take a refusal; `shown` is the key that came with it, '' for none.

        `asked` is the address of a route, as the text of a client could be anybody's secret.
        """
        key = keys.parse(shown)
        refusal = Refusal(by, key.id if key else "", asked, status, address)
        with self._lock:
            if self._has_room(refusal):
                self._kept[refusal.asker] += 1
                self._strangers += by is NOBODY
                self._waiting.append((self._clock_ms(), refusal))
            else:
                self._leave_out(refusal)

    def save(self) -> None:
        """Write down what waits; raises StoreAway, and then it waits on."""
        with self._turn:
            with self._lock:
                self._end_span()
                rows, self._waiting = self._waiting, []
            if rows:
                self._save(rows)

    def _save(self, rows: list[tuple[int, Refusal]]) -> None:
        try:
            with self._store.system_transaction() as connection:
                for time_ms, refusal in rows:
                    _write(connection, refusal, time_ms)
        except StoreAway:
            with self._lock:
                self._waiting = rows + self._waiting
            raise

    def _has_room(self, refusal: Refusal) -> bool:
        is_stranger = refusal.by is NOBODY
        return (
            self._kept[refusal.asker] < MOST_OF_ONE
            and not (is_stranger and self._strangers >= MOST_OF_STRANGERS)
            and len(self._waiting) < _MOST_WAITING
        )

    def _leave_out(self, refusal: Refusal) -> None:
        if refusal.asker not in self._kept:  # one of a flood of strangers: they share a row
            refusal = refusal._replace(key="", address="")
        _, count = self._left_out.get(refusal.asker, (refusal, 0))
        self._left_out[refusal.asker] = refusal, count + 1

    def _end_span(self) -> None:
        now_ms = self._clock_ms()
        if now_ms < self._begun_ms + SPAN_MS or len(self._waiting) >= _MOST_WAITING:
            return
        for refusal, count in self._left_out.values():
            asked = f"{count} more requests, left out here"
            self._waiting.append((now_ms, refusal._replace(asked=asked, status=0)))
        self._kept.clear()
        self._left_out.clear()
        self._strangers, self._begun_ms = 0, now_ms


def _write(connection: Connection, refusal: Refusal, time_ms: int) -> None:
    by = refusal.by
    if by is NOBODY:
        row = key_rows.of_any_tenant(connection, refusal.key) if refusal.key else None
        name = f"a refused {keys.KINDS[row.kind]} key {row.id}" if row else NOBODY.name
        by = Principal(row.tenant if row else DEFAULT_TENANT, name)
    asked = f"{refusal.asked} ({refusal.status})" if refusal.status else refusal.asked
    audit.note(connection, by, Deed("ask", asked, "refused", refusal.address), time_ms)
