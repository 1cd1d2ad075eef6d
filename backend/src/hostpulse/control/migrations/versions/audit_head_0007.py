"""The end of the audit log as a row of its own, so that rows cut off at the end are missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Put the table in the place of the view, and note the end as it is now."""
    newest = sa.text("SELECT number, hash FROM audit_end")
    number, hash_ = op.get_bind().execute(newest).one_or_none() or (0, "0" * 64)
    op.execute("DROP VIEW audit_end")
    end = op.create_table(
        "audit_end",
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.bulk_insert(end, [{"number": number, "hash": hash_}])
