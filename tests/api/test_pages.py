"""The page and its files: what is served, and what is not."""

from __future__ import annotations

import pytest

from tests.backend_under_test import Backend, report


def test_the_page_is_there_for_the_list_and_for_a_server(backend: Backend) -> None:
    backend.accept(report())
    address = backend.json("/api/servers/web-1")["id"]
    pages = [backend.get(path) for path in ("/", f"/servers/{address}")]
    assert [page.status_code for page in pages] == [200, 200]
    assert pages[0].text == pages[1].text
    assert all(page.headers["Content-Type"].startswith("text/html") for page in pages)
    assert all(page.headers["Cache-Control"] == "no-cache" for page in pages)


def test_a_hostname_leads_to_the_address_with_the_id(backend: Backend) -> None:
    backend.accept(report())
    address = backend.json("/api/servers/web-1")["id"]
    answer = backend.request("GET", "/servers/web-1?range=5m&x=%0D%0Ay")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/servers/{address}?range=5m&x=%0D%0Ay")


def test_an_unknown_server_is_the_page_with_a_404(backend: Backend) -> None:
    answer = backend.get("/servers/nobody")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", ["app.js", "vendor/chart.js"])
def test_a_file_of_the_page_is_served(backend: Backend, name: str) -> None:
    answer = backend.get(f"/static/{name}")
    assert answer.status_code == 200
    assert "javascript" in answer.headers["Content-Type"]


HIDDEN = [
    "package.json",
    "package-lock.json",
    "build.mjs",
    "index.html",
    "node_modules/chart.js/dist/chart.js",
    "../pyproject.toml",
    "..%2fpyproject.toml",
    "%2e%2e/pyproject.toml",
    "../backend/src/hostpulse/app.py",
    "/etc/passwd",
    "%2fetc%2fhosts.txt",
    "..%5c..%5cx.js",
    "vendor",
    "",
    "a%00.js",
    "app.js/x.js",
    "../dashboard/../LICENSE.txt",
    "x" * 5000 + ".js",
    ".js",
]


@pytest.mark.parametrize("name", HIDDEN, ids=lambda name: name[:30])
def test_nothing_else_is_served(backend: Backend, name: str) -> None:
    from tests.api.raw import get_raw

    assert get_raw(backend, f"/static/{name}").status in (404, 400)
