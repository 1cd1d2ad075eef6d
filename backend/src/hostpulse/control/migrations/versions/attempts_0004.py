"""How often a sign-in failed, by network, counted for every process."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "attempts",
        sa.Column("network", sa.Text, primary_key=True),
        sa.Column("forgotten_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("attempts_by_time", "attempts", ["forgotten_ms"])
