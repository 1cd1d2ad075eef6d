"""What is due every few seconds; one process does it at a time, in short transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Event

from hostpulse.storage.postgres.connections import Connections, Cursor
from hostpulse.storage.postgres.forgetting import sweep
from hostpulse.storage.postgres.partitions import RAW, Partitions
from hostpulse.storage.postgres.retention import drop_old
from hostpulse.storage.postgres.rolling import TO_HOURS, TO_MINUTES, Roller
from hostpulse.storage.postgres.schema import GATE_LOCK, LOCKS, UPKEEP_LOCK
from hostpulse.storage.postgres.wire import Moment
from hostpulse.storage.tiers import HOUR_MS, MINUTE_MS, Tier

_LIMIT_SECONDS = 60.0
_WAIT_FOR_LOCKS_MS = 500
_ON_TIME_MS = MINUTE_MS
_ROUND_MS = 5 * MINUTE_MS  # so many minutes at once cost less than each by itself
_STEP_BACK_MS = 10 * MINUTE_MS

_TURN = "SELECT pg_try_advisory_xact_lock(%s, %s), set_config('lock_timeout', %s, true)"
_LINE = "SELECT open_from FROM hostpulse.progress"
_GATE = "SELECT pg_advisory_xact_lock(%s, %s)"
_MOVE = """
    UPDATE hostpulse.progress SET open_from = %s,
        minute_until = least(minute_until, %s), hour_until = least(hour_until, %s)
"""


class _NotOurTurn(Exception):
    """Another process does the upkeep now."""


class Upkeep:
    """Rolls up, drops what is old and removes what was forgotten; for one thread."""

    def __init__(
        self, connections: Connections, clock_ms: Callable[[], int], tiers: Sequence[Tier]
    ) -> None:
        self._connections = connections
        self._clock_ms = clock_ms
        self._tiers = tiers
        self._roller = Roller()
        self._partitions = Partitions()
        self._is_doubtful = Event()
        connections.when_new(self._is_doubtful.set)

    def run(self) -> None:
        """Do all that is due; raises StorageError."""
        try:
            self._run()
        except _NotOurTurn:
            return
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        self._roller.forget()
        self._partitions.forget()

    def _run(self) -> None:
        now_ms = self._clock_ms()
        with self._turn() as cursor:
            self._partitions.ensure(cursor, RAW, [now_ms, now_ms + HOUR_MS])
        with self._turn() as cursor:
            _move_line(cursor, now_ms)
        for step in (TO_MINUTES, TO_HOURS):
            self._repeat(partial(self._roller.advance, step=step))
        for step in (TO_MINUTES, TO_HOURS):
            self._repeat(partial(self._roller.mend, step=step))
        self._repeat(sweep)
        with self._turn() as cursor:
            drop_old(cursor, self._tiers, now_ms)

    def _repeat(self, work: Callable[[Cursor], bool]) -> None:
        """Do a piece of work after the other, each in a transaction, until none is left."""
        more = True
        while more:
            with self._turn() as cursor:
                more = work(cursor)

    @contextmanager
    def _turn(self) -> Iterator[Cursor]:
        with self._connections.transaction(_LIMIT_SECONDS) as cursor:
            cursor.execute(_TURN, [LOCKS, UPKEEP_LOCK, str(_WAIT_FOR_LOCKS_MS)])
            (ours, _) = cursor.fetchone() or (False, "")
            if not ours:
                raise _NotOurTurn
            if self._is_doubtful.is_set():
                self._is_doubtful.clear()
                self._forget()
            yield cursor


def _move_line(cursor: Cursor, now_ms: int) -> None:
    """Move the line before which samples are late; back, too, if the clock was set back."""
    cursor.execute(_LINE)
    (line_ms,) = cursor.fetchone() or (0,)
    new_ms = (now_ms - _ON_TIME_MS) // _ROUND_MS * _ROUND_MS
    if line_ms < new_ms or new_ms < line_ms - _STEP_BACK_MS:
        cursor.execute(_GATE, [LOCKS, GATE_LOCK])
        line, hour = Moment(new_ms), Moment(new_ms // HOUR_MS * HOUR_MS)
        cursor.execute(_MOVE, [line, line, hour])
