"""/api/tenants: the organisations of this server, for those who run it."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from hostpulse.access.principal import Need
from hostpulse.api.answers import BadRequest
from hostpulse.api.asking import body, principal, reply
from hostpulse.api.links import Link
from hostpulse.api.openapi import operation
from hostpulse.api.servers import Done
from hostpulse.parts import Parts


class Tenant(msgspec.Struct):
    """An organisation, and how much it has; `suspended` is since when (epoch ms), 0 for not."""

    id: str
    name: str
    created: int
    suspended: int
    deleting: bool
    people: int
    servers: int


class TenantList(msgspec.Struct):
    """Every organisation; each may have `most_servers` servers."""

    tenants: list[Tenant]
    most_servers: int


class NewTenant(msgspec.Struct, forbid_unknown_fields=True):
    """A short id that stays, and the name that people see."""

    id: str
    name: str


class TenantChange(msgspec.Struct, forbid_unknown_fields=True):
    """Another name, or whether it is suspended."""

    name: str | None = None
    suspended: bool | None = None


class Visit(msgspec.Struct, forbid_unknown_fields=True):
    """Why an operator looks; the organisation reads it in its audit log."""

    reason: str


def tenants_blueprint(parts: Parts) -> Blueprint:
    """Return the routes of organisations."""
    api = Blueprint("tenants", __name__, url_prefix="/api/tenants")
    views = _Views(parts)
    api.get("")(views.list_tenants)
    api.post("")(views.make_tenant)
    api.patch("/<tenant>")(views.change_tenant)
    api.delete("/<tenant>")(views.delete_tenant)
    api.post("/<tenant>/owner")(views.make_owner_link)
    api.post("/<tenant>/visit")(views.visit)
    return api


class _Views:
    """Each view is one method."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tenants = parts.people.tenants

    @operation("Every organisation of this server", TenantList, needs=Need.OPERATE)
    def list_tenants(self) -> Response:
        rows = [
            Tenant(
                row.id,
                row.name,
                row.created_ms,
                row.suspended_ms or 0,
                row.closed_ms is not None,
                people,
                self._parts.servers.count(row.id),
            )
            for row, people in self._tenants.list()
        ]
        return reply(TenantList(rows, self._parts.config.max_servers))

    @operation(
        "Make an organisation, and a link for its first owner",
        Link,
        needs=Need.OPERATE,
        takes=NewTenant,
    )
    def make_tenant(self) -> Response:
        given = body(NewTenant)
        self._tenants.make(principal(), given.id, given.name)
        return self._owner_link(given.id)

    @operation(
        "Rename an organisation, suspend or resume it", Done, needs=Need.OPERATE, takes=TenantChange
    )
    def change_tenant(self, tenant: str) -> Response:
        given = body(TenantChange)
        if given.name is None and given.suspended is None:
            raise BadRequest(422, "name, suspended: give one of them.")
        if given.name is not None:
            self._tenants.rename(principal(), tenant, given.name)
        if given.suspended is not None:
            self._tenants.suspend(principal(), tenant, given.suspended)
        return reply(Done())

    @operation("Delete an organisation and all that it has", Done, needs=Need.OPERATE)
    def delete_tenant(self, tenant: str) -> Response:
        self._tenants.close(principal(), tenant)
        return reply(Done())

    @operation("Make a new link for the first owner", Link, needs=Need.OPERATE)
    def make_owner_link(self, tenant: str) -> Response:
        self._tenants.check_is_there(tenant)
        return self._owner_link(tenant)

    @operation("Look at an organisation for an hour", Done, needs=Need.OPERATE, takes=Visit)
    def visit(self, tenant: str) -> Response:
        self._parts.people.sessions.visit(principal(), tenant, body(Visit).reason)
        return reply(Done())

    def _owner_link(self, tenant: str) -> Response:
        token = self._parts.people.links.make_setup(tenant, principal())
        return reply(Link.of(self._parts.config, token))
