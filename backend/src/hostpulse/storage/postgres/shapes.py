"""Which layouts a server had on a day, and at which of their positions there ever was a number.

A history asks for the layouts before it reads; the keys of a server are read from nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from typing import NamedTuple

from hostpulse.storage.postgres.connections import Cursor
from hostpulse.storage.postgres.wire import Ints

_MOST_REMEMBERED = 100_000

_WRITE = """
    INSERT INTO hostpulse.shapes AS s (server_id, tier, day, layout_id, known)
    SELECT n.server_id, %s, n.day, n.layout_id, n.known::varbit
    FROM unnest(%s::int[], %s::int[], %s::int[], %s::text[]) AS n (server_id, day, layout_id, known)
    ON CONFLICT (server_id, tier, day, layout_id) DO UPDATE SET known = s.known | excluded.known
    WHERE s.known <> s.known | excluded.known
"""


class Spot(NamedTuple):
    """Samples of one server on one day (since 1970) that have one layout."""

    server_id: int
    day: int
    layout_id: int


def write(cursor: Cursor, tier: str, known: dict[Spot, str]) -> None:
    """Write at which positions, as a string of 0 and 1, there are numbers."""
    if known:
        spots = sorted(known)  # in one order, or two writers could wait for each other
        servers, days, layouts = (Ints(column) for column in zip(*spots, strict=True))
        cursor.execute(_WRITE, [tier, servers, days, layouts, [known[spot] for spot in spots]])


class Shapes:
    """Remembers what was written of the samples, so that little is written again."""

    def __init__(self) -> None:
        self._missing: dict[Spot, tuple[int, ...]] = {}
        self._news: dict[Spot, tuple[int, ...]] = {}

    def forget(self) -> None:
        """Take everything for news."""
        self._missing = {}

    def news(self, seen: Iterable[tuple[Spot, Sequence[float]]]) -> dict[Spot, str]:
        """Return what to write of these samples; `settle` follows once that is committed."""
        self._news = {}
        lengths: dict[Spot, int] = {}
        for spot, values in seen:
            missing = self._news.get(spot, self._missing.get(spot))
            if missing is None or missing:
                positions = range(len(values)) if missing is None else missing
                still = tuple([i for i in positions if isnan(values[i])])
                if still != missing:
                    self._news[spot] = still
                    lengths[spot] = len(values)
        return {spot: _bits(self._news[spot], lengths[spot]) for spot in self._news}

    def settle(self) -> None:
        """Remember the last news."""
        if len(self._missing) > _MOST_REMEMBERED:
            self._missing = {}
        self._missing.update(self._news)


def _bits(missing: Sequence[int], length: int) -> str:
    bits = bytearray(b"1" * length)
    for i in missing:
        bits[i] = ord("0")
    return bits.decode()
