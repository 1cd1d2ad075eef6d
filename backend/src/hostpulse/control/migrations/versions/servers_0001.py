"""Servers, and the counters that order their changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make both tables; the one row of counters begins at zero."""
    counters = op.create_table(
        "counters",
        sa.Column("change", sa.BigInteger, nullable=False),
        sa.Column("forgotten", sa.BigInteger, nullable=False),
        sa.Column("numbers", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counters, [{"change": 0, "forgotten": 0, "numbers": 0}])
    op.create_table(
        "servers",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("hostname", sa.Text, nullable=False),
        sa.Column("first_seen_ms", sa.BigInteger, nullable=False),
        sa.Column("last_seen_ms", sa.BigInteger, nullable=False),
        sa.Column("interval_seconds", sa.Double, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("clock_ahead", sa.Boolean, nullable=False),
        sa.Column("sample_ms", sa.BigInteger),
        sa.Column("report", sa.LargeBinary),
        sa.Column("change", sa.BigInteger, nullable=False),
    )
    op.create_index("servers_by_hostname", "servers", ["tenant", "hostname"])
    op.create_index("servers_by_change", "servers", ["change"])
