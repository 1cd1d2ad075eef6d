"""The routes of the door and of the application, and what each says that it needs."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Flask
from hostpulse import door
from hostpulse.access.principal import Need


class Route(NamedTuple):
    method: str
    rule: str
    parameter: str
    needs: Need | None
    takes: Any

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


def routes(app: Flask) -> list[Route]:
    found = [Route(method, path, "", Need.INGEST, None) for path, method in door.ROUTES]
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        takes = getattr(getattr(view, "operation", None), "takes", None)
        parameter = next(iter(rule.arguments), "")
        for method in sorted(rule.methods or ()):
            needs = getattr(view, "needs", None)
            found.append(Route(method, rule.rule, parameter, needs, takes))
    return found
