"""What the provider says is taken only if it can be nobody else's word, for nobody else, of now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hostpulse.access.denied import AccessDenied
from hostpulse.access.provider import CALLBACK_PATH, Provider, ProviderAway, ProviderSettings
from joserfc.jwk import ECKey, OctKey

from tests.openid.client import CLIENT_ID, CLIENT_SECRET
from tests.openid.hostile import HostileProvider

REDIRECT = f"http://127.0.0.1:5000{CALLBACK_PATH}"
VERIFIER = "v" * 43
HOUR = 3600


@pytest.fixture
def hostile() -> Iterator[HostileProvider]:
    running = HostileProvider()
    yield running
    running.close()


def provider_at(issuer: str, secret: str = CLIENT_SECRET, clock: Any = time.monotonic) -> Provider:
    settings = ProviderSettings(issuer, CLIENT_ID, secret, "Acme", "openid email", (), "viewer")
    return Provider(settings, clock)


def ask(provider: Provider, nonce: str = "a nonce") -> dict[str, Any]:
    """Go there as a browser does, come back, and return what the provider says."""
    way = provider.way(REDIRECT, "a state", "a nonce", VERIFIER)
    back = requests.get(way, allow_redirects=False, timeout=10).headers["Location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    return provider.claims(REDIRECT, code, nonce, VERIFIER)


def test_what_is_right_is_taken_with_what_userinfo_adds(hostile: HostileProvider) -> None:
    hostile.more = {"email": "ada@example.com", "iss": "https://elsewhere.example"}
    said = ask(provider_at(hostile.issuer))
    assert (said["sub"], said["email"]) == (hostile.subject, "ada@example.com")
    assert said["iss"] == hostile.issuer
    assert hostile.token_requests[0]["code_verifier"] == VERIFIER


NOW = int(time.time())
BENT: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "no issuer": {"claims": {"iss": None}},
    "another audience": {"claims": {"aud": "another-client"}},
    "another audience, for us by its own word": {"claims": {"aud": "other", "azp": CLIENT_ID}},
    "ours and another audience, for the other": {"claims": {"aud": [CLIENT_ID, "x"], "azp": "x"}},
    "no audience": {"claims": {"aud": None}},
    "over for two minutes": {"claims": {"exp": NOW - 120, "iat": NOW - 600}},
    "no end": {"claims": {"exp": None}},
    "made tomorrow": {"claims": {"iat": NOW + 24 * HOUR, "exp": NOW + 25 * HOUR}},
    "not good before tomorrow": {"claims": {"nbf": NOW + 24 * HOUR}},
    "another nonce": {"claims": {"nonce": "of another browser"}},
    "no nonce": {"claims": {"nonce": None}},
    "no subject": {"claims": {"sub": None}},
    "the hash of another access token": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "signed by another key": {"key": ECKey.generate_key("P-256")},
    "signed by nobody": {"header": {"alg": "none"}},
    "signed with the secret that two know": {
        "key": OctKey.import_key(CLIENT_SECRET.encode()), "header": {"alg": "HS256"},
    },
    "a key that it does not show": {"header": {"kid": "hidden"}},
}  # fmt: skip


@pytest.mark.parametrize("bent", BENT)
def test_what_proves_nothing_is_refused(hostile: HostileProvider, bent: str) -> None:
    for name, value in BENT[bent].items():
        setattr(hostile, name, value)
    hostile.document = {"id_token_signing_alg_values_supported": ["none", "HS256", "ES256"]}
    with pytest.raises(AccessDenied, match="cannot be trusted"):
        ask(provider_at(hostile.issuer))


def test_a_clock_that_is_half_a_minute_off_does_not_keep_people_out(
    hostile: HostileProvider,
) -> None:
    now = int(time.time())
    hostile.claims = {"iat": now + 30, "exp": now + 600}
    assert ask(provider_at(hostile.issuer))
    hostile.claims = {"iat": now - 600, "exp": now - 30}
    assert ask(provider_at(hostile.issuer))


def test_the_nonce_of_another_trip_is_refused(hostile: HostileProvider) -> None:
    with pytest.raises(AccessDenied, match="nonce"):
        ask(provider_at(hostile.issuer), "of another trip")


def test_userinfo_of_somebody_else_is_not_put_to_the_subject(hostile: HostileProvider) -> None:
    hostile.more = {"sub": "somebody-else", "email": "boss@example.com"}
    with pytest.raises(ProviderAway, match="somebody else"):
        ask(provider_at(hostile.issuer))


def test_a_new_key_is_looked_up_and_an_old_one_is_forgotten_within_an_hour(
    hostile: HostileProvider,
) -> None:
    now = [0.0]
    provider = provider_at(hostile.issuer, clock=lambda: now[0])
    assert ask(provider)
    stolen = hostile.key
    hostile.key = hostile.published = ECKey.generate_key("P-256", {"kid": "second"})
    hostile.header = {"kid": "second"}
    assert ask(provider)
    asked = hostile.asked.count("/jwks")
    assert ask(provider)
    assert hostile.asked.count("/jwks") == asked == 2
    hostile.key, hostile.header = stolen, {}
    now[0] += 1.01 * HOUR
    with pytest.raises(AccessDenied, match="cannot be trusted"):
        ask(provider)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"issuer": "https://evil.example"}, "oidc_issuer"),
        ({"token_endpoint": 5}, "discovery document"),
        ({"jwks_uri": "ftp://127.0.0.1/"}, "jwks_uri is not encrypted"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "not encrypted"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "no way that is accepted"),
    ],
)
def test_a_provider_that_says_odd_things_of_itself_is_not_used(
    hostile: HostileProvider, document: dict[str, Any], words: str
) -> None:
    hostile.document = document
    with pytest.raises(ProviderAway, match=words):
        provider_at(hostile.issuer).way(REDIRECT, "a state", "a nonce", VERIFIER)


def test_a_redirect_is_not_followed(hostile: HostileProvider) -> None:
    hostile.document = {"token_endpoint": f"{hostile.issuer}/moved"}
    with pytest.raises(ProviderAway):
        ask(provider_at(hostile.issuer))
    assert "/moved-to" not in hostile.asked


def test_a_provider_that_is_away_is_told_so_at_once_and_asked_again_later(
    hostile: HostileProvider,
) -> None:
    provider = provider_at(hostile.issuer)
    hostile.close()
    before = time.monotonic()
    with pytest.raises(ProviderAway, match="A password still works"):
        provider.way(REDIRECT, "a state", "a nonce", VERIFIER)
    assert time.monotonic() - before < 5
