"""What every test may ask for: a program of this machine, and how often to go round."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any, Callable

import pytest
from hypothesis import settings

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


def find_program(*names: str) -> str:
    """Gives the path of the first of these programs that this machine has."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    missing = f"{' or '.join(names)} is not installed: `make test` as root installs it on Debian."
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
