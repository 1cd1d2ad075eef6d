"""The storage in an InfluxDB: a database for each tenant, made and rolled up by us."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from threading import Lock

from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Appended, Batch, Lost, Options, Usage
from hostpulse.storage.influxdb import reading
from hostpulse.storage.influxdb.address import read_address
from hostpulse.storage.influxdb.engine import CHECK_SECONDS, Engine, NotThere, Series
from hostpulse.storage.influxdb.lines import FAMILIES, SAMPLES, pieces
from hostpulse.storage.influxdb.names import quoted
from hostpulse.storage.influxdb.reading import RAW, Span
from hostpulse.storage.influxdb.refusals import Refusals
from hostpulse.storage.influxdb.state import (
    LATE,
    STATE_QUERY,
    Tenants,
    mark_lines,
    marks_of,
    marks_query,
    read_state,
)
from hostpulse.storage.influxdb.stretches import stretches_of
from hostpulse.storage.influxdb.upkeep import SETTLE_MS, Upkeep
from hostpulse.storage.influxdb.usage import usage_of
from hostpulse.storage.series import History, Wanted, Window, build, build_from_parts
from hostpulse.storage.tiers import HOUR_MS, MINUTE_MS, Choice, choose

RAW_DEFAULT_MS = 48 * HOUR_MS
MOST_BYTES_AT_ONCE = 4 << 20
LATE_MS = SETTLE_MS - 60_000
"""Samples older than this leave a mark; what is between the two is for clocks that differ."""
_READ_AT_ONCE = 500


class InfluxDBStorage:
    """Keeps samples in the engine that the URL names; the last value for a time stays."""

    durability = "engine"
    is_immediate = False

    def __init__(self, url: str, options: Options) -> None:
        address = read_address(url)
        self._clock_ms = options.clock_ms
        self._tiers = options.retention.tiers(RAW_DEFAULT_MS)
        self._engine = Engine(address)
        self._tenants = Tenants(self._engine, address.prefix)
        self._writing_roll_ups = Lock()
        self._upkeep = Upkeep(self._engine, self._tenants, self._tiers, self._writing_roll_ups)
        self._tidied_minute = -1
        self._read_only = options.read_only
        self._refusals = Refusals(self._engine)

    def append(self, batches: Sequence[Batch]) -> list[Appended]:
        done: list[Appended] = []
        fresh: dict[str, list[Sample]] = {}
        now_ms = self._clock_ms()
        for tenant, samples in batches:
            if not samples:
                done.append(Appended(duplicates=None))
                continue
            raw_from_ms = self._tenants.state(tenant).raw_from_ms
            oldest_ms = max(now_ms - self._tiers[0].keep_ms, raw_from_ms)
            kept = [sample for sample in samples if sample.time_ms >= oldest_ms]
            fresh.setdefault(tenant, []).extend(kept)
            done.append(Appended(len(kept), None, too_old=len(samples) - len(kept)))
        for tenant, samples in fresh.items():
            try:
                self._write(tenant, samples)
            except NotThere:  # somebody dropped it
                self._tenants.lose(tenant)
                self._write(tenant, samples)
        return done

    def _write(self, tenant: str, samples: Sequence[Sample]) -> None:
        database = self._tenants.state(tenant).database
        for piece in pieces(samples, MOST_BYTES_AT_ONCE):
            self._refusals.note(database, self._engine.write(database, RAW, piece))
        # Looked at only now: what is rolled up from now on has these samples in it.
        rolled_ms = self._tenants.state(tenant).rolled_ms or 0
        now_ms = self._clock_ms()
        late_before_ms = max(now_ms - LATE_MS, rolled_ms)
        touched = {
            (sample.server, sample.time_ms // HOUR_MS * HOUR_MS)
            for sample in samples
            if sample.time_ms < late_before_ms
        }
        if touched:
            self._engine.write(database, RAW, mark_lines(touched, now_ms))

    def history(self, tenant: str, server: str, wanted: Wanted, window: Window) -> History:
        choice = choose(window, self._tiers, self._clock_ms())
        span = Span(server, window.start_ms, window.end_ms, wanted.instance)
        try:
            return self._history(tenant, span, wanted, window, choice)
        except NotThere:
            return build([], {}, window if choice.raw_may_do else choice.window)

    def _history(
        self, tenant: str, span: Span, wanted: Wanted, window: Window, choice: Choice
    ) -> History:
        database = self._tenants.database(tenant)
        if choice.raw_may_do:
            whole = replace(span, instance=None)
            (found,) = self._engine.query([reading.times_query(whole, window.points + 1)], database)
            times = reading.times_of(found)
            if len(times) <= window.points:
                queries = reading.values_queries(span, wanted) if times else []
                columns = reading.columns_of(self._found(queries, database), times)
                return build(times, columns, window)
        queries = self._part_queries(database, span, wanted, choice)
        parts = reading.parts_of(self._found(queries, database), wanted)
        return build_from_parts(parts, choice.window)

    def _part_queries(self, database: str, span: Span, wanted: Wanted, choice: Choice) -> list[str]:
        """Ask for each stretch of time in roll-ups where they are good, else have it folded now."""
        stretches = [(RAW, span)]
        if choice.tier.step_ms:
            marked = replace(span, start_ms=span.start_ms // HOUR_MS * HOUR_MS, instance=None)
            stated, marks = self._engine.query([STATE_QUERY, marks_query(marked.where)], database)
            state = read_state(stated, database)
            late = [mark.hour_ms for mark in marks_of(marks)]
            if state is not None:
                stretches = list(stretches_of(span, choice.tier, state, late))
        step_ms = choice.window.step_ms
        return [
            query
            for tier, stretch in stretches
            for query in (
                reading.folded_queries(stretch, wanted, step_ms)
                if tier == RAW
                else reading.rolled_queries(stretch, wanted, tier)
            )
        ]

    def _found(self, queries: Sequence[str], database: str) -> Iterator[Series]:
        return chain.from_iterable(self._engine.query(queries, database) if queries else [])

    def series(self, tenant: str, server: str) -> list[Key]:
        database = self._tenants.database(tenant)
        try:
            for tier in (RAW, "1h"):  # of a server that is long away there are roll-ups only
                found = self._found(reading.keys_queries(server, tier), database)
                if keys := reading.keys_of(found):
                    return sorted(keys)
        except NotThere:
            pass
        return []

    def samples(self, tenant: str, server: str, start_ms: int, end_ms: int) -> Iterator[Sample]:
        database = self._tenants.database(tenant)
        while True:
            query = reading.times_query(Span(server, start_ms, end_ms), _READ_AT_ONCE)
            try:
                (found,) = self._engine.query([query], database)
            except NotThere:
                return
            times = reading.times_of(found)
            if not times:
                return
            start_ms = times[-1] + 1
            queries = reading.all_values_queries(Span(server, times[0], start_ms))
            yield from _samples(server, times, self._found(queries, database))

    def forget(self, tenant: str, server: str) -> None:
        measurements = ", ".join(f'"{name}"' for name in (*FAMILIES, SAMPLES, LATE))
        query = f'DROP SERIES FROM {measurements} WHERE "server" = {quoted(server)}'
        with self._writing_roll_ups:
            try:
                self._engine.query([query], self._tenants.database(tenant))
            except NotThere:
                return

    def forget_tenant(self, tenant: str) -> None:
        with self._writing_roll_ups:
            self._tenants.drop(tenant)

    def maintain(self) -> None:
        """Write down what was refused, and do what is due once a minute."""
        self._refusals.save()
        now_ms = self._clock_ms()
        if now_ms // MINUTE_MS != self._tidied_minute:
            self._upkeep.run(now_ms)
            self._refusals.learn(self._tenants.databases())
            self._tidied_minute = now_ms // MINUTE_MS

    def usage(self) -> Usage:
        return usage_of(self._engine, self._tenants.refresh(), self._tiers)

    def lost(self) -> Lost:
        if self._read_only:  # there is no upkeep that looks
            self._tenants.refresh()
            self._refusals.learn(self._tenants.databases())
        return Lost(refused_points=self._refusals.points)

    def check(self) -> None:
        self._engine.query(["SHOW DATABASES"], seconds=CHECK_SECONDS)

    def close(self) -> None:
        self._engine.close()


def _samples(server: str, times: list[int], found: Iterator[Series]) -> Iterator[Sample]:
    columns = reading.columns_of(found, times)
    layout = Layout(tuple(columns))
    rows = zip(*columns.values(), strict=True) if columns else ((),) * len(times)
    for time_ms, row in zip(times, rows, strict=True):
        yield Sample(server, time_ms, layout, array("d", row))
