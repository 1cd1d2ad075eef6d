"""Headers and errors that every answer has, in both lanes."""

from __future__ import annotations

import gzip

import pytest
from hostpulse.api.answers import SECURITY_HEADERS

from tests.backend_under_test import Backend, eventually, report

ANSWERS = {
    "the page": ("GET", "/", 200),
    "a server's page": ("GET", "/servers/nobody", 404),
    "a file": ("GET", "/static/app.js", 200),
    "no file": ("GET", "/static/none.js", 404),
    "the list": ("GET", "/api/servers", 200),
    "a head": ("HEAD", "/api/servers", 200),
    "options": ("OPTIONS", "/api/servers", 200),
    "nothing": ("GET", "/api/nothing", 404),
    "no server": ("GET", "/api/servers/nobody", 404),
    "a wrong method": ("POST", "/api/servers", 405),
    "a wrong method for reports": ("GET", "/api/metrics", 405),
    "a post that is no JSON": ("POST", "/api/metrics", 415),
    "a bad parameter": ("GET", "/api/servers?since=x", 400),
    "the document": ("GET", "/api/openapi.json", 200),
    "the docs": ("GET", "/api/docs", 200),
    "their style": ("GET", "/api/docs.css", 200),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_f97_every_answer_has_the_security_headers_and_a_request_id(
    backend: Backend, what: str
) -> None:
    method, path, status = ANSWERS[what]
    answer = backend.request(method, path)
    assert answer.status_code == status
    for name, value in SECURITY_HEADERS:
        assert answer.headers[name] == value
    assert answer.headers["X-Request-Id"]
    assert "server" not in answer.headers
    if path.startswith("/api/") and "/docs" not in path and method != "OPTIONS":
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("what", [name for name, made in ANSWERS.items() if made[2] >= 400])
def test_every_error_is_a_sentence_with_a_request_id(backend: Backend, what: str) -> None:
    method, path, _ = ANSWERS[what]
    if path.startswith("/servers/"):
        return
    answer = backend.request(method, path)
    body = answer.json()
    assert body["error"].endswith((".", "needs it")) or ": " in body["error"]
    assert body["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/api/metrics", "/api/servers", "/api/catalogue"])
def test_a_405_says_which_methods_there_are(backend: Backend, path: str) -> None:
    answer = backend.request("PUT", path)
    assert answer.status_code == 405
    assert answer.headers["Allow"]


def test_f97_errors_from_both_lanes_carry_the_headers(backend: Backend) -> None:
    too_large = backend.post_bytes(b" " * (1 << 20 | 1))
    assert too_large.status_code == 413
    broken = backend.post(5)
    assert broken.status_code == 400
    for answer in (too_large, broken):
        assert answer.headers["Content-Security-Policy"]
        assert answer.json()["request_id"]


def test_f97_an_unforeseen_error_is_a_500_in_words_and_counted(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(backend.parts.servers), "all", lambda *_: 1 / 0)
    answer = backend.get("/api/servers")
    assert answer.status_code == 500
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
    assert "ZeroDivision" not in answer.text
    assert answer.headers["Content-Security-Policy"]
    eventually(lambda: backend.json("/api/health")["errors_5m"] == 1)


def test_f97_a_file_that_did_not_change_is_a_304_with_the_headers(backend: Backend) -> None:
    tag = backend.get("/static/app.js").headers["ETag"]
    answer = backend.request("GET", "/static/app.js", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["Content-Security-Policy"]


def test_answers_are_zipped_only_for_those_who_read_that(backend: Backend) -> None:
    backend.accept([report(f"web-{i}") for i in range(20)])
    sizes = {}
    for accepted in ("gzip, br", "identity", "gzip;q=0, identity"):
        headers = {"Accept-Encoding": accepted}
        answer = backend.request("GET", "/api/servers", headers=headers, stream=True)
        sizes[accepted] = answer.headers.get("Content-Encoding")
        raw = answer.raw.read(decode_content=False)
        assert (gzip.decompress(raw) if sizes[accepted] else raw).startswith(b'{"now"')
    assert list(sizes.values()) == ["gzip", None, None]


PAGE = "https://page.example"


def test_other_pages_may_not_read_unless_named(backend: Backend) -> None:
    for path in ("/api/servers", "/api/metrics"):
        answer = backend.request("GET", path, headers={"Origin": PAGE})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/api/servers", "/api/metrics", "/api/nothing"])
def test_a_named_origin_may_read_in_both_lanes_and_no_other(path: str) -> None:
    with Backend(cors_origins=f"{PAGE}, https://two.example") as backend:
        answer = backend.request("GET", path, headers={"Origin": PAGE})
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert "Origin" in answer.headers["Vary"]
        other = backend.request("GET", path, headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in other.headers
        asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
        preflight = backend.request("OPTIONS", path, headers=asked)
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD"


def test_another_page_may_not_write_even_if_its_origin_is_named() -> None:
    with Backend(cors_origins=PAGE) as backend:
        for method in ("POST", "DELETE"):
            asked = {"Origin": PAGE, "Access-Control-Request-Method": method}
            preflight = backend.request("OPTIONS", "/api/metrics", headers=asked)
            assert method not in preflight.headers.get("Access-Control-Allow-Methods", "")


def test_a_receipt_for_an_agent_is_short_but_can_be_traced(backend: Backend) -> None:
    receipt = backend.post(report("web-1", backend.clock.now_ms))
    assert receipt.status_code == 200
    assert receipt.headers["X-Request-Id"]
    assert receipt.headers["X-Content-Type-Options"] == "nosniff"
    assert sum(len(name) + len(value) for name, value in receipt.headers.items()) < 200
