"""Passwords: what may be one, and how it is kept; few are hashed at a time, as each takes 19 MB."""

from __future__ import annotations

from functools import cached_property
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from hostpulse.access.denied import AccessDenied

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 1024
_AT_A_TIME = 2
_WAIT_SECONDS = 5.0
_COMMON = frozenset(
    ("password", "passw0rd", "hostpulse", "letmein", "qwertyuiop", "1234567890", "0123456789",
     "administrator", "changeme", "iloveyou", "welcome", "monitoring", "qwerty123", "abc123")
)  # fmt: skip


class Busy(Exception):
    """Too many passwords are being checked at this moment."""


class Passwords:
    """Hashes and checks passwords with argon2id, in the measure that OWASP asks for at least."""

    def __init__(self) -> None:
        self._gate = BoundedSemaphore(_AT_A_TIME)

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # a backend that nobody signs in to goes without

        return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """Return what is kept of a password; raises Busy."""
        with _Turn(self._gate):
            return self._hasher.hash(password)

    def fits(self, kept: str, password: str) -> bool:
        """Tell whether a password is the one that `kept` was made of; raises Busy.

        '' fits none and takes as long.
        """
        from argon2.exceptions import InvalidHashError, VerificationError

        nobody = self._nobody  # always, so that the first unknown name takes no longer
        with _Turn(self._gate):
            try:
                return self._hasher.verify(kept or nobody, password) and bool(kept)
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, kept: str) -> bool:
        """Tell whether a hash was made in another measure than today's."""
        return self._hasher.check_needs_rehash(kept)


class _Turn:
    def __init__(self, gate: BoundedSemaphore) -> None:
        self._gate = gate

    def __enter__(self) -> None:
        if not self._gate.acquire(timeout=_WAIT_SECONDS):
            raise Busy("Too many people sign in at this moment; try again in a few seconds.")

    def __exit__(self, *_: object) -> None:
        self._gate.release()


def check_password(password: str, name: str) -> None:
    """Return if this may be a password of somebody of that name; raises AccessDenied."""
    if problem := _problem(password, name):
        raise AccessDenied(422, problem)


def _problem(password: str, name: str) -> str:
    if len(password) < SHORTEST:
        return f"password: must have at least {SHORTEST} characters; a short sentence is good."
    if len(password.encode("utf-8", "surrogatepass")) > LONGEST:
        return f"password: must have at most {LONGEST} bytes."
    plain = password.lower()
    if name and name.lower() in plain and len(plain) < 2 * len(name) + SHORTEST:
        return "password: must not be made of the name; a short sentence is good."
    if len(set(plain)) < 4 or any(plain.strip("0123456789!.") == word for word in _COMMON):
        return "password: is one of those that are tried first; a short sentence is good."
    return ""
