"""What the agents' lane answers."""

from __future__ import annotations

import msgspec

from hostpulse.ingest import Outcome


class Rejected(msgspec.Struct, frozen=True):
    """One item of an array that was not stored."""

    index: int
    error: str


class Received(msgspec.Struct, frozen=True):
    """The answer to reports: whose they are, and what became of each."""

    status: str
    hostname: str
    accepted: int
    duplicates: int | None
    expired: int
    too_old: int
    rejected: list[Rejected]
    rejected_fields: list[str]
    durability: str
    server_time_ms: int

    @classmethod
    def of(cls, outcome: Outcome, durability: str, now_ms: int) -> Received:
        """Put an outcome into words."""
        return cls(
            "success",
            outcome.hostname,
            outcome.appended.accepted,
            outcome.appended.duplicates,
            outcome.appended.expired,
            outcome.appended.too_old,
            [Rejected(refused.index, refused.error) for refused in outcome.rejected],
            outcome.rejected_fields,
            durability,
            now_ms,
        )
