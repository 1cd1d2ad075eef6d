"""The people's lane: a Flask application of blueprints and error handlers, nothing more."""

from __future__ import annotations

import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from hostpulse.api.answers import REFUSED, refusal, sentence
from hostpulse.api.asking import guard_people, request_id, to_response, zip_answers
from hostpulse.api.health import health_blueprint
from hostpulse.api.installer import installer_blueprint
from hostpulse.api.keys import keys_blueprint
from hostpulse.api.links import links_blueprint
from hostpulse.api.metric_list import catalogue_blueprint
from hostpulse.api.openapi import openapi_blueprint
from hostpulse.api.pages import pages_blueprint
from hostpulse.api.people import people_blueprint
from hostpulse.api.provider import provider_blueprint
from hostpulse.api.retention import retention_blueprint
from hostpulse.api.second_factor import second_factor_blueprint
from hostpulse.api.servers import servers_blueprint
from hostpulse.api.tenants import tenants_blueprint
from hostpulse.parts import Parts


def create_app(parts: Parts) -> Flask:
    """Return the Flask application that answers everything but reports."""
    app = Flask("hostpulse", static_folder=None)
    app.url_map.merge_slashes = False
    guard_people(app, parts.guard, parts.refusals)
    zip_answers(app)
    for blueprint in (
        servers_blueprint(parts),
        catalogue_blueprint(parts),
        health_blueprint(parts),
        people_blueprint(parts),
        links_blueprint(parts),
        provider_blueprint(parts),
        second_factor_blueprint(parts),
        tenants_blueprint(parts),
        keys_blueprint(parts),
        retention_blueprint(parts),
        installer_blueprint(parts),
        openapi_blueprint(),
        pages_blueprint(parts),
    ):
        app.register_blueprint(blueprint)
    _register_errors(app)
    return app


def _register_errors(app: Flask) -> None:
    log = structlog.get_logger("hostpulse.app")

    def refuse(error: Exception) -> Response:
        return to_response(refusal(error, request_id()))

    for kind in REFUSED:
        app.register_error_handler(kind, refuse)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> Response:
        response = to_response(sentence(error.code or 500, _in_words(error), request_id()))
        if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @app.errorhandler(Exception)
    def apologise(error: Exception) -> Response:
        log.error("a request failed", request_id=request_id(), exc_info=error)
        text = "Something went wrong here; try again, and report the request id if it stays."
        return to_response(sentence(500, text, request_id()))


def _in_words(error: HTTPException) -> str:
    if error.code == 404:
        return "There is nothing at this address; see /api/docs."
    if error.code == 405:
        return "This address does not take that method; see /api/docs."
    return error.description or error.name
