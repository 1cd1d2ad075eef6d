"""The tables of the control store, as its newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

NEWEST = "0001"
"""The revision of the newest migration; a test compares."""

metadata = MetaData()

# One row. Every change of `servers` first counts `change` up and keeps the row locked until it is
# committed, so changes become visible in the order of their numbers.
counters = Table(
    "counters",
    metadata,
    Column("change", BigInteger, nullable=False),
    Column("forgotten", BigInteger, nullable=False),
    Column("numbers", BigInteger, nullable=False),
)

servers = Table(
    "servers",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("hostname", Text, nullable=False),
    Column("first_seen_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger, nullable=False),
    Column("interval_seconds", Double, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("clock_ahead", Boolean, nullable=False),
    Column("sample_ms", BigInteger),
    Column("report", LargeBinary),
    Column("change", BigInteger, nullable=False),
    Index("servers_by_hostname", "tenant", "hostname"),
    Index("servers_by_change", "change"),
)
