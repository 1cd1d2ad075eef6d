"""A backend that is a client of an OpenID provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.backend.control_places import Place
from tests.backend_under_test import Backend

CLIENT_ID, CLIENT_SECRET = "hostpulse", "a-secret-of-the-test-0123456789"


@contextmanager
def client_of(place: Place, issuer: str, **settings: Any) -> Iterator[Backend]:
    """Run a backend that sends people to this provider, whom they call Acme."""
    secret = place.folder.with_suffix(".secret")
    secret.write_text(f"{CLIENT_SECRET}\n")
    known = {"oidc_issuer": issuer, "oidc_client_id": CLIENT_ID, "oidc_name": "Acme"}
    known |= {"oidc_client_secret_file": str(secret), "auth": True}
    with place.backend(**known | settings) as running:
        yield running
