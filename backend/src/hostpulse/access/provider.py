"""The OpenID provider that people may sign in with, as the settings name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from hostpulse.access.audit import one_line
from hostpulse.access.denied import AccessDenied
from hostpulse.access.principal import ROLES
from hostpulse.access.sign_up import Rule, rules_of
from hostpulse.config import Config, ConfigError, is_loopback

if TYPE_CHECKING:
    from hostpulse.access.openid import Client

CALLBACK_PATH = "/sign-in/oidc/callback"
_AT_A_TIME = 4  # of 8 threads for people; a provider that hangs holds no more
_WAIT_SECONDS = 0.5
_KNOWN_FOR_SECONDS = 3600.0


class ProviderAway(Exception):
    """The provider does not do its part now; the message says why."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Which provider it is, what this server is to it, and whom it may bring in by itself."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    scopes: str
    sign_up: tuple[Rule, ...]
    sign_up_role: str


def provider_settings(config: Config) -> ProviderSettings | None:
    """Return what the settings say, None for no provider; raises ConfigError."""
    if not config.oidc_issuer:
        return None
    issuer = urlsplit(config.oidc_issuer)
    is_private = issuer.scheme == "http" and is_loopback(issuer.hostname or "")
    if not issuer.hostname or not (issuer.scheme == "https" or is_private):
        raise ConfigError("oidc_issuer: use an address such as https://id.example.com.")
    if not config.oidc_client_id:
        raise ConfigError("oidc_client_id: is missing; the provider gives one to each client.")
    if config.oidc_sign_up_role not in ROLES.keys() - {"owner"}:
        raise ConfigError("oidc_sign_up_role: use viewer, editor or admin.")
    return ProviderSettings(
        config.oidc_issuer,
        config.oidc_client_id,
        _secret(config.oidc_client_secret_file),
        config.oidc_name,
        config.oidc_scopes,
        rules_of(config.oidc_sign_up),
        config.oidc_sign_up_role,
    )


def _secret(file: str) -> str:
    if not file:
        return ""
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"oidc_client_secret_file: cannot read {file}: {why}.") from error


class Provider:
    """Sends people to the provider, and hears from it who they are.

    Nothing is asked before somebody goes there. `clock` is seconds.
    """

    def __init__(self, settings: ProviderSettings, clock: Callable[[], float]) -> None:
        self.settings = settings
        self._clock = clock
        self._turns = BoundedSemaphore(_AT_A_TIME)
        self._made: tuple[float, Client] | None = None
        self._log = structlog.get_logger("hostpulse.provider")

    def way(self, redirect_uri: str, state: str, nonce: str, code_verifier: str) -> str:
        """Return the address of the provider's page; raises ProviderAway."""
        with self._asking() as client:
            return client.way(redirect_uri, state=state, nonce=nonce, code_verifier=code_verifier)

    def claims(
        self, redirect_uri: str, code: str, nonce: str, code_verifier: str
    ) -> dict[str, Any]:
        """Return what it says of whoever came back with `code`, `sub` among it.

        Raises ProviderAway, and AccessDenied for what proves nothing.
        """
        with self._asking() as client:
            return client.claims(redirect_uri, nonce, code=code, code_verifier=code_verifier)

    @contextmanager
    def _asking(self) -> Iterator[Client]:
        """Give the client, and put what may go wrong into words."""
        from authlib.common.errors import AuthlibBaseError
        from joserfc.errors import JoseError

        from hostpulse.access.openid import Nonsense

        name = self.settings.name
        if not self._turns.acquire(timeout=_WAIT_SECONDS):
            raise ProviderAway(f"Too many people wait for {name}; try again in a few seconds.")
        try:
            yield self._client()
        except AuthlibBaseError as error:
            said = one_line(str(error.error))
            self._log.warning("the provider refused", error=said)
            raise AccessDenied(
                401, f"{name} does not let you in here ({said}); begin again, or tell an admin."
            ) from error
        except JoseError as error:
            said = one_line(str(error))
            self._log.warning("an ID token was refused", error=said)
            raise AccessDenied(
                401, f"What {name} said of you cannot be trusted ({said}); tell an admin."
            ) from error
        except (OSError, Nonsense, ValueError) as error:
            said = str(error) if isinstance(error, Nonsense) else "it does not answer as it should"
            self._log.warning("the provider is away", error=one_line(str(error)))
            raise ProviderAway(
                f"You cannot sign in with {name} now: {said}. A password still works."
            ) from error
        finally:
            self._turns.release()

    def _client(self) -> Client:
        """Return a client that knows the provider as it was within the last hour."""
        from hostpulse.access.openid import Client

        made = self._made
        if made is None or self._clock() - made[0] > _KNOWN_FOR_SECONDS:
            known = self.settings
            client = Client(known.issuer, known.client_id, known.client_secret, known.scopes)
            self._made = made = (self._clock(), client)
        return made[1]


def provider_of(config: Config, clock: Callable[[], float]) -> Provider | None:
    """Return the provider that people sign in with, if they do; raises ConfigError."""
    settings = provider_settings(config) if config.auth else None
    return Provider(settings, clock) if settings else None
