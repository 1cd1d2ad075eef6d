"""Tenants and their keys; what people say of a server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make both tables, with the one tenant there was so far."""
    tenants = op.create_table(
        "tenants",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(tenants, [{"id": "default", "name": "Default", "created_ms": 0}])
    op.create_table(
        "keys",
        sa.Column("tenant", sa.Text, sa.ForeignKey("tenants.id"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("uses_left", sa.Integer),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("made_with", sa.Text, nullable=False),
        sa.Column("used_ms", sa.BigInteger),
        sa.Column("revoked_ms", sa.BigInteger),
        sa.UniqueConstraint("id", name="keys_have_ids_of_their_own"),
    )
    op.create_index("keys_by_server", "keys", ["tenant", "server"])
    op.add_column(
        "counters",
        sa.Column("key_change", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    )
    for column in (
        sa.Column("enrolled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("given_name", sa.Text, nullable=False, server_default=""),
        sa.Column("given_tags", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
    ):
        op.add_column("servers", column)
