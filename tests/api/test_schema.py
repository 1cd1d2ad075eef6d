"""Requests made up from the OpenAPI document: every answer is as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hostpulse.access.denied import AccessDenied
from hostpulse.access.guard import Guard
from hostpulse.access.principal import ADMIN, Principal
from hostpulse.access.sessions import Client
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
)

from tests.access.world import NO_LIMITS, PASSWORD, of_key, of_session
from tests.backend_under_test import NOW_MS, Backend
from tests.conftest import ROUNDS
from tests.full_report import full_report

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
BY = Principal(name="test", grants=ADMIN, role="owner")
REMOTE = {"Host": "192.0.2.7"}

OFTEN = settings(max_examples=2 * ROUNDS, suppress_health_check=list(HealthCheck), deadline=None)


class Keys:
    """Shows what an operation asks for: `with_keys` prefers a key where a session would do."""

    def __init__(self, backend: Backend, with_keys: bool) -> None:
        self._parts = backend.parts
        self._with_keys = with_keys
        people = self._parts.people
        here = people.links.make_setup()
        body = {"token": here, "name": "ann", "password": PASSWORD}
        backend.request("POST", "/api/links/use", json=body)
        link = {"token": people.links.invite(BY, "viewer"), "name": "target", "password": PASSWORD}
        backend.request("POST", "/api/links/use", json=link)
        backend.http.cookies.clear()
        members = people.members.list(BY)
        self.target = next(one.user.id for one in members if one.user.name == "target")
        self._backend = backend

    def of(self, operation: Any) -> dict[str, str]:
        """Return headers that are good for an operation."""
        ways = operation.definition.raw["security"]
        if {} in ways:
            return REMOTE
        names = {name for way in ways for name in way}
        if "key" in names and (self._with_keys or "session" not in names):
            return of_key(self._key(operation.path)) | REMOTE
        here = Client(f"sign-in of {operation.label}", "test")  # made-up ones count elsewhere
        return (
            of_session(self._parts.people.accounts.sign_in("ann", PASSWORD, here, False).token)
            | REMOTE
        )

    def _key(self, path: str) -> str:
        issuer = self._parts.issuer
        if path == "/api/metrics":
            return issuer.make_ingest(BY, "x").text
        if path in ("/api/enrol", "/api/agent/key"):
            token = issuer.make_enrolment(BY, 60, 1000).text
            if path == "/api/enrol":
                return token
            body = {"hostname": "agent", "machine": "ab" * 32}
            made = self._backend.request("POST", "/api/enrol", json=body, headers=of_key(token))
            return str(made.json()["key"])
        return issuer.make_personal(BY, "x", ["manage"], 1).text


def aimed(case: Any, target: str = "") -> Any:
    """Lead requests below /api/servers, and of members, to one that is there."""
    if case.path_parameters and case.method != "DELETE":
        for name, is_there in (("server", "web-1"), ("person", target)):
            if name in case.path_parameters and is_there:
                case.path_parameters[name] = is_there
    return case


def operations_of(backend: Backend) -> list[Any]:
    schema = schemathesis.openapi.from_url(f"{backend.url}/api/openapi.json")
    schema.config.generation.update(with_security_parameters=False)  # they would be none
    return [found.ok() for found in schema.get_all_operations()]


def test_no_request_that_can_be_made_up_breaks_the_document() -> None:
    with Backend() as backend:
        body, _ = full_report(time_ms=NOW_MS - 1000)
        backend.accept(body)
        operations = operations_of(backend)
        assert len(operations) >= 35
        for operation in operations:

            @OFTEN
            @given(case=operation.as_strategy())
            def check(case: Any) -> None:
                aimed(case).call_and_validate(checks=CHECKS)

            check()


@pytest.fixture
def guarded() -> Iterator[Backend]:
    with Backend(auth=True, **NO_LIMITS) as running:
        body, _ = full_report(time_ms=NOW_MS - 1000)
        running.accept(body)
        yield running


@pytest.mark.parametrize("with_keys", [True, False])
def test_with_sign_in_nothing_breaks_it_either_and_no_operation_ignores_who_asks(
    guarded: Backend, with_keys: bool
) -> None:
    keys = Keys(guarded, with_keys)
    seen = {}
    for operation in operations_of(guarded):
        ways = {name for way in operation.definition.raw["security"] for name in way}
        if not with_keys and not {"key", "session"} <= ways:
            continue  # it was asked in the only way there is
        seen[operation.label] = statuses_of(operation, keys.of(operation), keys.target)
    assert max(status for statuses in seen.values() for status in statuses) < 500
    assert [label for label, statuses in seen.items() if statuses == {401}] == []


def statuses_of(operation: Any, headers: dict[str, str], target: str) -> set[int]:
    """Make requests up; return which answers there were."""
    statuses = set()

    @settings(OFTEN, max_examples=ROUNDS)
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        checks = [*CHECKS, ignored_auth]
        answer = aimed(case, target).call_and_validate(checks=checks, headers=headers)
        statuses.add(answer.status_code)

    check()
    return statuses


def test_an_operation_that_ignores_who_asks_would_be_noticed(
    guarded: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys(guarded, with_keys=True)
    operation = next(one for one in operations_of(guarded) if one.label == "GET /api/keys")
    headers = keys.of(operation)

    def let_in(guard: Guard, *asked: Any) -> Principal:
        try:
            return for_people(guard, *asked)
        except AccessDenied:
            return BY

    for_people = Guard.for_people
    monkeypatch.setattr(Guard, "for_people", let_in)

    @settings(OFTEN, max_examples=1, database=None)
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.call_and_validate(checks=[ignored_auth], headers=headers)

    with pytest.raises(FailureGroup, match="accepts requests without authentication"):
        check()


WAYS = {
    "POST /api/metrics": [{"key": []}],
    "POST /api/enrol": [{"key": []}],
    "POST /api/agent/key": [{"key": []}],
    "GET /api/servers": [{"key": []}, {"session": []}],
    "DELETE /api/servers/{server}": [{"key": []}, {"session": [], "csrf": []}],
    "POST /api/keys": [{"key": []}, {"session": [], "csrf": []}],
    "GET /api/people": [{"session": []}],
    "PATCH /api/people/{person}": [{"session": [], "csrf": []}],
    "PUT /api/password": [{"session": [], "csrf": []}],
    "POST /api/session": [{}],
    "PUT /api/session": [{}],
    "PUT /api/second-factor": [{"session": [], "csrf": []}],
    "GET /api/health": [{}],
}


def test_the_document_says_who_may_use_an_operation_and_what_it_takes(backend: Backend) -> None:
    document = backend.json("/api/openapi.json")
    assert document["components"]["securitySchemes"].keys() == {"key", "session", "csrf"}
    for label, ways in WAYS.items():
        method, path = label.split()
        assert document["paths"][path][method.lower()]["security"] == ways, label
    takes = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
    }
    assert takes == {
        "POST /api/metrics", "PATCH /api/servers/{server}", "POST /api/session",
        "PUT /api/session/tenant", "PUT /api/password", "POST /api/links/about",
        "POST /api/links/look", "POST /api/links/use", "POST /api/links/join", "POST /api/people",
        "PATCH /api/people/{person}", "POST /api/keys", "POST /api/tokens",
        "POST /api/enrolments", "POST /api/enrol",
        "POST /api/provider/departures", "POST /api/provider/arrivals", "POST /api/provider/link",
        "POST /api/tenants", "PATCH /api/tenants/{tenant}", "POST /api/tenants/{tenant}/visit",
        "PUT /api/session", "POST /api/second-factor", "PUT /api/second-factor",
        "POST /api/second-factor/codes", "POST /api/second-factor/off",
    }  # fmt: skip
