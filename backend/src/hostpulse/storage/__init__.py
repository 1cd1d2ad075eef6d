"""Where samples rest: the Storage protocol and the URLs that choose one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from hostpulse.report import Key, Sample
from hostpulse.storage.series import History, Wanted, Window
from hostpulse.storage.tiers import DAY_MS, Retention

__all__ = [
    "Appended",
    "Batch",
    "DiskFull",
    "History",
    "Lost",
    "Options",
    "Retention",
    "Storage",
    "StorageError",
    "TierUsage",
    "Usage",
    "Wanted",
    "Window",
    "open_storage",
]


class StorageError(Exception):
    """The storage cannot do what was asked; the message says what to do about it."""


class DiskFull(StorageError):
    """There is no room for another sample; it resumes by itself once there is."""


class Batch(NamedTuple):
    """Samples of one tenant that came together."""

    tenant: str
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of the samples of one batch.

    `duplicates` is None where the engine does not tell them from others. `expired` ones are older
    than all that a full memory keeps, `too_old` ones than the retention of raw samples.
    """

    accepted: int = 0
    duplicates: int | None = 0
    expired: int = 0
    too_old: int = 0


@dataclass(frozen=True, slots=True)
class Options:
    """What a storage is opened with: the clock (epoch ms), its folder and how much it keeps.

    `budget_bytes` 0 is no limit. `read_only` opens beside a server that runs: nothing is written,
    locked or repaired.
    """

    clock_ms: Callable[[], int]
    folder: Path
    retention: Retention = field(default_factory=Retention)
    budget_bytes: int = 0
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class TierUsage:
    """What a tier takes, None where the engine does not say, and how long it keeps points.

    `day_bytes` is what it takes for a day of the servers that report now.
    """

    name: str
    size_bytes: int | None
    value_count: int | None
    oldest_ms: int | None
    keep_ms: int | None
    day_bytes: int | None = None

    def full_bytes(self, now_ms: int) -> float | None:
        """Return what it takes when it is full, None where that cannot be told yet."""
        if self.keep_ms is None:
            return self.size_bytes
        if self.day_bytes is not None:
            return self.day_bytes * self.keep_ms / DAY_MS
        if not self.size_bytes or self.oldest_ms is None:
            return None
        return self.size_bytes * max(self.keep_ms / max(now_ms - self.oldest_ms, 1), 1.0)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the storage takes, by tier and by (tenant, server) in bytes.

    `problem` says why it takes more than it should, in words.
    """

    tiers: list[TierUsage]
    servers: dict[tuple[str, str], int]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """What came and cannot be read.

    Damaged bytes lie aside, from any run, until somebody takes them away. Refused points are those
    that the engine will never take.
    """

    damaged_pieces: int = 0
    damaged_bytes: int = 0
    refused_points: int = 0


class Storage(Protocol):
    """Keeps samples. The tenant comes first, always; servers are named by their id.

    All may be called from any thread, `append` and `maintain` from one thread each at a time.
    """

    durability: str
    """What an acknowledged sample is safe from: memory, fsync, commit or engine."""

    is_immediate: bool
    """True if `append` only touches memory, so that the event loop may call it."""

    def append(self, batches: Sequence[Batch]) -> list[Appended]:
        """Keep the samples of all batches, durably; one that is kept already changes nothing.

        Raises StorageError, and then nothing was acknowledged.
        """

    def history(self, tenant: str, server: str, wanted: Wanted, window: Window) -> History:
        """Return a series for each wanted key that has a value in the window."""

    def series(self, tenant: str, server: str) -> list[Key]:
        """Return every key that the server's kept samples have."""

    def samples(self, tenant: str, server: str, start_ms: int, end_ms: int) -> Iterator[Sample]:
        """Yield the raw samples with `start_ms` ≤ time < `end_ms` in order of time."""

    def forget(self, tenant: str, server: str) -> None:
        """Drop all samples of a server."""

    def forget_tenant(self, tenant: str) -> None:
        """Drop what is kept of a tenant whose servers are all forgotten."""

    def maintain(self) -> None:
        """Do what is due: roll up, seal, drop what is older than the retention. Can be repeated."""

    def usage(self) -> Usage:
        """Return what the storage takes."""

    def lost(self) -> Lost:
        """Return what came and cannot be read, at once; raises StorageError."""

    def check(self) -> None:
        """Return if the storage can take samples now; raises StorageError."""

    def close(self) -> None:
        """Let go of files and connections; no call follows."""


def _memory(_url: str, _options: Options) -> Storage:
    from hostpulse.storage.memory import MemoryStorage

    return MemoryStorage()


def _influxdb(url: str, options: Options) -> Storage:
    from hostpulse.storage.influxdb.storage import InfluxDBStorage

    return InfluxDBStorage(url, options)


def _file(url: str, options: Options) -> Storage:
    from hostpulse.storage.file import FileStorage

    named = url.removeprefix("file:")
    if named.startswith("//") and not named.startswith("///"):
        name = named.strip("/") or "FOLDER"
        raise StorageError(
            f"storage: {url} would begin at the root of the disk; write file:{name} for a folder "
            f"in this one, file:/{name} for one at the root, or file: for the usual one."
        )
    return FileStorage(Path(named) if named else options.folder / "metrics", options)


def _postgresql(url: str, options: Options) -> Storage:
    from hostpulse.storage.postgres import PostgresStorage

    return PostgresStorage(url, options)


STORAGES: dict[str, Callable[[str, Options], Storage]] = {
    "file": _file,
    "memory": _memory,
    "postgresql": _postgresql,
    "influxdb": _influxdb,
}


def open_storage(url: str, options: Options) -> Storage:
    """Open the storage that `url` names; raises StorageError for one that does not exist."""
    scheme = url.partition(":")[0]
    if scheme == "postgres":
        raise StorageError("storage: write postgresql: instead of postgres:, the rest may stay.")
    if scheme not in STORAGES:
        known = ", ".join(f"{name}:" for name in STORAGES)
        raise StorageError(f"storage: {scheme!r} is not known; use one of: {known}")
    return STORAGES[scheme](url, options)
