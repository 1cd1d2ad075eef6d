"""Requests made up from the OpenAPI document: every answer is as the document says."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from tests.backend_under_test import NOW_MS, Backend, report
from tests.conftest import ROUNDS
from tests.full_report import full_report

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]


@pytest.fixture(scope="module")
def described() -> Any:
    with Backend() as backend:
        body, _ = full_report(time_ms=NOW_MS - 1000)
        backend.accept([body, report("web-2")])
        yield schemathesis.openapi.from_url(f"{backend.url}/api/openapi.json")


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(
    max_examples=2 * ROUNDS,
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
def test_no_request_that_can_be_made_up_breaks_the_document(case: Any) -> None:
    if case.path_parameters and case.method != "DELETE":
        names = {"a": "web-1", "e": "web-2"}
        case.path_parameters["server"] = names.get(str(case.path_parameters["server"])[:1], "web-1")
    case.call_and_validate(checks=CHECKS)
