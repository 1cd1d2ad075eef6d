"""Accounts: people sign in with a name and its password, and change the password."""

from __future__ import annotations

from typing import NamedTuple

from hostpulse.access.audit import AuditLog
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.passwords import Passwords, check_password
from hostpulse.access.principal import DEFAULT_TENANT, Principal
from hostpulse.access.second_step import Entry, SecondStep
from hostpulse.access.secret import Random, token_id
from hostpulse.access.sessions import Client, Sessions
from hostpulse.access.throttle import network_of, wait_seconds
from hostpulse.access.tries import Tries
from hostpulse.control import people_rows
from hostpulse.control.people_rows import UserRow

MAX_NAME_LENGTH = 64
_WRONG = "The name or the password is wrong."


class _Attempt(NamedTuple):
    """A sign-in that is refused; `is_early` says that the account had to wait still."""

    person: UserRow | None
    name: str
    client: Client
    now_ms: int
    is_early: bool


class Accounts:
    """Knows people by their passwords. Any method may raise AccessDenied, Busy, StoreAway."""

    def __init__(
        self,
        means: Means,
        passwords: Passwords,
        sessions: Sessions,
        second_step: SecondStep,
        tries: Tries,
    ) -> None:
        self._store, self._clock_ms, _ = means
        self._log = AuditLog(means)
        self._sessions = sessions
        self._passwords = passwords
        self._second_step = second_step
        self._tries = tries

    def sign_in(self, name: str, password: str, client: Client, remembered: bool) -> Entry:
        """Return a new session, or the wait for a code.

        An unknown name takes as long and is told the same as a wrong password.
        """
        with self._tries.attempt(client):
            return self._sign_in(name, password, client, remembered)

    def _sign_in(self, name: str, password: str, client: Client, remembered: bool) -> Entry:
        name, now_ms = name.strip().lower()[:MAX_NAME_LENGTH], self._clock_ms()
        with self._store.system_transaction() as connection:
            person = people_rows.user_named(connection, name)
        waited = (now_ms - person.failed_ms) / 1000 if person else 0.0
        is_early = person is not None and waited < wait_seconds(person.failures)
        if person is not None and network_of(client.address) in person.networks:
            is_early = False  # who guesses elsewhere must not keep the owner out
        fits = self._passwords.fits(person.password if person else "", password)
        if person is None or not fits or is_early or person.disabled:
            self._note_failure(_Attempt(person, name, client, now_ms, is_early))
            raise AccessDenied(401, _WRONG)
        kept = (
            self._passwords.hash(password) if self._passwords.is_outdated(person.password) else ""
        )
        with self._store.system_transaction() as connection:
            people_rows.change_user(
                connection, person.id, failures=0, password=kept or person.password
            )
            waits = self._second_step.wait(connection, person, client, remembered)
            return waits or Entry(
                self._sessions.enter(connection, person, client, remembered, "sign in"), remembered
            )

    def _note_failure(self, tried: _Attempt) -> None:
        person = tried.person
        with self._store.system_transaction() as connection:
            tenants = people_rows.roles_of(connection, person.id if person else "")
            if not tried.is_early:  # tries within the wait do not make it longer
                people_rows.count_failure(connection, person.id if person else "", tried.now_ms)
            by = Principal(min(tenants, default=DEFAULT_TENANT), "nobody")
            # what somebody typed as a name that nobody has may be their password
            name = tried.name if person else "an unknown name"
            self._log.note(connection, by, "sign in", name, "refused", tried.client.address)

    def change_password(self, who: Principal, old: str, new: str) -> None:
        """Set a new password and end the person's other sessions."""
        person = self.prove("old", who, old)
        check_password(new, person.name)
        kept = self._passwords.hash(new)
        with self._store.system_transaction() as connection:
            people_rows.change_user(connection, person.id, password=kept)
            people_rows.end_sessions(connection, person.id, but=who.session)
            self._log.note(connection, who, "change the password", person.name)
        self._sessions.forget_known()

    def prove(self, field: str, who: Principal, password: str) -> UserRow:
        """Return the account of whoever knows its password; a refusal names the field."""
        with self._tries.proof(who):
            with self._store.system_transaction() as connection:
                person = people_rows.user(connection, who.user)
            if person is not None and not person.password:
                raise AccessDenied(
                    403, f"{field}: your account has none; ask an admin for a link that sets one."
                )
            if person is None or not self._passwords.fits(person.password, password):
                raise AccessDenied(403, f"{field}: is not your password.")
            return person


def new_account(random_bytes: Random, name: str, kept: str, now_ms: int) -> UserRow:
    """Return a new account of this name and hash of a password, '' for none."""
    return UserRow(f"usr_{token_id(random_bytes)}", name, kept, False, now_ms, 0, 0)


def checked_name(name: str) -> str:
    """Return how an account of this name is called; raises AccessDenied."""
    name = name.strip().lower()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable() or " " in name:
        raise AccessDenied(422, f"name: use 1 to {MAX_NAME_LENGTH} characters without spaces.")
    return name
