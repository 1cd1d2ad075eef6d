"""Opens each storage for each law."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hostpulse.storage import Storage

from tests.conformance.storages import PLACES, Place


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return PLACES[request.param](request, tmp_path)


@pytest.fixture(params=[name for name in PLACES if name != "memory"])
def lasting_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place whose samples are there when it is opened again."""
    return PLACES[request.param](request, tmp_path)


@pytest.fixture
def storage(place: Place) -> Iterator[Storage]:
    opened = place.open()
    yield opened
    opened.close()
