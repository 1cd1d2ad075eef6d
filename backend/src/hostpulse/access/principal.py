"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_TENANT = "default"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever made a request; handlers see the tenant through it and no other way."""

    tenant: str = DEFAULT_TENANT
