"""Runs the migrations on the connection, and in the transaction, of whoever asks for them."""

from __future__ import annotations

from alembic import context
from hostpulse.control.store import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
