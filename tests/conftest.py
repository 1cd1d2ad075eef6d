"""What every test may ask for: a program of this machine, and how often to go round."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import settings

# Debian keeps the programs of a PostgreSQL server out of PATH; the newest version comes first.
POSTGRES_FOLDERS = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
ROUNDS = int(os.environ.get("HOSTPULSE_TEST_ROUNDS", "20"))

settings.register_profile("hostpulse", max_examples=5 * ROUNDS, deadline=None, print_blob=True)
settings.load_profile("hostpulse")


@pytest.fixture(scope="session")
def rounds() -> int:
    """How often a long loop goes round: HOSTPULSE_TEST_ROUNDS."""
    return ROUNDS


@pytest.fixture
def backend() -> Iterator[Any]:
    """A backend of this test's own: `tests.backend_under_test.Backend` with its defaults."""
    from tests.backend_under_test import Backend  # the agent's tests run without the backend

    with Backend() as running:
        yield running


@pytest.fixture(scope="session")
def needs_program() -> Callable[..., str]:
    """Finds the first program of these names, or skips the test; with CI=true it fails."""
    return find_program


@pytest.fixture(scope="session")
def postgres(needs_program: Callable[..., str]) -> Iterator[Any]:
    """A real PostgreSQL: `PostgresServer` of its module, or the one the environment names."""
    from tests.postgres_server import open_postgres  # the agent's tests run without a driver

    server = open_postgres(needs_program)
    yield server
    server.close()


@pytest.fixture(scope="session")
def influxdb(needs_program: Callable[..., str]) -> Iterator[Any]:
    """A real InfluxDB: `InfluxDBServer` of its module, or the one the environment names."""
    from tests.influxdb_server import open_influxdb  # the agent's tests run without the backend

    server = open_influxdb(needs_program)
    yield server
    server.close()


def find_program(*names: str) -> str:
    """Gives the path of the first of these programs that this machine has."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *POSTGRES_FOLDERS])
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    missing = f"{' or '.join(names)} is not installed: `make test` as root installs it on Debian."
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
