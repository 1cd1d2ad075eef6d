"""An OpenID provider that does everything right, until a test bends what it says."""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key

from tests.openid.client import CLIENT_ID


class HostileProvider:
    """`claims` are put over the right ones (None takes one out); `header` over the right header.

    `key` signs, `published` is what `/jwks` shows; `document` is put over the discovery document.
    `more` is what userinfo adds.
    """

    def __init__(self) -> None:
        self.published = self.key = ECKey.generate_key("P-256", {"kid": "first"})
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.more: dict[str, Any] = {}
        self.subject = "248289761001"
        self.asked: list[str] = []
        self.token_requests: list[dict[str, str]] = []
        self._nonces: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.answer(self, "")

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                provider.answer(self, self.rfile.read(length).decode())

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def answer(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        path = urlsplit(handler.path).path
        self.asked.append(path)
        query = {
            name: values[0]
            for name, values in parse_qs(body or urlsplit(handler.path).query).items()
        }
        if path == "/moved":
            handler.send_response(307)
            handler.send_header("Location", f"{self.issuer}/moved-to")
            handler.end_headers()
            return
        if path == "/authorize":
            code = f"code-{len(self._nonces)}"
            self._nonces[code] = query["nonce"]
            where = query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})
            handler.send_response(302)
            handler.send_header("Location", where)
            handler.end_headers()
            return
        content = json.dumps(self._content(path, query)).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _content(self, path: str, query: dict[str, str]) -> Any:
        if path == "/jwks":
            return {"keys": [self.published.as_dict(private=False)]}
        if path == "/me":
            return {"sub": self.subject} | self.more
        if path == "/token":
            self.token_requests.append(query)
            token = {"access_token": "opaque", "token_type": "Bearer"}
            return token | {"id_token": self._id_token(query["code"])}
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            "id_token_signing_alg_values_supported": ["ES256"],
        } | self.document

    def _id_token(self, code: str) -> str:
        now = int(time.time())
        right = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT_ID, "exp": now + 300}
        right |= {"iat": now, "nonce": self._nonces[code]}
        claims = {name: said for name, said in (right | self.claims).items() if said is not None}
        header = {"alg": "ES256", "kid": "first"} | self.header
        return sign(header, claims, self.key)


def sign(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    """Return a token, also one that nobody signed."""
    if header["alg"] == "none":
        parts = [urlsafe_b64encode(json.dumps(part).encode()).decode() for part in (header, claims)]
        return ".".join(part.rstrip("=") for part in parts) + "."
    return jwt.encode(header, claims, key, algorithms=[header["alg"]])
