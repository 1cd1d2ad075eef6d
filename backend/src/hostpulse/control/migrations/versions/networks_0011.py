"""From where somebody signed in before, which guesses from elsewhere keep nobody out of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the column; it fills as people sign in."""
    op.add_column("users", sa.Column("networks", sa.JSON, nullable=False, server_default="[]"))
