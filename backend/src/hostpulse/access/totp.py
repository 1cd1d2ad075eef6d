"""Codes of six digits that an app makes of a secret and the time (TOTP, RFC 6238)."""

from __future__ import annotations

from base64 import b32encode
from hmac import compare_digest

from hostpulse.access.secret import Random

STEP_SECONDS = 30
DIGITS = 6
_AROUND = (0, -1, 1)
"""Steps beside the present one that are taken too, as clocks differ and people type slowly."""


def new_secret(random_bytes: Random) -> str:
    """Return a secret of 160 bits in base32, as authenticator apps take it."""
    return b32encode(random_bytes(20)).decode("ascii")


def step_of(secret: str, code: str, now_ms: int) -> int | None:
    """Return the step of time that a code belongs to, None if it is not one of now."""
    from pyotp import HOTP  # a backend without second factors goes without

    made, present = HOTP(secret, digits=DIGITS), now_ms // 1000 // STEP_SECONDS
    for step in (present + around for around in _AROUND):
        if compare_digest(made.at(step).encode(), code.encode("utf-8", "surrogatepass")):
            return step
    return None


def address_of(secret: str, name: str, issuer: str) -> str:
    """Return the otpauth: address that apps read."""
    from pyotp import TOTP

    made = TOTP(secret, digits=DIGITS, interval=STEP_SECONDS, name=name, issuer=issuer)
    return made.provisioning_uri()


def picture_of(address: str) -> str:
    """Return a QR code of an address as a data: URL of an SVG image."""
    import segno

    image: str = segno.make(address, error="m", micro=False).svg_data_uri(
        scale=4, dark="#000", light="#fff"
    )
    return image
