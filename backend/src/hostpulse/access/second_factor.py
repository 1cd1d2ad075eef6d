"""A person's second factor: it is switched on, gets new recovery codes, is switched off."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access import recovery, totp
from hostpulse.access.accounts import Accounts
from hostpulse.access.audit import AuditLog
from hostpulse.access.codes import WRONG, Codes, Given
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.members import check_account, member_of
from hostpulse.access.principal import Principal
from hostpulse.access.sessions import MINUTE_MS, Client, Sessions
from hostpulse.control import factor_rows, people_rows
from hostpulse.control.factor_rows import FactorRow

CONFIRM_MS = 10 * MINUTE_MS


class Proof(NamedTuple):
    """What a person shows again before the second factor changes."""

    password: str
    code: str
    client: Client


class SecondFactor:
    """Changes second factors. Any method may raise AccessDenied, Busy, StoreAway."""

    def __init__(self, means: Means, sessions: Sessions, accounts: Accounts, codes: Codes) -> None:
        self._store, self._clock_ms, self._random_bytes = means
        self._log = AuditLog(means)
        self._sessions = sessions
        self._accounts = accounts
        self._codes = codes

    def codes_left(self, who: Principal) -> int | None:
        """Return how many recovery codes a person has left, None without a second factor."""
        with self._store.system_transaction() as connection:
            if not self._codes.are_asked(connection, who.user):
                return None
            return factor_rows.count_recovery(connection, who.user)

    def having(self, who: Principal) -> set[str]:
        """Return the ids of the people of the tenant who have one."""
        with self._store.system_transaction() as connection:
            return factor_rows.having(connection, who.tenant)

    def begin(self, who: Principal, password: str) -> str:
        """Return a secret for an app; it counts once a code of it was given, within 10 minutes."""
        self._accounts.prove("password", who, password)
        secret = totp.new_secret(self._random_bytes)
        with self._store.system_transaction() as connection:
            self._check_off(connection, who)
            factor_rows.put_factor(connection, FactorRow(who.user, secret, self._clock_ms()))
        return secret

    def turn_on(self, who: Principal, code: str) -> list[str]:
        """Take the first code, end the person's other sessions, return the recovery codes."""
        now_ms = self._clock_ms()
        with self._store.system_transaction() as connection:
            self._check_off(connection, who)
            row = factor_rows.factor(connection, who.user)
            if row is None or now_ms - row.made_ms >= CONFIRM_MS:
                raise AccessDenied(410, "This took too long; begin again with the password.")
            step = totp.step_of(row.secret, "".join(code.split()), now_ms)
            if step is None:
                raise AccessDenied(403, WRONG)
            factor_rows.change_factor(connection, who.user, confirmed_ms=now_ms, used_step=step)
            people_rows.end_sessions(connection, who.user, but=who.session)
            self._log.note(connection, who, "switch the second factor on", "")
            made = self._make_codes(connection, who)
        self._sessions.forget_known()
        return made

    def renew_codes(self, who: Principal, proof: Proof) -> list[str]:
        """Return new recovery codes; the old ones are good for nothing."""
        self._accounts.prove("password", who, proof.password)
        made: list[str] = []
        with self._store.system_transaction() as connection:
            refused = self._codes.refusal(connection, _given(who, proof))
            if refused is None:
                self._log.note(connection, who, "make recovery codes", "")
                made = self._make_codes(connection, who)
        if refused is not None:
            raise refused
        return made

    def turn_off(self, who: Principal, proof: Proof) -> None:
        """Let the password be enough again."""
        self._accounts.prove("password", who, proof.password)
        with self._store.system_transaction() as connection:
            refused = self._codes.refusal(connection, _given(who, proof))
            if refused is None:
                factor_rows.drop_factor(connection, who.user)
                self._log.note(connection, who, "switch the second factor off", "")
        if refused is not None:
            raise refused

    def remove(self, by: Principal, user_id: str) -> bool:
        """Switch it off for a member who lost it, and end their sessions; False if it was off."""
        with self._store.system_transaction() as connection:
            member = member_of(connection, by.tenant, user_id)
            check_account(connection, by, member)
            if not self._codes.are_asked(connection, user_id):
                return False
            factor_rows.drop_factor(connection, user_id)
            people_rows.end_sessions(connection, user_id)
            self._log.note(connection, by, "switch the second factor off", member.user.name)
        self._sessions.forget_known()
        return True

    def _check_off(self, connection: Connection, who: Principal) -> None:
        if self._codes.are_asked(connection, who.user):
            raise AccessDenied(409, "The second factor is on already.")

    def _make_codes(self, connection: Connection, who: Principal) -> list[str]:
        made = recovery.new_codes(self._random_bytes)
        factor_rows.put_recovery(connection, who.user, map(recovery.kept, made))
        return made


def _given(who: Principal, proof: Proof) -> Given:
    return Given(who, who.user, proof.code, proof.client.address)
