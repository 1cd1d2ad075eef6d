"""`postgresql:`: rows of arrays in partitions of a PostgreSQL, rolled up and read by plain SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hostpulse.report import Key, Sample
from hostpulse.storage import Appended, Batch, Lost, Options, StorageError, Usage
from hostpulse.storage.postgres import schema
from hostpulse.storage.postgres.appending import Appender
from hostpulse.storage.postgres.connections import Connections
from hostpulse.storage.postgres.directory import Layouts
from hostpulse.storage.postgres.forgetting import forget
from hostpulse.storage.postgres.listing import read_keys, read_samples
from hostpulse.storage.postgres.reading import Question, read_history
from hostpulse.storage.postgres.upkeep import Upkeep
from hostpulse.storage.postgres.usage import read_usage
from hostpulse.storage.series import History, Wanted, Window
from hostpulse.storage.tiers import DAY_MS, HOUR_MS, choose

RAW_KEEP_MS = 2 * DAY_MS
MOST_READERS = 6
_MOST_WRITERS = 3  # who appends, the upkeep and the check: readers must not keep them waiting
_CHECK_SECONDS = 0.5
_STANDBY = (
    "PostgreSQL is a standby and takes no samples: name the primary, or all of its hosts with "
    "target_session_attrs=read-write."
)


class PostgresStorage:
    """Keeps samples in a PostgreSQL; raises StorageError at once if it cannot be used."""

    durability = "commit"
    is_immediate = False

    def __init__(self, url: str, options: Options, most_readers: int = MOST_READERS) -> None:
        self._clock_ms = options.clock_ms
        self._tiers = options.retention.tiers(RAW_KEEP_MS)
        self._layouts = Layouts()
        self._writers = Connections(url, _MOST_WRITERS, options.read_only)
        self._readers = Connections(url, most_readers, options.read_only)
        self._readers.when_new(self._layouts.forget)
        with self._writers.first() as cursor:
            if options.read_only:
                schema.check_version(cursor)
            else:
                schema.make(cursor, self._clock_ms() // HOUR_MS * HOUR_MS)
        self._appender = Appender(self._writers, self._clock_ms, self._tiers[0].keep_ms)
        self._upkeep = Upkeep(self._writers, self._clock_ms, self._tiers)
        self._writers.open()
        self._readers.open()

    def append(self, batches: Sequence[Batch]) -> list[Appended]:
        return self._appender.append(batches)

    def history(self, tenant: str, server: str, wanted: Wanted, window: Window) -> History:
        choice = choose(window, self._tiers, self._clock_ms())
        question = Question((tenant, server), wanted, window, choice)
        with self._readers.cursor() as cursor:
            return read_history(cursor, self._layouts, question)

    def series(self, tenant: str, server: str) -> list[Key]:
        with self._readers.cursor() as cursor:
            return read_keys(cursor, self._layouts, (tenant, server))

    def samples(self, tenant: str, server: str, start_ms: int, end_ms: int) -> Iterator[Sample]:
        return read_samples(self._readers, self._layouts, (tenant, server), start_ms, end_ms)

    def forget(self, tenant: str, server: str) -> None:
        forget(self._readers, (tenant, server))

    def forget_tenant(self, tenant: str) -> None:
        """Nothing is kept of a tenant but the rows of its servers."""

    def maintain(self) -> None:
        self._upkeep.run()

    def usage(self) -> Usage:
        return read_usage(self._readers, self._tiers)

    def lost(self) -> Lost:
        return Lost()

    def check(self) -> None:
        with self._writers.cursor(_CHECK_SECONDS) as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            if cursor.fetchone() == (True,):
                raise StorageError(_STANDBY)

    def close(self) -> None:
        self._readers.close()
        self._writers.close()
