"""Backends with sign-in, on either control store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.backend.control_places import PLACES, Place, place_of
from tests.backend_under_test import Backend, Clock


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty control store."""
    return place_of(request, request.param, tmp_path / "data")


@pytest.fixture
def backend(place: Place) -> Iterator[Backend]:
    """A backend with sign-in that nobody owns yet."""
    with place.backend(auth=True) as running:
        yield running


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Backend]]:
    """Two backends on one PostgreSQL."""
    shared = place_of(request, "postgresql", tmp_path)
    with ExitStack() as stack:
        clock = Clock()
        yield [
            stack.enter_context(Place(tmp_path / name, shared.url).backend(clock, auth=True))
            for name in ("one", "other")
        ]
