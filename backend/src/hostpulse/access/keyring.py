"""The keys that are good now, in the memory of this process: whoever asks waits for no database."""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from threading import Lock
from typing import NamedTuple

from hostpulse.access import keys
from hostpulse.access.principal import SCOPES, Need, Principal
from hostpulse.access.secret import digest
from hostpulse.control import key_rows, people_rows
from hostpulse.control.key_rows import KeyRow
from hostpulse.control.store import ControlStore

REFRESH_SECONDS = 0.5
_NO_DIGEST = bytes(32)
_USED_EVERY_MS = 60_000
_GRANTS = {
    keys.AGENT: frozenset({Need.INGEST, Need.ROTATE}),
    keys.INGEST: frozenset({Need.INGEST}),
    keys.ENROLMENT: frozenset({Need.ENROL}),
}


class Known(NamedTuple):
    """A key that was good when the table was read, and whose it is."""

    digest: bytes
    expires_ms: int | None
    principal: Principal


class Keyring:
    """Knows every key that is not revoked; `refresh` learns what other processes changed."""

    def __init__(self, store: ControlStore, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._known: dict[str, Known] = {}
        self._change = -1
        self._found: dict[bytes, Known] = {}
        self._used: dict[str, int] = {}
        self._noted: dict[str, int] = {}
        self._turn = Lock()
        self.refresh()

    def refresh(self) -> None:
        """Read the table again if it changed, and write down which keys were used.

        Raises StoreAway.
        """
        with self._turn, self._store.system_transaction() as connection:
            used = dict(self._used)
            key_rows.note_used(connection, used)
            change = key_rows.change(connection)
            if change != self._change:
                rows = key_rows.live(connection)
                suspended = people_rows.suspended(connection)
                self._known = {row.id: _known(row, row.tenant in suspended) for row in rows}
                self._found = {}  # after the table: nobody may find a revoked key in the old one
                self._change = change
        for id_ in used:
            self._used.pop(id_, None)

    def find(self, text: str) -> Principal | None:
        """Return whose key `text` is, None if it is good for nothing (any more)."""
        asked = digest(text)
        found = self._found  # before the table is looked at: see refresh()
        known = found.get(asked) or self._compare(text)
        if known is None:
            return None
        now_ms = self._clock_ms()
        if known.expires_ms is not None and now_ms >= known.expires_ms:
            return None
        found[asked] = known
        id_ = known.principal.key
        if now_ms - self._noted.get(id_, 0) >= _USED_EVERY_MS:
            self._used[id_] = self._noted[id_] = now_ms
        return known.principal

    def _compare(self, text: str) -> Known | None:
        key = keys.parse(text)
        if key is None:
            return None
        known = self._known.get(key.id)
        kept = known.digest if known else _NO_DIGEST  # an unknown key takes as long
        return known if compare_digest(kept, key.digest) else None


def _known(row: KeyRow, is_suspended: bool) -> Known:
    grants = _GRANTS.get(row.kind) or frozenset[Need]().union(*(SCOPES[one] for one in row.scopes))
    name = f"{keys.KINDS[row.kind]} key {row.id}"
    principal = Principal(
        row.tenant, name, grants, "", row.server, row.id, is_suspended=is_suspended
    )
    return Known(row.digest, row.expires_ms, principal)
