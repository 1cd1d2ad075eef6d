"""Requests made up from the OpenAPI document: every answer is as the document says."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from tests.backend_under_test import NOW_MS, Backend
from tests.conftest import ROUNDS
from tests.full_report import full_report

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]


OFTEN = settings(max_examples=2 * ROUNDS, suppress_health_check=list(HealthCheck), deadline=None)


def aimed(case: Any) -> Any:
    """Lead requests below /api/servers to a server that is there."""
    if case.path_parameters and case.method != "DELETE":
        case.path_parameters["server"] = "web-1"
    return case


def test_no_request_that_can_be_made_up_breaks_the_document() -> None:
    with Backend() as backend:
        body, _ = full_report(time_ms=NOW_MS - 1000)
        backend.accept(body)
        schema = schemathesis.openapi.from_url(f"{backend.url}/api/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) >= 14
        for operation in operations:

            @OFTEN
            @given(case=operation.as_strategy())
            def check(case: Any) -> None:
                aimed(case).call_and_validate(checks=CHECKS)

            check()
