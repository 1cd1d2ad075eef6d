"""A browser without a window: it goes to the provider, signs in there, and comes back."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from hostpulse.access.provider import CALLBACK_PATH
from hostpulse.access.sessions import csrf_token

from tests.backend_under_test import Backend


class Traveller:
    """Keeps cookies, as a browser does."""

    def __init__(self, backend: Backend) -> None:
        self.url = backend.url
        self.http = requests.Session()

    def ask(self, method: str, path: str, **body: Any) -> requests.Response:
        """Ask as our own page does."""
        session = self.http.cookies.get("hostpulse")
        headers = {"X-CSRF-Token": csrf_token(session)} if session else {}
        given = body if method in ("POST", "PUT", "PATCH") else None
        return self.http.request(
            method, self.url + path, json=given, headers=headers, timeout=20, allow_redirects=False
        )

    def depart(self, **wish: str) -> str:
        """Return where the backend sends this browser to."""
        answer = self.ask("POST", "/api/provider/departures", **wish)
        assert answer.ok, answer.text
        return str(answer.json()["url"])

    def visit(self, url: str, name: str = "ada@example.com") -> dict[str, str]:
        """Go to the provider, sign in on its pages; return what it puts into the way back."""
        answer = self.http.get(url, allow_redirects=False, timeout=20)
        while True:
            if answer.is_redirect:
                url = urljoin(url, answer.headers["Location"])
                if urlsplit(url).path == CALLBACK_PATH:
                    assert url.startswith(self.url)
                    break
                answer = self.http.get(url, allow_redirects=False, timeout=20)
                continue
            assert answer.ok, answer.text
            action = re.findall(r'action="([^"]+)"', answer.text)[0]
            prompt = re.findall(r'name="prompt" value="(\w+)"', answer.text)[0]
            form = {"prompt": prompt, "login": name, "password": "any"}
            answer = self.http.post(action, data=form, allow_redirects=False, timeout=20)
        query = parse_qs(urlsplit(url).query)
        return {name: query[name][0] for name in ("state", "code", "error") if name in query}

    def arrive(self, said: dict[str, str]) -> requests.Response:
        """Bring back what the provider said, as our page does."""
        return self.ask("POST", "/api/provider/arrivals", **said)

    def sign_in(self, name: str = "ada@example.com", **wish: str) -> requests.Response:
        """Do it all."""
        return self.arrive(self.visit(self.depart(**wish), name))

    def session(self) -> Any:
        """Return who is signed in."""
        return self.ask("GET", "/api/session").json()
