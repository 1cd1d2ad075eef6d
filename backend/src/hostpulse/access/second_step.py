"""The second step of a sign-in: whoever has a second factor gives a code before it is one."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access.audit import AuditLog
from hostpulse.access.codes import Codes, Given
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.secret import digest, url_token
from hostpulse.access.sessions import MINUTE_MS, Client, Sessions, at_home
from hostpulse.access.throttle import network_of
from hostpulse.access.tries import Tries
from hostpulse.control import factor_rows, people_rows
from hostpulse.control.factor_rows import WaitingRow
from hostpulse.control.people_rows import UserRow

WAITING_MS = 5 * MINUTE_MS
_OVER = "This sign-in took too long or goes on elsewhere; begin again with name and password."


class Entry(NamedTuple):
    """What a browser gets for a password: a session, or a wait for a code that opens nothing."""

    token: str
    remembered: bool = False
    needs_code: bool = False


class SecondStep:
    """Lets sign-ins wait for a code. Any method may raise StoreAway."""

    def __init__(self, means: Means, sessions: Sessions, codes: Codes, tries: Tries) -> None:
        self._store, self._clock_ms, self._random_bytes = means
        self._log = AuditLog(means)
        self._sessions = sessions
        self._codes = codes
        self._tries = tries

    def wait(
        self, connection: Connection, person: UserRow, client: Client, remembered: bool
    ) -> Entry | None:
        """Let the sign-in of somebody with a second factor wait for a code; None for others."""
        if not self._codes.are_asked(connection, person.id):
            return None
        token, now_ms = url_token(self._random_bytes), self._clock_ms()
        row = WaitingRow(
            digest(token), person.id, *_place_of(client), remembered, now_ms + WAITING_MS
        )
        factor_rows.add_waiting(connection, row, now_ms)
        by, result = at_home(connection, person), "asked for a code"
        self._log.note(connection, by, "sign in", person.name, result, client.address)
        return Entry(token, needs_code=True)

    def is_waiting(self, token: str, client: Client) -> bool:
        """Tell whether a code would still end this sign-in, asked from where it began."""
        with self._store.system_transaction() as connection:
            return self._waiting(connection, token, client) is not None

    def finish(self, token: str, code: str, client: Client) -> Entry:
        """Return the session of a sign-in that waited for this code; raises AccessDenied."""
        with self._tries.attempt(client):
            with self._store.system_transaction() as connection:
                found = self._finished(connection, token, code, client)
            if isinstance(found, AccessDenied):
                raise found
            return found

    def _finished(
        self, connection: Connection, token: str, code: str, client: Client
    ) -> Entry | AccessDenied:
        row = self._waiting(connection, token, client)
        person = people_rows.user(connection, row.user) if row else None
        if row is None or person is None or person.disabled:
            return AccessDenied(410, _OVER)
        given = Given(at_home(connection, person), person.id, code, client.address)
        if refused := self._codes.refusal(connection, given):
            return refused
        factor_rows.drop_waiting(connection, row.digest)
        begun = self._sessions.enter(connection, person, client, row.remembered, "sign in")
        return Entry(begun, row.remembered)

    def _waiting(self, connection: Connection, token: str, client: Client) -> WaitingRow | None:
        row = factor_rows.waiting_for(connection, digest(token))
        if row is None or self._clock_ms() >= row.expires_ms:
            return None
        return row if (row.address, row.client) == _place_of(client) else None


def _place_of(client: Client) -> tuple[str, str]:
    """Return what a sign-in is bound to."""
    return network_of(client.address), client.program[:200]
