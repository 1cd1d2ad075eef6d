"""The OpenAPI document says what the door and the application answer, no more and no less."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from hostpulse.app import create_app
from hostpulse.door import ROUTES
from jsonschema import Draft202012Validator
from werkzeug.routing import Map

from tests.backend_under_test import Backend

READABLE = {("/api/docs", "GET"), ("/api/docs.css", "GET")}  # the document itself, for people
UNSAID = {"HEAD", "OPTIONS"}  # follow from GET


def routes_of(url_map: Map) -> set[tuple[str, str]]:
    found = set()
    for rule in url_map.iter_rules():
        path = rule.rule.replace("<", "{").replace(">", "}")
        if path.startswith("/api"):
            found |= {(path, method) for method in (rule.methods or set()) - UNSAID}
    return found


@pytest.fixture
def document(backend: Backend) -> Any:
    return backend.json("/api/openapi.json")


def test_the_document_and_the_routes_are_the_same_set(document: Any, backend: Backend) -> None:
    app = create_app(backend.parts)
    said = {(path, m.upper()) for path, methods in document["paths"].items() for m in methods}
    assert said == (set(ROUTES) | routes_of(app.url_map)) - READABLE


def test_every_operation_says_what_it_does_and_how_it_refuses(document: Any) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert {"200", "default"} <= set(operation["responses"])


def test_every_reference_leads_somewhere(document: Any) -> None:
    schemas = document["components"]["schemas"]
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references
    assert references <= set(schemas)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_the_readable_form_shows_every_operation_and_needs_no_other_origin(
    backend: Backend, document: Any
) -> None:
    page = backend.get("/api/docs").text
    words = unescape(re.sub(r"</?code>", "", page))
    for path, methods in document["paths"].items():
        assert path in words
        for operation in methods.values():
            assert operation["summary"].replace("`", "") in words
    assert "//" not in page.replace("http://www.w3.org", "").replace(
        "https://spec.openapis.org", ""
    )
    assert "<script" not in page


def test_the_readable_form_shows_bodies_answers_and_errors(backend: Backend) -> None:
    page = backend.get("/api/docs").text
    sections = re.findall(r"<section>.*?</section>", page, re.DOTALL)
    (sending,) = [section for section in sections if "POST /api/metrics" in section]
    report = '<a href="#Report">Report</a>'
    assert f"Takes {report} or an array of {report} as its body" in sending
    assert '<dd><a href="#Received">Received</a></dd>' in sending
    for section in sections:
        assert '<a href="#Refusal">Refusal</a>. Refused; the sentence says why.' in section
    for name in re.findall(r'href="#(\w+)"', page):
        assert f'id="{name}"' in page


def test_the_readable_form_has_no_raw_marks_in_its_words(backend: Backend) -> None:
    page = backend.get("/api/docs").text
    assert "<code>since</code>" in page
    assert "`" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
