"""How keys look, how they are made, and what of them is kept; pure."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple
from zlib import crc32

from hostpulse.access.secret import Random, token_id, url_token

AGENT, INGEST, ENROLMENT, PERSONAL = "ag", "in", "en", "pa"
KINDS = {AGENT: "agent", INGEST: "ingest", ENROLMENT: "enrolment", PERSONAL: "personal"}

_FORM = re.compile(r"(hp_(ag|in|en|pa)_([a-z2-7]{12})_([A-Za-z0-9_-]{43}))([0-9a-f]{8})")


class Key(NamedTuple):
    """A key as it is shown once: `hp_<kind>_<id>_<secret><check>`."""

    kind: str
    id: str
    secret: str

    @property
    def text(self) -> str:
        """The whole key."""
        body = f"hp_{self.kind}_{self.id}_{self.secret}"
        return body + _check(body)

    @property
    def digest(self) -> bytes:
        """What is kept of the key: 256 random bits need no slow hash (OWASP ASVS 5, 6.5.2)."""
        return sha256(self.secret.encode("ascii")).digest()


def mint(kind: str, random_bytes: Random) -> Key:
    """Return a new key of 256 random bits."""
    return Key(kind, token_id(random_bytes), url_token(random_bytes))


def parse(text: str) -> Key | None:
    """Return the key that `text` is, None if it was not written by `mint`."""
    found = _FORM.fullmatch(text)
    if found is None or _check(found[1]) != found[5]:
        return None
    return Key(found[2], found[3], found[4])


def _check(body: str) -> str:
    return f"{crc32(body.encode('ascii')):08x}"
