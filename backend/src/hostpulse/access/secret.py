"""Random names and secrets; where the randomness comes from is an argument."""

from __future__ import annotations

from base64 import b32encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

Random = Callable[[int], bytes]


def token_id(random_bytes: Random) -> str:
    """Return 12 letters and digits that nothing else is called."""
    return b32encode(random_bytes(8)).decode("ascii").lower()[:12]


def url_token(random_bytes: Random) -> str:
    """Return a secret of 256 bits that a link can carry."""
    return urlsafe_b64encode(random_bytes(32)).decode("ascii").rstrip("=")


def digest(token: str) -> bytes:
    """Return what is kept of a secret."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
