"""The tables of the control store, as its newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

NEWEST = "0012"
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
    Column("key_change", BigInteger, nullable=False, server_default=text("0")),
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
    Column("enrolled", Boolean, nullable=False, server_default=false()),
    Column("given_name", Text, nullable=False, server_default=""),
    Column("given_tags", JSON, nullable=False, server_default="[]"),
    Column("note", Text, nullable=False, server_default=""),
    Index("servers_by_hostname", "tenant", "hostname"),
    Index("servers_by_change", "change"),
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("suspended_ms", BigInteger),
    Column("closed_ms", BigInteger),
)

keys = Table(
    "keys",
    metadata,
    Column("tenant", Text, ForeignKey("tenants.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("label", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_ms", BigInteger),
    Column("server", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("uses_left", Integer),
    Column("machine", Text, nullable=False),
    Column("made_with", Text, nullable=False),
    Column("used_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("refused", Text, nullable=False),
    Column("refused_ms", BigInteger),
    UniqueConstraint("id", name="keys_have_ids_of_their_own"),
    Index("keys_by_server", "tenant", "server"),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failed_ms", BigInteger, nullable=False),
    Column("operator", Boolean, nullable=False, server_default=false()),
    Column("networks", JSON, nullable=False, server_default="[]"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("tenant", Text, ForeignKey("tenants.id"), primary_key=True),
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("role", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("tenant", Text, ForeignKey("tenants.id"), nullable=False),
    Column("user", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("remembered", Boolean, nullable=False),
    Column("visit_until_ms", BigInteger),
    Index("sessions_by_user", "user"),
)

links = Table(
    "links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("tenant", Text, ForeignKey("tenants.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Column("made_by", Text, nullable=False, server_default=""),
)

# `network` '' is everybody.
attempts = Table(
    "attempts",
    metadata,
    Column("network", Text, primary_key=True),
    Column("forgotten_ms", BigInteger, nullable=False),
    Index("attempts_by_time", "forgotten_ms"),
)

# Who an account is at an OpenID provider: by the two things there that are never given to another.
identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.id"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("issuer", "user", name="identities_are_one_for_each_user"),
)

# Browsers that are on their way to the provider and back.
trips = Table(
    "trips",
    metadata,
    Column("state", LargeBinary, primary_key=True),
    Column("browser", LargeBinary, nullable=False),
    Column("destination", Text, nullable=False),
    Column("link", LargeBinary),
    Column("user", Text, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

factors = Table(
    "factors",
    metadata,
    Column("user", Text, ForeignKey("users.id"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("confirmed_ms", BigInteger),
    Column("used_step", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failed_ms", BigInteger, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user", Text, ForeignKey("factors.user"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
)

waiting = Table(
    "waiting",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("user", Text, ForeignKey("users.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("remembered", Boolean, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index("waiting_by_user", "user"),
)

# Each row's hash covers the row before it, so nothing can be changed or taken out unseen.
audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# One row: the number and the hash of the newest row of `audit`, which may be of another tenant.
audit_end = Table(
    "audit_end",
    metadata,
    Column("number", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
