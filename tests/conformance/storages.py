"""The storages under the law: how each is opened, and opened again, in a place of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hostpulse.report import Sample
from hostpulse.storage import Appended, Batch, Options, Retention, Storage, open_storage

from tests.backend_under_test import Clock

NOW_MS = 3_600_000


@dataclass
class Place:
    """Where a storage keeps its samples; `clock` is what it takes for the time."""

    url: str
    folder: Path
    counts_duplicates: bool = True
    retention: Retention = field(default_factory=Retention)
    clock: Clock = field(default_factory=lambda: Clock(NOW_MS))

    def open(self) -> Storage:
        """Open the storage, again if it was closed."""
        return open_storage(self.url, Options(self.clock, self.folder, self.retention))


def _memory(_request: pytest.FixtureRequest, folder: Path) -> Place:
    return Place("memory://", folder)


def _influxdb(request: pytest.FixtureRequest, folder: Path) -> Place:
    server = request.getfixturevalue("influxdb")
    return Place(server.url("law"), folder, counts_duplicates=False)


def _file(_request: pytest.FixtureRequest, folder: Path) -> Place:
    return Place("file:", folder)


def _postgresql(request: pytest.FixtureRequest, folder: Path) -> Place:
    return Place(request.getfixturevalue("postgres").create_database(), folder)


PLACES: dict[str, Callable[[pytest.FixtureRequest, Path], Place]] = {
    "file": _file,
    "memory": _memory,
    "influxdb": _influxdb,
    "postgresql": _postgresql,
}


def append(storage: Storage, samples: Sequence[Sample], tenant: str = "a") -> Appended:
    """Append one batch."""
    (done,) = storage.append([Batch(tenant, samples)])
    return done
