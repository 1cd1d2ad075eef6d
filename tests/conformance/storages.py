"""The storages under the law: how each is opened, and opened again, in a place of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hostpulse.report import Sample
from hostpulse.storage import (
    Appended,
    Batch,
    Options,
    Retention,
    Storage,
    StorageError,
    open_storage,
)

from tests.backend_under_test import Clock

NOW_MS = 3_600_000


@dataclass
class Place:
    """Where a storage keeps its samples; `clock` is what it takes for the time.

    `leave` makes it impossible to keep samples there, until `come_back`.
    """

    url: str
    folder: Path
    leave: Callable[[], object] = lambda: None
    come_back: Callable[[], object] = lambda: None
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
    url = server.url("law")
    return Place(url, folder, server.stop, server.start, counts_duplicates=False)


def _file(_request: pytest.FixtureRequest, folder: Path) -> Place:
    there, away = folder / "metrics", folder / "unmounted"
    return Place("file:", folder, lambda: there.rename(away), lambda: away.rename(there))


def _postgresql(request: pytest.FixtureRequest, folder: Path) -> Place:
    server = request.getfixturevalue("postgres")
    return Place(server.create_database(), folder, server.stop, server.start)


PLACES: dict[str, Callable[[pytest.FixtureRequest, Path], Place]] = {
    "file": _file,
    "memory": _memory,
    "influxdb": _influxdb,
    "postgresql": _postgresql,
}

CAN_BE_AWAY = ("file", "influxdb", "postgresql")


def append(storage: Storage, samples: Sequence[Sample], tenant: str = "a") -> Appended:
    """Append one batch."""
    (done,) = storage.append([Batch(tenant, samples)])
    return done


def is_well(storage: Storage) -> bool:
    """Tell whether the storage says that it can take samples."""
    try:
        storage.check()
    except StorageError:
        return False
    return True
