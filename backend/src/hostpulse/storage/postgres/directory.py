"""The numbers that stand for servers and layouts in the rows, remembered once they are known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import sha256

from hostpulse.report import Key, Layout
from hostpulse.storage.postgres.connections import Cursor
from hostpulse.storage.postgres.words import from_text, to_text

Name = tuple[str, str]
"""(tenant, server)"""

_MOST_NAMES = 100_000
_MOST_KEYS = 1_000_000  # of all remembered layouts together


class Numbering:
    """Gives numbers to servers and layouts; for one thread.

    `generation` is that of the newest forgotten server when the names were learnt.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Ask for everything again."""
        self.generation = -1
        self._servers: dict[Name, int] = {}
        self._layouts: dict[Layout, int] = {}
        self._key_count = 0

    def servers(self, cursor: Cursor, names: Collection[Name]) -> dict[Name, int]:
        """Return the number of each server, a new one where there was none."""
        if len(self._servers) > _MOST_NAMES:
            self._servers = {}
        unknown = sorted(name for name in names if name not in self._servers)
        if unknown:
            self._servers.update(_number_servers(cursor, unknown))
        return self._servers

    def layouts(self, cursor: Cursor, layouts: Collection[Layout]) -> dict[Layout, int]:
        """Return the number of each layout, a new one where there was none."""
        if self._key_count > _MOST_KEYS:
            self._layouts, self._key_count = {}, 0
        unknown = [layout for layout in layouts if layout not in self._layouts]
        if unknown:
            self._key_count += sum(len(layout.keys) for layout in unknown)
            self._layouts.update(_number_layouts(cursor, unknown))
        return self._layouts


class Layouts:
    """The layouts that numbers stand for; for any number of threads."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Ask for everything again."""
        self._found: dict[int, Layout] = {}
        self._key_count = 0

    def of(self, cursor: Cursor, numbers: Iterable[int]) -> dict[int, Layout]:
        """Return number -> layout."""
        known = self._found  # of the server that answers now
        found = {number: known.get(number) for number in numbers}
        unknown = [number for number, layout in found.items() if layout is None]
        read = _read_layouts(cursor, unknown) if unknown else {}
        known.update(read)
        self._key_count += sum(len(layout.keys) for layout in read.values())
        if self._key_count > _MOST_KEYS:
            self.forget()
        return {number: layout or read[number] for number, layout in found.items()}


def server_key(name: Name) -> bytes:
    """Return what a server is found by."""
    return _digest(name)


def _number_servers(cursor: Cursor, names: list[Name]) -> dict[Name, int]:
    keys = {server_key(name): name for name in names}
    tenants, servers = zip(
        *((to_text(tenant), to_text(server)) for tenant, server in names), strict=True
    )
    cursor.execute(
        "INSERT INTO hostpulse.names (key, tenant, server)"
        " SELECT * FROM unnest(%s::bytea[], %s::text[], %s::text[]) ON CONFLICT DO NOTHING",
        [list(keys), list(tenants), list(servers)],
    )
    cursor.execute("SELECT key, id FROM hostpulse.names WHERE key = ANY (%s)", [list(keys)])
    return {keys[key]: number for key, number in cursor}


def _number_layouts(cursor: Cursor, layouts: list[Layout]) -> dict[Layout, int]:
    keys = {layout: _digest(part for key in layout.keys for part in key) for layout in layouts}
    cursor.execute(
        "SELECT key, id FROM hostpulse.layouts WHERE key = ANY (%s)", [list(keys.values())]
    )
    found = dict(cursor.fetchall())
    for layout in layouts:
        if keys[layout] not in found:
            found[keys[layout]] = _add_layout(cursor, keys[layout], layout)
    return {layout: found[key] for layout, key in keys.items()}


def _add_layout(cursor: Cursor, key: bytes, layout: Layout) -> int:
    cursor.execute(
        "INSERT INTO hostpulse.layouts (key, metrics, instances) VALUES (%s, %s, %s)"
        " ON CONFLICT (key) DO UPDATE SET key = excluded.key RETURNING id",
        [key, [to_text(k.metric) for k in layout.keys], [to_text(k.instance) for k in layout.keys]],
    )
    row = cursor.fetchone()
    assert row is not None  # noqa: S101 - it was inserted or updated
    number: int = row[0]
    return number


def _read_layouts(cursor: Cursor, numbers: list[int]) -> dict[int, Layout]:
    cursor.execute(
        "SELECT id, metrics, instances FROM hostpulse.layouts WHERE id = ANY (%s)", [numbers]
    )
    return {
        number: Layout(tuple(map(Key, map(from_text, metrics), map(from_text, instances))))
        for number, metrics, instances in cursor
    }


def _digest(parts: Iterable[str]) -> bytes:
    digest = sha256()
    for part in parts:
        written = part.encode("utf-8", "surrogatepass")
        digest.update(len(written).to_bytes(8, "big") + written)
    return digest.digest()
