"""Operators and their visits; organisations that are suspended or closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; the first owner of the first organisation becomes the operator."""
    op.add_column("tenants", sa.Column("suspended_ms", sa.BigInteger))
    op.add_column("tenants", sa.Column("closed_ms", sa.BigInteger))
    op.add_column("sessions", sa.Column("visit_until_ms", sa.BigInteger))
    op.add_column(
        "users",
        sa.Column("operator", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.execute(_FIRST_OWNER)


_FIRST_OWNER = """
    UPDATE users SET operator = true WHERE id = (
        SELECT users.id FROM users JOIN memberships ON memberships."user" = users.id
        WHERE memberships.tenant = 'default' AND memberships.role = 'owner'
        ORDER BY users.created_ms, users.id LIMIT 1)
"""
