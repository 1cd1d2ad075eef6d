"""The end of the audit log, for transactions that see one tenant's rows of it."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the view."""
    op.execute(
        "CREATE VIEW audit_end AS SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"
    )
