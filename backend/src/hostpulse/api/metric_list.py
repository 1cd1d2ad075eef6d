"""GET /api/catalogue: every metric once, with the thresholds that colour it."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from hostpulse import catalogue
from hostpulse.access.principal import Need
from hostpulse.api.asking import principal, reply
from hostpulse.api.openapi import operation
from hostpulse.parts import Parts


class CatalogueLine(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One metric; what is not said does not apply."""

    name: str
    group: str
    unit: str
    label: str
    decimals: int
    counter: bool
    per: str = ""
    low: float | None = None
    high: float | None = None
    warning: float | None = None
    critical: float | None = None


class CatalogueAnswer(msgspec.Struct):
    """All metrics: those of the product, then the custom ones that servers sent."""

    metrics: list[CatalogueLine]


def catalogue_blueprint(parts: Parts) -> Blueprint:
    """Return the route of the catalogue."""
    api = Blueprint("catalogue", __name__, url_prefix="/api")

    @api.get("/catalogue")
    @operation("Every metric with its unit, range and thresholds", CatalogueAnswer, needs=Need.OPEN)
    def list_metrics() -> Response:
        metrics = [*catalogue.METRICS, *map(catalogue.custom, _custom_names(parts))]
        return reply(CatalogueAnswer([_line(metric) for metric in metrics]))

    return api


def _custom_names(parts: Parts) -> list[str]:
    seen: set[str] = set()
    for server in parts.servers.all(principal().tenant):
        if server.newest is not None:
            metrics = {key.metric for key in server.newest.layout.keys}
            seen.update(name for name in metrics if name.startswith(catalogue.CUSTOM_PREFIX))
    return sorted(seen)


def _line(metric: catalogue.Metric) -> CatalogueLine:
    return CatalogueLine(
        name=metric.name,
        group=metric.group,
        unit=metric.unit,
        label=metric.label,
        decimals=metric.decimals,
        counter=metric.counter,
        per=metric.per,
        low=metric.low if metric.low > -catalogue.MAX_NUMBER else None,
        high=metric.high if metric.high < catalogue.MAX_NUMBER else None,
        warning=metric.warning,
        critical=metric.critical,
    )
