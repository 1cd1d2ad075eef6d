"""What the engine keeps about a tenant's samples: one point, and a mark for each late hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from secrets import randbelow
from threading import Lock
from typing import NamedTuple

from hostpulse.storage import StorageError
from hostpulse.storage.influxdb.engine import Engine, NotThere, Series
from hostpulse.storage.influxdb.names import database, decode, encode, in_line
from hostpulse.storage.tiers import HOUR_MS

LATE = "late"
SCHEMA = 1
_MARKS_A_MS = 1000  # so that numbers made at once differ, and a double still holds them
STATE_QUERY = 'SELECT "tenant", "version", "rolled", "raw_from", "dropped" FROM "state"."hostpulse"'
_SHARDS = {"raw": "1d", "1m": "7d", "1h": "28d", "state": "28d"}


@dataclass(frozen=True, slots=True)
class State:
    """A tenant's database.

    Samples before `rolled_ms` (None: none yet) are rolled up; raw ones before `raw_from_ms` are
    gone for good. `dropped_ms` is when retention last ended something (None: never).
    """

    database: str
    tenant: str
    rolled_ms: int | None = None
    raw_from_ms: int = 0
    dropped_ms: int | None = None

    @property
    def hours_ms(self) -> int | None:
        """How far whole hours are rolled up."""
        return None if self.rolled_ms is None else self.rolled_ms // HOUR_MS * HOUR_MS


class Mark(NamedTuple):
    """An hour of a server got a sample late; `number` is when, and tells one time from the next."""

    server: str
    hour_ms: int
    number: int

    @property
    def made_ms(self) -> int:
        """When the mark was made, or made again."""
        return self.number // _MARKS_A_MS


def read_state(found: list[Series], name: str) -> State | None:
    """Return what STATE_QUERY found, None for nothing; raises StorageError if it is too new."""
    if not found:
        return None
    _, tenant, version, rolled, raw_from, dropped = found[0].rows[-1]
    if version != SCHEMA:
        raise StorageError(
            f"storage: the database {name} was written by a newer Hostpulse; update this one."
        )
    return State(
        name,
        decode(str(tenant)),
        None if rolled is None else int(rolled),
        int(raw_from or 0),
        None if dropped is None else int(dropped),
    )


class Tenants:
    """The databases of the tenants, made when the first sample of a tenant comes."""

    def __init__(self, engine: Engine, prefix: str) -> None:
        self._engine = engine
        self._prefix = prefix
        self._known: dict[str, State] = {}
        self._lock = Lock()

    def database(self, tenant: str) -> str:
        """Return the name of the tenant's database, made or not."""
        return database(self._prefix, tenant)

    def state(self, tenant: str) -> State:
        """Return what is known of the tenant's database, which is made if it is not there."""
        name = self.database(tenant)
        known = self._known.get(name)
        return known if known else self._open(name, tenant)

    def refresh(self) -> list[State]:
        """Return the state of every tenant as the engine has it now."""
        (found,) = self._engine.query(["SHOW DATABASES"])
        names = [str(row[0]) for series in found for row in series.rows]
        ours = [name for name in names if name.startswith(f"{self._prefix}_")]
        states = [state for name in ours if (state := self._find(name))]
        with self._lock:
            self._known = {state.database: state for state in states}
        return states

    def databases(self) -> list[str]:
        """Return the databases that are known now."""
        with self._lock:
            return list(self._known)

    def drop(self, tenant: str) -> None:
        """Drop the tenant's database, if there is one."""
        self._engine.query([f'DROP DATABASE "{self.database(tenant)}"'])
        self.lose(tenant)

    def lose(self, tenant: str) -> None:
        """Forget what is known of a database that somebody dropped."""
        with self._lock:
            self._known.pop(self.database(tenant), None)

    def save_rolled(self, state: State, rolled_ms: int) -> State:
        """Keep how far the roll-ups are; return the state that says so."""
        return self._save(replace(state, rolled_ms=rolled_ms), f"rolled={rolled_ms}i")

    def save_raw_from(self, state: State, raw_from_ms: int) -> State:
        """Keep where raw samples begin; return the state that says so."""
        return self._save(replace(state, raw_from_ms=raw_from_ms), f"raw_from={raw_from_ms}i")

    def save_dropped(self, state: State, dropped_ms: int) -> State:
        """Keep when retention ended something; return the state that says so."""
        return self._save(replace(state, dropped_ms=dropped_ms), f"dropped={dropped_ms}i")

    def _save(self, state: State, fields: str) -> State:
        # Only what changed, so that two processes cannot undo each other's word.
        self._engine.write(state.database, "state", f"hostpulse {fields} 0".encode())
        with self._lock:
            self._known[state.database] = state
        return state

    def _open(self, name: str, tenant: str) -> State:
        try:
            state = self._read(name)
        except NotThere:
            self._create(name)
            state = None
        if state is None:
            state = self._save(State(name, tenant), f'tenant="{encode(tenant)}",version={SCHEMA}i')
        with self._lock:
            return self._known.setdefault(name, state)

    def _find(self, name: str) -> State | None:
        try:
            return self._read(name)
        except NotThere:  # somebody else's, or dropped just now
            return None

    def _read(self, name: str) -> State | None:
        (found,) = self._engine.query([STATE_QUERY], name)
        return read_state(found, name)

    def _create(self, name: str) -> None:
        # The engine's own clock must not end what ours keeps, so nothing expires by itself there.
        self._engine.query(
            [
                f'CREATE DATABASE "{name}" WITH {_kept("raw")} NAME "raw"',
                *(
                    f'CREATE RETENTION POLICY "{policy}" ON "{name}" {_kept(policy)}'
                    for policy in ("1m", "1h", "state")
                ),
            ]
        )


def _kept(policy: str) -> str:
    return f"DURATION INF REPLICATION 1 SHARD DURATION {_SHARDS[policy]}"


def marks_query(where: str = "") -> str:
    """Ask for the marks of all servers, or of those that `where` chooses."""
    return f'SELECT "late", "done" FROM "raw"."{LATE}" {where} GROUP BY "server"'  # noqa: S608


def marks_of(found: Iterable[Series]) -> list[Mark]:
    """Return the marks that are still on, in order of time."""
    marks = [
        Mark(decode(series.tags["server"]), int(hour_ms), int(number))
        for series in found
        for hour_ms, number, done in series.rows
        if number is not None and number != done
    ]
    return sorted(marks, key=lambda mark: mark.hour_ms)


def mark_lines(touched: Iterable[tuple[str, int]], now_ms: int) -> bytes:
    """Return lines that mark these hours of servers as changed."""
    number = now_ms * _MARKS_A_MS + randbelow(_MARKS_A_MS)
    return _mark_lines((Mark(server, hour_ms, number) for server, hour_ms in touched), "late")


def done_lines(marks: Iterable[Mark]) -> bytes:
    """Return lines that take the marks off, unless they were renewed."""
    return _mark_lines(marks, "done")


def _mark_lines(marks: Iterable[Mark], field: str) -> bytes:
    lines = [
        f"{LATE}{server_tag(mark.server)} {field}={mark.number}i {mark.hour_ms}" for mark in marks
    ]
    return "\n".join(lines).encode()


def server_tag(server: str) -> str:
    """Return the tag of a server in a line."""
    return f",server={in_line(server)}" if server else ""
