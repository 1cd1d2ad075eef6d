"""Why an enrolment token was refused last, for whoever waits for its server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the columns; nothing was refused yet."""
    op.add_column("keys", sa.Column("refused", sa.Text, nullable=False, server_default=""))
    op.add_column("keys", sa.Column("refused_ms", sa.BigInteger))
