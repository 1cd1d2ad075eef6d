"""The places a control store can be at, each with a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hostpulse.control.store import FILE, ControlStore, open_store
from sqlalchemy import create_engine, text

from tests.backend_under_test import Backend, Clock
from tests.postgres_server import GivenPostgres
from tests.programs import environment


@dataclass(frozen=True)
class Place:
    """`url` is the setting `control`: '' for the file in `folder`."""

    folder: Path
    url: str

    @contextmanager
    def opened(self) -> Iterator[ControlStore]:
        """Open the store as a backend does."""
        store = open_store(self.url, self.folder)
        try:
            yield store
        finally:
            store.close()

    def backend(self, clock: Clock | None = None, **settings: Any) -> Backend:
        """Start a backend with this store."""
        return Backend(clock, data_dir=str(self.folder), control=self.url, **settings)

    def environment(self) -> dict[str, str]:
        """Return the variables that give a process this store."""
        return environment(HOSTPULSE_DATA_DIR=str(self.folder), HOSTPULSE_CONTROL=self.url)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement beside the store; return its rows."""
        driver = self.url.replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(driver or f"sqlite:///{self.folder / FILE}")
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            rows = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return rows


PLACES = ("sqlite", "postgresql")


def place_of(request: pytest.FixtureRequest, kind: str, folder: Path) -> Place:
    """Make an empty place of one kind; a database is as the documentation has it made."""
    if kind != "postgresql":
        return Place(folder, "")
    postgres: GivenPostgres = request.getfixturevalue("postgres")
    login = postgres.create_login()
    postgres.create_tenant_role(login)
    return Place(folder, postgres.create_database(login))
