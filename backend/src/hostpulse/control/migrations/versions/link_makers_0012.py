"""Who made a link: it ends with their right to make it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the column; links of before are good for a day at most."""
    op.add_column("links", sa.Column("made_by", sa.Text, nullable=False, server_default=""))
