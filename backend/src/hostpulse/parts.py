"""Puts the backend together: the only file that names concrete classes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hostpulse.access.guard import Guard
from hostpulse.access.issuer import Issuer
from hostpulse.access.keyring import REFRESH_SECONDS, Keyring
from hostpulse.access.limiter import Limiter
from hostpulse.access.means import Means
from hostpulse.access.people import People, people_of
from hostpulse.access.provider import provider_of
from hostpulse.access.refusals import Refusals
from hostpulse.config import Config, ConfigError, data_folder, own_names
from hostpulse.control.registrar import PATIENCE_SECONDS, SAVE_SECONDS, Registrar
from hostpulse.control.servers import Servers
from hostpulse.control.store import StoreAway, open_store
from hostpulse.housekeeping import Chore
from hostpulse.ingest import Ingest
from hostpulse.offboarding import Offboarding
from hostpulse.report import Limits
from hostpulse.storage import Options, Retention, Storage, StorageError, open_storage
from hostpulse.storage.tiers import DAY_MS, HOUR_MS
from hostpulse.telemetry import Telemetry
from hostpulse.tls import Certificate

CHECK_SECONDS = 2.0
UPKEEP_SECONDS = 5.0
UPKEEP_LIMIT = 600.0
RENEWAL_SECONDS = 5.0
OFFBOARDING_SECONDS = 5.0


def wall_clock_ms() -> int:
    """Return the time of day in epoch ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API and the door work with."""

    config: Config
    storage: Storage
    servers: Servers
    registrar: Registrar
    ingest: Ingest
    guard: Guard
    people: People
    refusals: Refusals
    issuer: Issuer
    keyring: Keyring
    telemetry: Telemetry
    clock_ms: Callable[[], int]
    storage_check: Chore
    storage_upkeep: Chore
    saving: Chore
    key_refresh: Chore
    refusal_saving: Chore
    offboarding: Chore
    certificate: Certificate | None
    renewal: Chore | None

    def close(self) -> None:
        """Store what waits and let go of everything."""
        self.ingest.close()
        if self.renewal is not None:
            self.renewal.close()
        self.key_refresh.close()
        self.offboarding.close()
        self.saving.close()
        self.refusal_saving.close()
        with suppress(StoreAway):
            self.refusals.save()
        self.registrar.close()
        self.storage_check.close()
        self.storage_upkeep.close()
        self.storage.close()


def build(config: Config, clock_ms: Callable[[], int] = wall_clock_ms) -> Parts:
    """Make the parts that `config` asks for; raises ConfigError, StoreAway."""
    certificate = Certificate(config.tls_cert, config.tls_key) if config.tls_cert else None
    provider = provider_of(config, time.monotonic)
    store = open_store(config.control, data_folder(config))
    try:
        storage = open_storage(config.storage, storage_options(config, clock_ms))
    except StorageError as error:
        store.close()
        raise ConfigError(str(error)) from error
    telemetry = Telemetry(time.monotonic)
    servers = Servers(config.max_servers, config.max_keyless_servers)
    limits = Limits(config.max_custom_metrics)
    registrar = Registrar(store, servers, limits, clock_ms)
    registrar.save()
    ingest = Ingest(storage, servers, telemetry, limits, clock_ms)
    keyring = Keyring(store, clock_ms)
    means = Means(store, clock_ms, secrets.token_bytes)
    people, refusals = people_of(means, provider), Refusals(means)
    issuer = Issuer(store, keyring, servers, clock_ms, secrets.token_bytes)
    limiter = Limiter(
        config.key_requests_per_minute,
        config.person_requests_per_minute,
        config.tenant_requests_per_minute,
        config.stranger_requests_per_minute,
    )
    is_proxied, names = bool(config.behind_proxy), own_names(config)
    guard = Guard(keyring, people.sessions if config.auth else None, limiter, is_proxied, names)
    check = Chore("the check of the storage", CHECK_SECONDS, storage.check)
    upkeep = Chore(
        "the upkeep of the storage", UPKEEP_SECONDS, storage.maintain, patience_seconds=UPKEEP_LIMIT
    )
    saving = Chore(
        "the control store", SAVE_SECONDS, registrar.save, patience_seconds=PATIENCE_SECONDS
    )
    key_refresh = Chore(
        "the refresh of the keys",
        REFRESH_SECONDS,
        keyring.refresh,
        patience_seconds=PATIENCE_SECONDS,
    )
    refusal_saving = Chore(
        "the audit of refusals", SAVE_SECONDS, refusals.save, patience_seconds=PATIENCE_SECONDS
    )
    offboarding = Chore(
        "the removal of organisations",
        OFFBOARDING_SECONDS,
        Offboarding(store, registrar, servers, storage, clock_ms).run,
        patience_seconds=UPKEEP_LIMIT,
    )
    renewal = (
        Chore("the renewal of the certificate", RENEWAL_SECONDS, certificate.renew)
        if certificate
        else None
    )
    return Parts(
        config,
        storage,
        servers,
        registrar,
        ingest,
        guard,
        people,
        refusals,
        issuer,
        keyring,
        telemetry,
        clock_ms,
        check,
        upkeep,
        saving,
        key_refresh,
        refusal_saving,
        offboarding,
        certificate,
        renewal,
    )


def storage_options(config: Config, clock_ms: Callable[[], int]) -> Options:
    """Return what the storage is opened with."""
    raw_ms = config.raw_retention_hours * HOUR_MS or None
    retention = Retention(
        raw_ms, config.minute_retention_days * DAY_MS, config.hour_retention_days * DAY_MS
    )
    return Options(clock_ms, data_folder(config), retention, config.disk_budget_mb * 1_000_000)
