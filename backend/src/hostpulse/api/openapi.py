"""The API described by itself: OpenAPI 3.1 made from the routes and their types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Flask, Response, current_app, render_template

from hostpulse import __version__
from hostpulse.access.guard import COOKIE, SECURE_COOKIE
from hostpulse.access.principal import ROLES, SCOPES, Need
from hostpulse.api.answers import Refusal
from hostpulse.api.asking import needing, reply
from hostpulse.api.metrics import Received
from hostpulse.report.shape import Report

View = TypeVar("View", bound=Callable[..., Any])

_REF = "#/components/schemas/{name}"
_PATH_PARAMETER = re.compile(r"<(\w+)>")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query."""

    name: str
    text: str
    required: bool = False


HISTORY_PARAMETERS = (
    Parameter("metrics", "Names of /api/catalogue, separated by commas.", required=True),
    Parameter("instance", "One instance only, such as eth0; all by default."),
    Parameter("start", "Epoch ms, ISO 8601, or a span before now such as -1h (the default)."),
    Parameter("end", "Epoch ms, ISO 8601, a span before now, or now (the default)."),
    Parameter("points", "Most points a series may have, 1 to 400 (the default)."),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of one view."""

    summary: str
    returns: Any
    parameters: tuple[Parameter, ...]
    needs: Need
    takes: Any = None


def operation(
    summary: str, returns: Any, *parameters: Parameter, needs: Need, takes: Any = None
) -> Callable[[View], View]:
    """Say what a view needs of whoever asks, and describe it for the document.

    `takes` is the type of its body.
    """

    def describe(view: View) -> View:
        view.operation = Operation(summary, returns, parameters, needs, takes)  # type: ignore[attr-defined]
        return needing(needs)(view)

    return describe


METRICS = Operation("Send one report, or an array of them", Received, (), Need.INGEST, Report)

_SCHEMES: dict[str, Any] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key hp_<kind>_…; X-API-Key takes it too.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"Of whoever is signed in; over TLS it is called {SECURE_COOKIE}.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "`csrf` of /api/session, with every change that a session makes.",
    },
}
_OF_KEYS = frozenset({Need.INGEST, Need.ENROL, Need.ROTATE}).union(*SCOPES.values())
_OF_SESSIONS = frozenset().union(*ROLES.values())


def openapi_blueprint() -> Blueprint:
    """Return the routes of the document and of its readable form."""
    api = Blueprint("openapi", __name__, url_prefix="/api", template_folder="templates")

    @api.get("/openapi.json")
    @operation("This document", dict[str, Any], needs=Need.OPEN)
    def show_document() -> Response:
        return reply(document(current_app))

    @api.get("/docs")
    @needing(Need.OPEN)
    def show_docs() -> str:
        return render_template("docs.html", document=document(current_app))

    return api


def document(app: Flask) -> dict[str, Any]:
    """Return the OpenAPI document of the door's and the application's routes."""
    described = [("/api/metrics", "post", METRICS), *_described(app)]
    operations = [op for _path, _method, op in described]
    types = [Report, Refusal, *(op.returns for op in operations)]
    types += [op.takes for op in operations if op.takes]
    found = msgspec.json.schema_components(types, ref_template=_REF)
    schemas, components = dict(zip(types, found[0], strict=True)), found[1]
    paths: dict[str, Any] = {}
    for path, method, op in described:
        paths.setdefault(path, {})[method] = _operation(path, method, op, schemas)
    report = schemas[Report]
    body = {"oneOf": [report, {"type": "array", "items": report}]}
    paths["/api/metrics"]["post"]["requestBody"] = {"required": True, "content": _json(body)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hostpulse",
            "version": __version__,
            "description": "Reports in, series out. Times are epoch milliseconds, UTC.",
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def _described(app: Flask) -> Iterator[tuple[str, str, Operation]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        op = getattr(app.view_functions[rule.endpoint], "operation", None)
        if op is None:
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield _PATH_PARAMETER.sub(r"{\1}", rule.rule), method.lower(), op


def _operation(path: str, method: str, op: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    refused = "Refused; the sentence says why"
    described = {
        "summary": op.summary,
        "parameters": [*_path_parameters(path), *map(_query_parameter, op.parameters)],
        "responses": {
            "200": {"description": op.summary, "content": _json(schemas[op.returns])},
            "default": {"description": refused, "content": _json(schemas[Refusal])},
        },
        "security": list(_security(op.needs, method)),
    }
    if op.takes:
        described["requestBody"] = {"required": True, "content": _json(schemas[op.takes])}
    if op.needs is not Need.OPEN:
        described["description"] = f"For whoever is allowed {op.needs.value}"
    return described


def _security(need: Need, method: str) -> Iterator[dict[str, list[str]]]:
    """Yield the ways to show that one may; `{}` is none at all."""
    if need is Need.OPEN:
        yield {}
    if need in _OF_KEYS:
        yield {"key": []}
    if need in _OF_SESSIONS:
        yield {"session": []} if method == "get" else {"session": [], "csrf": []}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"{(\w+)}", path)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": "Id or hostname." if name == "server" else f"Id of the {name}.",
            "schema": _TEXT,
        }
        for name in names
    ]


_TEXT = {"type": "string"}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.text,
        "schema": _TEXT,
    }


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
