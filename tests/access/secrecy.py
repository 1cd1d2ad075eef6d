"""What must not be in a log or an answer."""

from __future__ import annotations

import json
import re

import requests

from tests.access.world import PASSWORD

_KEY = re.compile(r"hp_(?:ag|in|en|pa)_[a-z2-7]{12}_[A-Za-z0-9_-]{43}")
_FIELDS = ("password", "old", "new", "token")
_SHORTEST = 12
"""Shorter ones are made up by tests, and may be words of any answer."""


def secrets_in(text: str) -> set[str]:
    """Return the keys and the password of the tests that are in a text."""
    return {*_KEY.findall(text), *({PASSWORD} if PASSWORD in text else ())}


def repeated(answer: requests.Response) -> set[str]:
    """Return what the request said in confidence and the answer says again."""
    given = {name: text for name, text in answer.headers.items() if name.lower() != "set-cookie"}
    said = f"{given} {answer.text}"
    return {secret for secret in _secrets_of(answer.request) if secret in said}


def _secrets_of(request: requests.PreparedRequest) -> set[str]:
    headers = request.headers
    found = {headers.get("Authorization", "").partition(" ")[2], headers.get("X-API-Key", "")}
    found |= {pair.partition("=")[2] for pair in headers.get("Cookie", "").split("; ")}
    if isinstance(request.body, bytes):
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if isinstance(body, dict):
            found |= {text for name in _FIELDS if isinstance(text := body.get(name), str)}
    return {secret for secret in found if len(secret) >= _SHORTEST}
