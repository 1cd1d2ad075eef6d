"""GET /api/health: is the backend well, said by itself."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from hostpulse import __version__
from hostpulse.access.principal import Need
from hostpulse.api.asking import principal, reply
from hostpulse.api.openapi import operation
from hostpulse.parts import Parts
from hostpulse.storage import Lost, Storage, StorageError


class Component(msgspec.Struct, omit_defaults=True):
    """One part the backend cannot do without."""

    status: str
    durability: str = ""
    problem: str = ""
    lost: Lost | None = None


class Health(msgspec.Struct, omit_defaults=True):
    """How the backend is; counts and times are of the last five minutes.

    Whoever is not signed in learns the status alone.
    """

    status: str
    version: str | None = None
    uptime_seconds: float | None = None
    now: int | None = None
    servers: int | None = None
    components: dict[str, Component] | None = None
    requests_5m: int | None = None
    errors_5m: int | None = None
    p95_ms_5m: float | None = None
    samples_5m: int | None = None


def health_blueprint(parts: Parts) -> Blueprint:
    """Return the route of the health page."""
    api = Blueprint("health", __name__, url_prefix="/api")

    @api.get("/health")
    @operation("How the backend is", Health, needs=Need.OPEN)
    def show_health() -> Response:
        components = {"storage": _storage(parts), "control": _control(parts)}
        if parts.renewal is not None:
            problem = parts.renewal.problem
            components["certificate"] = Component("failed" if problem else "ok", problem=problem)
        well = all(component.status == "ok" for component in components.values())
        if not principal().may(Need.READ):
            return reply(Health("ok" if well else "degraded"))
        components["storage"].lost = _lost(parts.storage)
        recent = parts.telemetry.recent()
        health = Health(
            "ok" if well else "degraded",
            __version__,
            round(parts.telemetry.uptime_seconds(), 1),
            parts.clock_ms(),
            parts.servers.count(principal().tenant),
            components,
            recent.requests,
            recent.errors,
            recent.p95_ms,
            recent.samples,
        )
        return reply(health)

    return api


def _control(parts: Parts) -> Component:
    chores = (parts.saving, parts.key_refresh, parts.refusal_saving, parts.offboarding)
    problem = next((chore.problem for chore in chores if chore.problem), "")
    return Component("failed" if problem else "ok", problem=problem)


def _storage(parts: Parts) -> Component:
    problem = parts.storage_check.problem or parts.storage_upkeep.problem
    status = "failed" if problem else "ok"
    return Component(status, parts.storage.durability, problem)


def _lost(storage: Storage) -> Lost | None:
    """Return what the storage has lost, None where it cannot tell now."""
    try:
        return storage.lost()
    except StorageError:
        return None
