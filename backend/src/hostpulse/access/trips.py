"""The way of a browser to the OpenID provider and back: ten minutes, once, by the same browser."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any, NamedTuple

from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.provider import Provider
from hostpulse.access.secret import digest, url_token
from hostpulse.access.sessions import MINUTE_MS, Client
from hostpulse.access.tries import Tries
from hostpulse.control import trip_rows
from hostpulse.control.trip_rows import Trip

TRIP_MS = 10 * MINUTE_MS
_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")
_ERROR = re.compile("[a-z_]{1,40}")
_OVER = (
    "This way back from the provider was used, is too old, or began in another browser; begin "
    "again on the sign-in page."
)


class Wish(NamedTuple):
    """What somebody goes to the provider for: see Trip; a sign-in if nothing else is said."""

    destination: str = "/"
    link: bytes | None = None
    user: str = ""


class Way(NamedTuple):
    """Where a browser has to go, and the secret by which it is known when it comes back."""

    url: str
    browser: str


class Return(NamedTuple):
    """What a browser brings back: its secret, and what the provider put into the address."""

    browser: str
    state: str
    code: str
    error: str


class Trips:
    """Any method may raise AccessDenied, ProviderAway, StoreAway."""

    def __init__(self, means: Means, tries: Tries, provider: Provider | None) -> None:
        self._store, self._clock_ms, self._random_bytes = means
        self._tries = tries
        self._provider = provider

    @property
    def provider(self) -> Provider:
        """The provider of this server."""
        if self._provider is None:
            raise AccessDenied(404, "This server has no OpenID provider; see oidc_issuer.")
        return self._provider

    @property
    def provider_name(self) -> str:
        """What people call the provider, '' where there is none."""
        return self._provider.settings.name if self._provider else ""

    def begin(self, redirect_uri: str, wish: Wish) -> Way:
        """Return the way to the provider's page."""
        state, browser = url_token(self._random_bytes), url_token(self._random_bytes)
        url = self.provider.way(redirect_uri, state, **_proof_of(browser))
        now_ms = self._clock_ms()
        if not is_path(wish.destination):
            wish = wish._replace(destination="/")
        trip = Trip(digest(state), digest(browser), *wish, now_ms + TRIP_MS)
        with self._store.system_transaction() as connection:
            trip_rows.add(connection, trip, now_ms)
        return Way(url, browser)

    def end(self, redirect_uri: str, back: Return, client: Client) -> tuple[Trip, dict[str, Any]]:
        """Return what the trip was for, and what the provider says of the person."""
        with self._tries.attempt(client):
            with self._store.system_transaction() as connection:
                trip = trip_rows.take(connection, digest(back.state), digest(back.browser))
            if trip is None or self._clock_ms() >= trip.expires_ms:
                raise AccessDenied(401, _OVER)
            if back.error or not back.code:
                said = back.error if _ERROR.fullmatch(back.error) else "no code"
                raise AccessDenied(401, f"{self.provider_name} did not let you in ({said}).")
            proof = _proof_of(back.browser)
            return trip, self.provider.claims(redirect_uri, back.code, **proof)


def _proof_of(browser: str) -> dict[str, str]:
    """Return nonce and verifier, which only the browser's secret makes: nothing else is kept."""
    return {name: _derived(name, browser) for name in ("nonce", "code_verifier")}


def _derived(name: str, browser: str) -> str:
    made = sha256(f"{name}\0{browser}".encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(made).decode("ascii").rstrip("=")


def is_path(text: str) -> bool:
    """Tell whether a text can only lead to a page of this server."""
    return _PATH.fullmatch(text) is not None
