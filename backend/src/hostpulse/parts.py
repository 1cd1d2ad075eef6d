"""Puts the backend together: the only file that names concrete classes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hostpulse.access.guard import Guard
from hostpulse.config import Config, ConfigError, read_ingest_key
from hostpulse.control.servers import Servers
from hostpulse.ingest import Ingest
from hostpulse.report import Limits
from hostpulse.storage import Options, Storage, StorageError, open_storage
from hostpulse.telemetry import Telemetry


def wall_clock_ms() -> int:
    """Return the time of day in epoch ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API and the door work with."""

    config: Config
    storage: Storage
    servers: Servers
    ingest: Ingest
    guard: Guard
    telemetry: Telemetry
    clock_ms: Callable[[], int]

    def close(self) -> None:
        """Let go of everything."""
        self.ingest.close()
        self.storage.close()


def build(config: Config, clock_ms: Callable[[], int] = wall_clock_ms) -> Parts:
    """Make the parts that `config` asks for; raises ConfigError."""
    try:
        storage = open_storage(config.storage, Options(clock_ms, Path("data")))
    except StorageError as error:
        raise ConfigError(str(error)) from error
    telemetry = Telemetry(time.monotonic)
    servers = Servers(config.max_servers)
    limits = Limits(config.max_custom_metrics)
    ingest = Ingest(storage, servers, telemetry, limits, clock_ms)
    guard = Guard(read_ingest_key(config))
    return Parts(config, storage, servers, ingest, guard, telemetry, clock_ms)
