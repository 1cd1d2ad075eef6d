"""Cross-origin reading by Flask-CORS's rules, for both lanes; off unless origins are named."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from flask_cors.core import get_cors_headers, get_cors_options
from werkzeug.datastructures import Headers

_METHODS = ("GET", "HEAD")


class Cors:
    """Says which CORS headers an answer carries."""

    def __init__(self, app: Flask, origins: list[str]) -> None:
        asked = {"origins": origins, "methods": list(_METHODS), "vary_header": True}
        self._options = get_cors_options(app, asked) if origins else None

    def headers(self, method: str, request: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """Return the headers to add, none for a request of our own page."""
        if self._options is None or b"origin" not in request:
            return []
        asked = Headers(
            (name.decode("latin-1"), v.decode("latin-1")) for name, v in request.items()
        )
        found = get_cors_headers(self._options, asked, method)
        return [
            (name.lower().encode(), str(value).encode("latin-1")) for name, value in found.items()
        ]

    def is_preflight(self, method: str, request: Mapping[bytes, bytes]) -> bool:
        """Tell whether a browser only asks if it may."""
        return (
            self._options is not None
            and method == "OPTIONS"
            and b"access-control-request-method" in request
        )
