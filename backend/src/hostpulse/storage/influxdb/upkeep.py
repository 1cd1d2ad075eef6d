"""Roll-ups and retention: what is due again and again, in steps that can be repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from threading import Lock
from typing import NamedTuple

from hostpulse.storage.influxdb.engine import UPKEEP_SECONDS, Engine, Series
from hostpulse.storage.influxdb.lines import FAMILIES, SAMPLES
from hostpulse.storage.influxdb.names import quoted
from hostpulse.storage.influxdb.reading import FOLDS
from hostpulse.storage.influxdb.state import Mark, State, Tenants, done_lines, marks_of, marks_query
from hostpulse.storage.tiers import HOUR_MS, MINUTE_MS, Tier

SETTLE_MS = 90_000
"""Minutes younger than this are not rolled up, so that few samples come too late for it."""
QUIET_MS = 120_000
"""An hour is rolled up again when so long nothing came late for it: a backlog comes in pieces."""

_SERVERS_AT_ONCE = 50


class Shard(NamedTuple):
    """What the engine drops at once: some days of one policy."""

    id: int
    policy: str
    start_ms: int
    end_ms: int


class Upkeep:
    """Rolls up and ends what is too old; `writing` is held while a step writes roll-ups."""

    def __init__(
        self,
        engine: Engine,
        tenants: Tenants,
        tiers: Sequence[Tier],
        writing: Lock,
    ) -> None:
        self._engine = engine
        self._tenants = tenants
        self._tiers = tiers
        _, self._minutes, self._hours = tiers
        self._writing = writing

    def run(self, now_ms: int) -> None:
        """Do what is due."""
        states = self._tenants.refresh()
        states = [self._roll(state, now_ms) for state in states]
        if states:
            shards = self._shards()
            for state in states:
                self._drop_old(state, shards.get(state.database, []), now_ms)

    def _roll(self, state: State, now_ms: int) -> State:
        until_ms = (now_ms - SETTLE_MS) // MINUTE_MS * MINUTE_MS
        # Read first: what comes late from now on stays marked.
        marks = marks_of(*self._engine.query([marks_query()], state.database))
        quiet = [mark for mark in marks if not 0 <= now_ms - mark.made_ms < QUIET_MS]
        rolled_before_ms = state.rolled_ms or 0
        while (step := self._next_step(state, until_ms)) is not None:
            start_ms, end_ms = step
            with self._writing:
                self._fold(state.database, self._minutes, start_ms, end_ms)
                if end_ms % HOUR_MS == 0:
                    self._fold(state.database, self._hours, end_ms - HOUR_MS, end_ms)
                state = self._tenants.save_rolled(state, end_ms)
        self._roll_again(state.database, quiet, rolled_before_ms)
        return state

    def _next_step(self, state: State, until_ms: int) -> tuple[int, int] | None:
        """Return what to roll up next: the rest of the hour, or of the next that has samples."""
        start_ms = state.rolled_ms
        if start_ms is None or start_ms % HOUR_MS == 0:
            first_ms = self._first(state, start_ms or state.raw_from_ms, until_ms)
            if first_ms is None:
                return None
            start_ms = first_ms // HOUR_MS * HOUR_MS
        end_ms = min(start_ms // HOUR_MS * HOUR_MS + HOUR_MS, until_ms)
        return (start_ms, end_ms) if start_ms < end_ms else None

    def _first(self, state: State, start_ms: int, end_ms: int) -> int | None:
        (found,) = self._engine.query(
            [
                f'SELECT first("values") FROM "raw"."{SAMPLES}"'  # noqa: S608
                f" WHERE time >= {start_ms}ms AND time < {end_ms}ms"
            ],
            state.database,
        )
        return int(found[0].rows[0][0]) if found else None

    def _fold(self, database: str, tier: Tier, start_ms: int, end_ms: int, only: str = "") -> None:
        folds = ", ".join(f"{fold}(*)" for fold in FOLDS)
        for name in (*FAMILIES, SAMPLES):  # each has its time, however large the fleet is
            statement = (
                f'SELECT {folds} INTO "{tier.name}"."{name}" FROM "raw"."{name}"'  # noqa: S608
                f" WHERE time >= {start_ms}ms AND time < {end_ms}ms{only}"
                f" GROUP BY time({tier.step_ms}ms), * fill(none)"
            )
            self._engine.query([statement], database, UPKEEP_SECONDS)

    def _roll_again(self, database: str, marks: Sequence[Mark], rolled_ms: int) -> None:
        """Roll up what came late below `rolled_ms`; all after it was rolled up just now."""
        for hour_ms, group in groupby(marks, lambda mark: mark.hour_ms):
            for some in _chunks(list(group)):
                only = " OR ".join(f'"server" = {quoted(mark.server)}' for mark in some)
                only = f" AND ({only})"
                end_ms = min(hour_ms + HOUR_MS, rolled_ms)
                with self._writing:
                    if hour_ms < end_ms:
                        self._fold(database, self._minutes, hour_ms, end_ms, only)
                    if hour_ms + HOUR_MS <= rolled_ms:
                        self._fold(database, self._hours, hour_ms, hour_ms + HOUR_MS, only)
                    self._engine.write(database, "raw", done_lines(some))

    def _drop_old(self, state: State, shards: Sequence[Shard], now_ms: int) -> None:
        """Drop the oldest shard of each tier that is past its time, and no other for an hour.

        The hour outlasts this process: restarts under a clock that leapt ahead drop no more.
        """
        if state.dropped_ms is not None and 0 <= now_ms - state.dropped_ms < HOUR_MS:
            return
        for tier in self._tiers:
            ended = [
                shard
                for shard in shards
                if shard.policy == tier.name
                and shard.end_ms <= now_ms - tier.keep_ms - QUIET_MS  # no mark is left in it
            ]
            if not ended:
                continue
            oldest = min(ended, key=lambda shard: shard.end_ms)
            if tier.step_ms == 0:
                # Said first: nothing may be rolled up anew from a day that has lost its samples.
                state = self._tenants.save_raw_from(state, oldest.end_ms)
            self._engine.query([f"DROP SHARD {oldest.id}"], seconds=UPKEEP_SECONDS)
            state = self._tenants.save_dropped(state, now_ms)

    def _shards(self) -> dict[str, list[Shard]]:
        (found,) = self._engine.query(["SHOW SHARDS"])
        return {series.name: [_shard(series, row) for row in series.rows] for series in found}


def _shard(series: Series, row: Sequence[float | str | None]) -> Shard:
    known = dict(zip(series.columns, row, strict=True))
    start_ms, end_ms = (
        int(datetime.fromisoformat(str(known[name])).timestamp() * 1000)
        for name in ("start_time", "end_time")
    )
    return Shard(int(known["id"] or 0), str(known["retention_policy"]), start_ms, end_ms)


def _chunks(marks: list[Mark]) -> Iterator[list[Mark]]:
    for first in range(0, len(marks), _SERVERS_AT_ONCE):
        yield marks[first : first + _SERVERS_AT_ONCE]
