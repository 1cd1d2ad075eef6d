"""Recovery codes: each is good once in the place of a code, for whoever lost the app."""

from __future__ import annotations

from base64 import b32encode

from hostpulse.access.secret import Random, digest

COUNT = 10
_LENGTH, _GROUP = 24, 4


def new_codes(random_bytes: Random) -> list[str]:
    """Return codes of 120 bits each, in groups of four characters."""
    return [_grouped(b32encode(random_bytes(15)).decode("ascii").lower()) for _ in range(COUNT)]


def kept(code: str) -> bytes:
    """Return what is kept of a code; how it is grouped and capitals do not count.

    A plain digest will do, as nobody can try 120 bits.
    """
    return digest("".join(code.split()).replace("-", "").lower())


def _grouped(letters: str) -> str:
    return "-".join(letters[i : i + _GROUP] for i in range(0, _LENGTH, _GROUP))
