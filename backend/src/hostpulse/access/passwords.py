"""Passwords: what may be one, and how it is kept; few are hashed at a time, as each takes 19 MB."""

from __future__ import annotations

from functools import cache, cached_property
from string import digits, punctuation
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from hostpulse.access.denied import AccessDenied

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 1024
_AT_A_TIME = 2
_WAIT_SECONDS = 5.0
_FEWEST_LETTERS = 4
_CONTEXT = ("hostpulse", "hostname", "servers", "monitoring", "changeme", "administrator")
_ROWS = tuple(2 * row for row in ("1234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop"))
_LOOKALIKE = str.maketrans("@431!05$7", "aaeiiosst")


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
    is_row = any(plain in row or plain[::-1] in row for row in _ROWS)
    if len(set(plain)) < _FEWEST_LETTERS or is_row or not _common().isdisjoint(_cores(plain)):
        return "password: is one of those that are tried first; a short sentence is good."
    return ""


def _cores(plain: str) -> set[str]:
    """Return what is left of a password without repetition, decoration and disguise."""
    once = plain[: (plain + plain).find(plain, 1)]
    found = {form.strip(digits + punctuation + " ") for form in (plain, once)}
    return {plain, once, *found, *(form.translate(_LOOKALIKE) for form in found)}


@cache
def _common() -> frozenset[str]:
    """Return passwords met in leaks, names and words, 94,000 in all, and the words around here."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # 14 MB until somebody chooses a password

    return frozenset(_CONTEXT).union(*FREQUENCY_LISTS.values())
