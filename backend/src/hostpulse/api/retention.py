"""GET /api/retention: how long samples are kept, and what they take."""

from __future__ import annotations

from threading import Lock

import msgspec
from flask import Blueprint, Response

from hostpulse.access.principal import Need, Principal
from hostpulse.api.asking import principal, reply
from hostpulse.api.openapi import operation
from hostpulse.config import Config
from hostpulse.parts import Parts
from hostpulse.storage import TierUsage, Usage
from hostpulse.storage.memory import CAPACITY

_LOOK_MS = 60_000


class TierRow(msgspec.Struct, omit_defaults=True):
    """Points of one length: `raw` are the samples as they came.

    `keep_ms` is null where the storage forgets by count, not by age. What all organisations take
    together is an operator's to see: `size_bytes` now, `full_bytes` once the tier is full.
    """

    name: str
    keep_ms: int | None
    size_bytes: int | None = None
    full_bytes: int | None = None


class RetentionState(msgspec.Struct):
    """What is kept; `servers` and `size_bytes` are those of the organisation.

    `most_samples` of a server are kept by memory, 0 is no such limit; `budget_bytes` 0 is none.
    """

    storage: str
    tiers: list[TierRow]
    servers: int
    size_bytes: int
    most_samples: int
    budget_bytes: int
    problem: str


def retention_blueprint(parts: Parts) -> Blueprint:
    """Return the route of what is kept."""
    api = Blueprint("retention", __name__, url_prefix="/api")
    look = _Look(parts)

    @api.get("/retention")
    @operation("How long samples are kept, and what they take", RetentionState, needs=Need.MANAGE)
    def show_retention() -> Response:
        usage, now_ms = look.usage()
        return reply(_state(parts.config, usage, principal(), now_ms))

    return api


class _Look:
    """Asks the storage what it takes, which may be slow, once a minute at most."""

    def __init__(self, parts: Parts) -> None:
        self._storage, self._clock_ms = parts.storage, parts.clock_ms
        self._turn = Lock()
        self._found: tuple[Usage, int] | None = None

    def usage(self) -> tuple[Usage, int]:
        """Return what the storage said, and when."""
        with self._turn:
            now_ms = self._clock_ms()
            if self._found is None or now_ms - self._found[1] >= _LOOK_MS:
                self._found = self._storage.usage(), now_ms
            return self._found


def _state(config: Config, usage: Usage, who: Principal, now_ms: int) -> RetentionState:
    is_operator = who.may(Need.OPERATE)
    own = [size for (tenant, _), size in usage.servers.items() if tenant == who.tenant]
    scheme = config.storage.partition(":")[0]
    return RetentionState(
        scheme,
        [_row(tier, is_operator, now_ms) for tier in usage.tiers],
        len(own),
        sum(own),
        CAPACITY if scheme == "memory" else 0,
        config.disk_budget_mb * 1_000_000,
        usage.problem if is_operator else "",
    )


def _row(tier: TierUsage, is_operator: bool, now_ms: int) -> TierRow:
    if not is_operator:
        return TierRow(tier.name, tier.keep_ms)
    full = tier.full_bytes(now_ms)
    whole = None if full is None else round(full)
    return TierRow(tier.name, tier.keep_ms, tier.size_bytes, whole)
