"""A certified OpenID provider (npm's oidc-provider) in a process of its own, on loopback."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.openid.client import CLIENT_ID, CLIENT_SECRET

SCRIPT = Path(__file__).with_name("provider.mjs")


class RealProvider:
    """It knows no client before `register`, and takes any name and any password."""

    def __init__(self, node: str) -> None:
        self._process = subprocess.Popen(
            [node, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        port = self._said()
        if not port:
            self.close()
            raise AssertionError("oidc-provider did not start; run `make .venv/.npm`")
        self.issuer = f"http://127.0.0.1:{port}"

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def register(self, redirect_uri: str) -> None:
        """Make this server its client, and wait until it serves."""
        client = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [redirect_uri],
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(client) + "\n")
        self._process.stdin.flush()
        assert self._said() == "ready"

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.communicate(timeout=10)
