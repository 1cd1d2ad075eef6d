"""What is said to the OpenID provider, by Authlib; imported when somebody first goes there."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session

logging.getLogger("authlib").setLevel(logging.WARNING)  # at `debug` it writes down verifiers

TIMEOUT_SECONDS = 5.0
LEEWAY_SECONDS = 60
DISCOVERY_PATH = "/.well-known/openid-configuration"
ALGORITHMS = frozenset(
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)
) | {"EdDSA"}
"""Signatures that only the provider can make: no `none`, nothing with a secret that two know."""


class Nonsense(Exception):
    """The provider's answer is not what the protocol asks for; the message says what is wrong."""


class Document(msgspec.Struct):
    """What of the provider's discovery document counts here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Client(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc]
    """Authlib's client without a web framework.

    Any method may raise OSError (requests' errors are some), Nonsense, and those of Authlib and
    joserfc.
    """

    client_cls = OAuth2Session

    def __init__(self, issuer: str, client_id: str, client_secret: str, scopes: str) -> None:
        super().__init__(
            None,
            client_id=client_id,
            client_secret=client_secret,
            client_kwargs={
                "scope": scopes,
                "code_challenge_method": "S256",
                "default_timeout": TIMEOUT_SECONDS,
                "max_redirects": 0,
            },
        )
        self._issuer = issuer
        self.server_metadata: dict[str, Any] = {}

    def load_server_metadata(self) -> dict[str, Any]:
        """Return what the discovery document says, read once and checked."""
        if not self.server_metadata:
            with self._get_session() as session:
                answer = session.request(
                    "GET", self._issuer.rstrip("/") + DISCOVERY_PATH, withhold_token=True
                )
                answer.raise_for_status()
            self.server_metadata = self._checked(answer.content)
        return self.server_metadata

    def _checked(self, content: bytes) -> dict[str, Any]:
        try:
            said = msgspec.json.decode(content, type=Document)
        except msgspec.DecodeError as error:
            raise Nonsense(f"its discovery document cannot be read ({error})") from error
        if said.issuer != self._issuer:
            raise Nonsense(f"it calls itself {said.issuer!r}; oidc_issuer has to be the same")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            url = getattr(said, name)
            if url and url.partition(":")[0] not in {"https", self._issuer.partition(":")[0]}:
                raise Nonsense(f"its {name} is not encrypted")
        algorithms = [a for a in said.id_token_signing_alg_values_supported if a in ALGORITHMS]
        if not algorithms:
            raise Nonsense("it signs ID tokens in no way that is accepted; RS256 or ES256 are")
        methods = said.token_endpoint_auth_methods_supported
        if self.client_secret and "client_secret_basic" not in methods:
            self.client_kwargs["token_endpoint_auth_method"] = "client_secret_post"  # noqa: S105 - a way, no secret
        kept = {"id_token_signing_alg_values_supported": algorithms}
        return msgspec.structs.asdict(said) | kept

    def way(self, redirect_uri: str, **secrets: str) -> str:
        """Return where a browser has to go; `secrets`: state, nonce, code_verifier."""
        return str(self.create_authorization_url(redirect_uri, **secrets)["url"])

    def claims(self, redirect_uri: str, nonce: str, **proof: str) -> dict[str, Any]:
        """Return what the provider says of a person; `proof`: code, code_verifier.

        It is the ID token's, whose signature, issuer, audience, times and nonce are right, with
        what the userinfo endpoint adds.
        """
        token = self.fetch_access_token(redirect_uri, **proof)
        options = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self.client_id},
        }
        proven = self.parse_id_token(token, nonce, options, leeway=LEEWAY_SECONDS)
        if proven is None:
            raise Nonsense("it sent no ID token; oidc_scopes has to hold openid")
        more = self.userinfo(token=token) if self.server_metadata["userinfo_endpoint"] else {}
        if more and more.get("sub") != proven["sub"]:
            raise Nonsense("its userinfo is about somebody else")
        return {**more, **proven}
