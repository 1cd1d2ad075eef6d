"""Who may ask for what while there is no sign-in: this machine everything, a key may post."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from hostpulse.access.principal import Principal
from hostpulse.config import is_loopback

FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class AccessDenied(Exception):
    """The request is refused; `status` is what HTTP calls it, the message says what to do."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asker:
    """What the guard looks at: the peer, how to read a header ('' if absent), and any proxy."""

    peer: str
    header: Callable[[str], str]
    is_forwarded: bool

    @property
    def is_local(self) -> bool:
        """True for a program on this machine that asks this machine by a loopback name."""
        return (
            not self.is_forwarded
            and is_loopback(self.peer)
            and is_loopback(_without_port(self.header("host")))
        )

    @property
    def is_foreign_page(self) -> bool:
        """True for a page in a browser that another server, or another port, gave."""
        if self.header("sec-fetch-site").lower() == "cross-site":
            return True
        origin = self.header("origin").lower()
        return bool(origin) and origin.partition("://")[2] != self.header("host").lower()

    @property
    def key(self) -> str:
        """The key that came with the request, '' if none did."""
        scheme, _, token = self.header("authorization").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        return self.header("x-api-key").strip()


class Guard:
    """Lets agents and people in, or says why not."""

    def __init__(self, ingest_key: str = "") -> None:
        self._wanted = _digest(ingest_key) if ingest_key else None

    def for_ingest(self, asker: Asker) -> Principal:
        """Return who posts reports; raises AccessDenied."""
        if self._wanted is None:
            return self.for_people(asker)
        if not asker.key:
            raise AccessDenied(
                401, "Send the ingest key in the header Authorization: Bearer <key>."
            )
        if not compare_digest(_digest(asker.key), self._wanted):
            raise AccessDenied(401, "The ingest key is wrong; check the agent's key file.")
        return Principal()

    def for_people(self, asker: Asker) -> Principal:
        """Return who reads or administers; raises AccessDenied."""
        if not asker.is_local:
            raise AccessDenied(
                403,
                "Until sign-in exists only this machine may do that; open http://localhost here, "
                "or through an SSH tunnel.",
            )
        return Principal()

    def for_change(self, asker: Asker) -> Principal:
        """Return who changes or deletes something; raises AccessDenied."""
        principal = self.for_people(asker)
        if asker.is_foreign_page:
            raise AccessDenied(
                403,
                "Origin: a page of another address may change nothing here; do it on this "
                "server's own pages, or with a command that sends no Origin.",
            )
        return principal


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[")
    return host.partition(":")[0]
