"""Requests whose path nobody may tidy up on the way."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPResponse

from tests.backend_under_test import Backend


def get_raw(backend: Backend, path: str) -> HTTPResponse:
    """GET exactly this path."""
    connection = HTTPConnection("127.0.0.1", backend.port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()
