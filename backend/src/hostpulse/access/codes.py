"""Codes of second factors and recovery codes: each is good once, and guesses wait."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access import recovery, totp
from hostpulse.access.audit import AuditLog
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.principal import Principal
from hostpulse.access.throttle import wait_seconds
from hostpulse.control import factor_rows
from hostpulse.control.factor_rows import FactorRow

WRONG = "code: is wrong, was used or is too old; wait for the next one."


class Given(NamedTuple):
    """A code, who gave it, and from which address."""

    by: Principal
    user: str
    code: str
    address: str


class Codes:
    """Takes codes, in the caller's transaction, which must be kept: it counts what was wrong."""

    def __init__(self, means: Means) -> None:
        _, self._clock_ms, _ = means
        self._log = AuditLog(means)

    @staticmethod
    def are_asked(connection: Connection, user: str) -> bool:
        """Tell whether a person has a second factor."""
        row = factor_rows.factor(connection, user)
        return row is not None and row.confirmed_ms is not None

    def refusal(self, connection: Connection, given: Given) -> AccessDenied | None:
        """Use a code up; return why it is refused, None if it was good.

        Wrong codes wait as wrong passwords do, wherever they come from: only who knows the
        password can give any.
        """
        row, now_ms = factor_rows.factor(connection, given.user), self._clock_ms()
        if row is None or row.confirmed_ms is None:
            return AccessDenied(409, "There is no second factor; it was switched off meanwhile.")
        wait = wait_seconds(row.failures) - (now_ms - row.failed_ms) / 1000
        if wait > 0:
            words = f"Too many wrong codes; wait {ceil(wait)} s, then give a new one."
            return AccessDenied(429, words, wait)
        if self._is_good(connection, row, given, now_ms):
            factor_rows.change_factor(connection, given.user, failures=0)
            return None
        failed = {"failures": row.failures + 1, "failed_ms": now_ms}
        factor_rows.change_factor(connection, given.user, **failed)
        self._log.note(connection, given.by, "give a code", "", "refused", given.address)
        return AccessDenied(403, WRONG)

    def _is_good(self, connection: Connection, row: FactorRow, given: Given, now_ms: int) -> bool:
        code = "".join(given.code.split())
        if code.isdecimal():
            step = totp.step_of(row.secret, code, now_ms)
            if step is None or step <= row.used_step:
                return False
            factor_rows.change_factor(connection, row.user, used_step=step)
            return True
        if not factor_rows.use_recovery(connection, row.user, recovery.kept(code)):
            return False
        left = factor_rows.count_recovery(connection, row.user)
        self._log.note(
            connection, given.by, "use a recovery code", f"{left} left", "done", given.address
        )
        return True
