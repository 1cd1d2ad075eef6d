"""Who an account is at an OpenID provider, and the browsers on their way there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("user", sa.Text, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("issuer", "user", name="identities_are_one_for_each_user"),
    )
    op.create_table(
        "trips",
        sa.Column("state", sa.LargeBinary, primary_key=True),
        sa.Column("browser", sa.LargeBinary, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("link", sa.LargeBinary),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
    )
