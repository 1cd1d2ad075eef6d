"""Lets agents and people in, or says why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hmac import compare_digest
from ipaddress import ip_address

from hostpulse.access.denied import AccessDenied
from hostpulse.access.keyring import Keyring
from hostpulse.access.limiter import WRONG_KEY_COST, Limiter
from hostpulse.access.principal import NOBODY, SEEDLING, Need, Principal
from hostpulse.access.sessions import Sessions, csrf_token
from hostpulse.config import is_loopback

FORWARDING_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
COOKIE, SECURE_COOKIE = "hostpulse", "__Host-hostpulse"
CSRF_HEADER, BACKGROUND_HEADER = "x-csrf-token", "x-background"
_WHILE_SUSPENDED = (Need.OPEN, Need.SELF, Need.OPERATE)


@dataclass(frozen=True, slots=True)
class Asker:
    """What the guard looks at: the peer, how to read a header ('' if absent), and any proxy."""

    peer: str
    header: Callable[[str], str]
    is_forwarded: bool
    is_secure: bool = False

    @property
    def is_local(self) -> bool:
        """True for a program on this machine that asks this machine by a loopback name."""
        return (
            not self.is_forwarded
            and is_loopback(self.peer)
            and is_loopback(without_port(self.header("host")))
        )

    @property
    def is_foreign_page(self) -> bool:
        """True for a page in a browser that another server, or another port, gave."""
        if self.header("sec-fetch-site").lower() in ("cross-site", "same-site"):
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

    @property
    def session(self) -> str:
        """The session that came in a cookie, '' if none did."""
        wanted = SECURE_COOKIE if self.is_secure else COOKIE
        for pair in self.header("cookie").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == wanted:
                return value
        return ""


class Guard:
    """Finds out who asks; without `sessions` this machine may do everything, and nobody else."""

    def __init__(
        self,
        keyring: Keyring,
        sessions: Sessions | None,
        limiter: Limiter,
        is_proxied: bool,
        names: frozenset[str],
    ) -> None:
        self._keyring = keyring
        self._sessions = sessions
        self._is_proxied = is_proxied
        self._names = names
        self._limiter = limiter

    def check_host(self, host: str) -> None:
        """Return if this server goes by that name; raises AccessDenied.

        A name of somebody else's may lead a browser here (DNS rebinding).
        """
        if not _is_known(host, self._names):
            raise AccessDenied(
                421, "Host: this server does not go by that name; set public_url to the right one."
            )

    def for_ingest(self, asker: Asker) -> Principal:
        """Return who sends samples; raises AccessDenied."""
        if key := asker.key:
            return self._of_key(asker, key, Need.INGEST)
        if asker.is_local and not self._is_proxied and not asker.is_foreign_page:
            return SEEDLING
        self._limiter.check_stranger(asker.peer)
        raise AccessDenied(
            401,
            "Send a key in the header Authorization: Bearer <key>; an agent gets one with "
            "hostpulse-agent enrol, and Settings has one for other programs.",
        )

    def for_people(self, asker: Asker, need: Need, changes: bool) -> Principal:
        """Return who asks for something that has this need; raises AccessDenied, StoreAway."""
        key = asker.key
        if need in (Need.ENROL, Need.ROTATE) or (key and need is not Need.OPEN):
            return self._of_key(asker, key, need)
        if changes and asker.is_foreign_page:
            raise AccessDenied(
                403,
                "Origin: a page of another address may change nothing here; do it on this "
                "server's own pages, or with a key.",
            )
        if self._sessions is None:
            return self._of_this_machine(asker, need)
        is_active = not asker.header(BACKGROUND_HEADER)
        signed_in = self._sessions.find(asker.session, is_active) if asker.session else None
        if signed_in is None:
            self._limiter.check_stranger(asker.peer)
            if need is Need.OPEN:
                return NOBODY
            raise AccessDenied(401, "Sign in first, or send a personal token as a Bearer key.")
        if changes and need is not Need.OPEN:
            _check_csrf(asker, signed_in.principal)
        self._limiter.check(signed_in.principal)
        return _allowed(signed_in.principal, need)

    @staticmethod
    def _of_this_machine(asker: Asker, need: Need) -> Principal:
        if asker.is_local:
            return _allowed(Principal(), need)
        raise AccessDenied(
            403, "With --no-auth only this machine may do that; open http://localhost here."
        )

    def _of_key(self, asker: Asker, key: str, need: Need) -> Principal:
        found = self._keyring.find(key) if key else None
        if key and found is None and need is Need.ENROL:  # a command may have made it this moment
            self._keyring.refresh()
            found = self._keyring.find(key)
        if found is not None:
            self._limiter.check(found)
            return _allowed(found, need)
        self._limiter.check_stranger(asker.peer, WRONG_KEY_COST if key else 1)
        raise AccessDenied(
            401,
            "The key is wrong, revoked or too old; send a good one in Authorization: Bearer <key>.",
        )


def _allowed(principal: Principal, need: Need) -> Principal:
    if principal.is_suspended and need not in _WHILE_SUSPENDED:
        raise AccessDenied(
            403,
            "This organisation is suspended; ask whoever runs this server. Nothing is lost, and "
            "agents keep their reports meanwhile.",
            by=principal,
        )
    if principal.may(need):
        return principal
    text = f"You are not allowed {need.value}; ask an admin of this server."
    raise AccessDenied(403, text, by=principal)


def _check_csrf(asker: Asker, by: Principal) -> None:
    wanted, given = csrf_token(asker.session), asker.header(CSRF_HEADER)
    if not compare_digest(wanted.encode(), given.encode("utf-8", "surrogatepass")):
        raise AccessDenied(403, "X-CSRF-Token: is missing or old; load the page again.", by=by)


@lru_cache(maxsize=1024)
def _is_known(host: str, names: frozenset[str]) -> bool:
    name = without_port(host).lower().rstrip(".")
    if not name or is_loopback(name) or name in names:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def without_port(host: str) -> str:
    """Return the name or address of a Host header."""
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[")
    return host.partition(":")[0]
