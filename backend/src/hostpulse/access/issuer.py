"""Makes, trades and revokes keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access import keys
from hostpulse.access.audit import Deed, note, one_line
from hostpulse.access.denied import AccessDenied
from hostpulse.access.keyring import Keyring
from hostpulse.access.keys import Key
from hostpulse.access.principal import SCOPES, Principal
from hostpulse.access.secret import Random, token_id
from hostpulse.control import key_rows
from hostpulse.control.key_rows import KeyRow
from hostpulse.control.servers import Servers
from hostpulse.control.store import ControlStore
from hostpulse.report.limits import MAX_NAME_LENGTH

MINUTE_MS = 60_000
LONGEST_ENROLMENT_MINUTES = 60
MOST_USES = 1000
LONGEST_LABEL = 100
LONGEST_REFUSAL = 300
OVERLAP_MS = 24 * 60 * MINUTE_MS
"""How long an agent's old key stays good after it got a new one."""


class Enrolled(NamedTuple):
    """What a machine gets for its token."""

    server: str
    key: Key
    tags: Sequence[str]


class Issuer:
    """Every method changes keys at once, in every process within a second; raises StoreAway."""

    def __init__(
        self,
        store: ControlStore,
        keyring: Keyring,
        servers: Servers,
        clock_ms: Callable[[], int],
        random_bytes: Random,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._servers = servers
        self._clock_ms = clock_ms
        self._random_bytes = random_bytes

    def make_enrolment(
        self, by: Principal, minutes: int, uses: int, tags: Sequence[str] = (), label: str = ""
    ) -> Key:
        """Return a token that so many machines may trade for keys of their own."""
        if not 1 <= minutes <= LONGEST_ENROLMENT_MINUTES:
            raise AccessDenied(422, f"minutes: use 1 to {LONGEST_ENROLMENT_MINUTES}.")
        if not 1 <= uses <= MOST_USES:
            raise AccessDenied(422, f"uses: use 1 to {MOST_USES}.")
        if not all(tag and tag.isprintable() and len(tag) <= MAX_NAME_LENGTH for tag in tags):
            raise AccessDenied(422, f"tags: use 1 to {MAX_NAME_LENGTH} printable characters each.")
        key = keys.mint(keys.ENROLMENT, self._random_bytes)
        row = self._row(by, key, label, minutes * MINUTE_MS)
        self._add(by, row._replace(uses_left=uses, tags=list(tags)))
        return key

    def make_ingest(self, by: Principal, label: str) -> Key:
        """Return a key with which anybody may send samples to the tenant."""
        key = keys.mint(keys.INGEST, self._random_bytes)
        self._add(by, self._row(by, key, label))
        return key

    def make_personal(self, by: Principal, label: str, scopes: Sequence[str], days: int) -> Key:
        """Return a token with which a program asks the API as `by`, within these scopes."""
        if not scopes or not set(scopes) <= set(SCOPES):
            raise AccessDenied(422, f"scopes: use some of {', '.join(SCOPES)}.")
        if not 1 <= days <= 3650:
            raise AccessDenied(422, "days: use 1 to 3650.")
        if not frozenset().union(*(SCOPES[one] for one in scopes)) <= by.grants:
            raise AccessDenied(403, "scopes: a token may not do more than you.")
        if by.key:  # else a leaked token could live on in others, which nobody knows of
            raise AccessDenied(403, "kind: a token makes no other token; sign in to make one.")
        if by.visit_until_ms:
            raise AccessDenied(403, "kind: a visit leaves no token behind.")
        key = keys.mint(keys.PERSONAL, self._random_bytes)
        row = self._row(by, key, label, days * 24 * 60 * MINUTE_MS)
        self._add(by, row._replace(scopes=list(scopes), made_with=by.user))
        return key

    def enrol(self, by: Principal, hostname: str, machine: str) -> Enrolled:
        """Trade an enrolment token for a server and its key.

        A machine whose answer was lost may trade the same token again; one of the same image is
        another server. One that reported under this hostname without a key of its own is taken
        over with its history.
        """
        now_ms = self._clock_ms()
        plain = self._servers.plain(by.tenant, hostname)
        key = keys.mint(keys.AGENT, self._random_bytes)
        with self._store.transaction(by.tenant) as connection:
            key_rows.begin_change(connection)
            token = key_rows.find(connection, by.tenant, by.key)
            if token is None:
                raise AccessDenied(401, "The enrolment token was revoked; ask for another.")
            row = self._row(by, key, hostname)._replace(machine=machine, made_with=token.id)
            before = key_rows.never_arrived(connection, row) if machine else None
            if before:
                key_rows.revoke(connection, by.tenant, [before.id], now_ms)
                server = before.server
            elif key_rows.use_up(connection, token):
                if plain is None:
                    self._servers.check_room(by.tenant, hostname)
                server = plain.id if plain else f"srv_{token_id(self._random_bytes)}"
            else:
                raise AccessDenied(401, "The enrolment token was used; ask for another.")
            key_rows.add(connection, row._replace(server=server))
            self._note(connection, by, "enrol", f"{hostname} as {server}")
        self._servers.enrol(by.tenant, server, hostname, now_ms)
        self._keyring.refresh()
        return Enrolled(server, key, token.tags)

    def enrolment(self, by: Principal, id_: str) -> tuple[KeyRow, list[str]]:
        """Return an enrolment token of the tenant, and the servers that came by it."""
        with self._store.transaction(by.tenant) as connection:
            row = key_rows.find(connection, by.tenant, id_)
            servers = key_rows.servers_enrolled_with(connection, by.tenant, id_)
        if row is None or row.kind != keys.ENROLMENT:
            raise AccessDenied(404, f"No enrolment token {id_!r} is good; make another.")
        return row, servers

    def note_refusal(self, by: Principal, words: str) -> None:
        """Keep why a machine with an enrolment token was sent away, for who waits for it."""
        with self._store.transaction(by.tenant) as connection:
            kept = one_line(words)[:LONGEST_REFUSAL]
            key_rows.note_refusal(connection, by.tenant, by.key, kept, self._clock_ms())

    def rotate(self, by: Principal) -> Key:
        """Return a new key for the server of an agent's key; the old one stays good for a day."""
        key, now_ms = keys.mint(keys.AGENT, self._random_bytes), self._clock_ms()
        with self._store.transaction(by.tenant) as connection:
            key_rows.begin_change(connection)
            present = key_rows.of_server(connection, by.tenant, by.server)
            if by.key not in {row.id for row in present}:
                raise AccessDenied(401, "The key was revoked; enrol this machine again.")
            older = [row.id for row in present if row.id != by.key]
            key_rows.revoke(connection, by.tenant, older, now_ms)  # two are good at most
            key_rows.expire(connection, by.tenant, by.key, now_ms + OVERLAP_MS)
            label = next((row.label for row in present if row.id == by.key), "")
            row = self._row(by, key, label)._replace(server=by.server, made_with=by.key)
            key_rows.add(connection, row)
            self._note(connection, by, "renew the key", by.server)
        self._keyring.refresh()
        return key

    def revoke(self, by: Principal, id_: str) -> None:
        """Make a key good for nothing."""
        now_ms = self._clock_ms()
        with self._store.transaction(by.tenant) as connection:
            key_rows.begin_change(connection)
            if not key_rows.revoke(connection, by.tenant, [id_], now_ms):
                raise AccessDenied(404, f"No key has the id {id_!r}; see /api/keys.")
            self._note(connection, by, "revoke a key", id_)
        self._keyring.refresh()

    def list_own(self, by: Principal) -> Sequence[KeyRow]:
        """Return the personal tokens of whoever asks."""
        with self._store.transaction(by.tenant) as connection:
            return key_rows.of_person(connection, by.tenant, by.user)

    def revoke_own(self, by: Principal, id_: str) -> None:
        """Make a personal token of whoever asks good for nothing."""
        if id_ not in (row.id for row in self.list_own(by)):
            raise AccessDenied(404, f"You have no token with the id {id_!r}; see /api/tokens.")
        self.revoke(by, id_)

    def revoke_of_server(self, by: Principal, server: str) -> None:
        """Make every key of a server good for nothing."""
        now_ms = self._clock_ms()
        with self._store.transaction(by.tenant) as connection:
            key_rows.begin_change(connection)
            ids = [row.id for row in key_rows.of_server(connection, by.tenant, server)]
            if ids:
                key_rows.revoke(connection, by.tenant, ids, now_ms)
                self._note(connection, by, "revoke the keys", server)
        self._keyring.refresh()

    def list(self, by: Principal) -> list[KeyRow]:
        """Return the tenant's keys."""
        with self._store.transaction(by.tenant) as connection:
            return key_rows.of_tenant(connection, by.tenant)

    def _row(self, by: Principal, key: Key, label: str, good_for_ms: int | None = None) -> KeyRow:
        now_ms = self._clock_ms()
        expires_ms = None if good_for_ms is None else now_ms + good_for_ms
        label = one_line(label.strip())[:LONGEST_LABEL]
        return KeyRow(by.tenant, key.id, key.kind, key.digest, label, now_ms, by.name, expires_ms)

    def _add(self, by: Principal, row: KeyRow) -> None:
        with self._store.transaction(by.tenant) as connection:
            key_rows.begin_change(connection)
            key_rows.add(connection, row)
            self._note(connection, by, f"make a key ({keys.KINDS[row.kind]})", row.id)
        self._keyring.refresh()

    def _note(self, connection: Connection, by: Principal, action: str, object_: str) -> None:
        note(connection, by, Deed(action, object_), self._clock_ms())
