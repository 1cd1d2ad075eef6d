"""Connections to one database: pooled, each wait bounded, each failure said in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias
from weakref import WeakSet

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from hostpulse.storage import DiskFull, StorageError
from hostpulse.storage.postgres.deadlines import Deadlines
from hostpulse.storage.postgres.wire import ADAPTERS

Connection: TypeAlias = psycopg.Connection[Any]
Cursor: TypeAlias = psycopg.Cursor[Any]

USUAL_SECONDS = 4.0
_WAIT_SECONDS = 1.0
_GRACE_SECONDS = 0.5  # in which the server may end a statement itself
_RECONNECT_SECONDS = 2.0
_DEFAULTS = {
    "application_name": "hostpulse",
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
# Every statement has an index; a new partition has no statistics that would tell the planner so.
# Transactions have to see what others committed since they began, and may not keep their locks
# when the connection to them is cut off.
_PLAN = """
    SELECT set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
        set_config('default_transaction_isolation', 'read committed', false),
        set_config('TimeZone', 'UTC', false),
        set_config('idle_in_transaction_session_timeout', '10s', false)
"""
_LIMIT = "SELECT set_config('statement_timeout', %s, false)"
_READ_ONLY = "SELECT set_config('default_transaction_read_only', 'on', false)"
_DURABLE = """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'
"""


class Connections:
    """Up to `most` connections to the database at `url`; raises StorageError if that is no URL."""

    def __init__(self, url: str, most: int, read_only: bool = False) -> None:
        given = _read(url)
        self._place = _place(given)
        self._secret = str(given.get("password") or "")
        self._conninfo = make_conninfo(**{**_DEFAULTS, **given})
        self._read_only = read_only
        self._trusted: WeakSet[Connection] = WeakSet()
        self._deadlines = Deadlines(self._trusted.clear)
        self._when_new: list[Callable[[], object]] = []
        self._pool = ConnectionPool(
            self._conninfo,
            kwargs={"autocommit": True, "context": ADAPTERS},
            configure=self._configure,
            min_size=1,
            max_size=most,
            timeout=_WAIT_SECONDS,
            reconnect_timeout=_RECONNECT_SECONDS,
            num_workers=1,
            open=False,
        )

    def when_new(self, call: Callable[[], object]) -> None:
        """Call this after each new connection: a standby may be at its end, and have less."""
        self._when_new.append(call)

    def open(self) -> None:
        """Begin to lend cursors, once `first` has shown that it can be done."""
        self._deadlines.start()
        self._pool.open()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()
        self._deadlines.close()

    @contextmanager
    def first(self) -> Iterator[Cursor]:
        """Lend the cursor of a connection that is made for this alone; raises StorageError."""
        connect = psycopg.connect
        with (
            self._in_words("storage: "),
            connect(self._conninfo, autocommit=True, context=ADAPTERS) as connection,
        ):
            self._configure(connection)
            yield connection.cursor(binary=True)

    @contextmanager
    def cursor(self, seconds: float = USUAL_SECONDS) -> Iterator[Cursor]:
        """Lend a cursor for so many seconds; what it left uncommitted is undone.

        Raises StorageError for whatever PostgreSQL refuses or does not do in time.
        """
        with (
            self._in_words(),
            self._lent() as connection,
            self._deadlines.within(connection, seconds + _GRACE_SECONDS),
            _undo(connection),
        ):
            yield connection.cursor(binary=True)

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        connection = self._pool.getconn()
        while not self._is_usable(connection):
            connection.close()
            self._pool.putconn(connection)  # which makes another one in its place
            connection = self._pool.getconn()
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    def _is_usable(self, connection: Connection) -> bool:
        """Tell whether a restart has left it behind, or the silence of another that is as old."""
        return connection in self._trusted and _is_open(connection)

    @contextmanager
    def transaction(self, seconds: float = USUAL_SECONDS) -> Iterator[Cursor]:
        """Lend a cursor for one transaction."""
        with self.cursor(seconds) as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}"]
            )
            yield cursor
            cursor.execute("COMMIT")

    def _configure(self, connection: Connection) -> None:
        connection.execute(_PLAN)
        connection.execute(_LIMIT, [f"{USUAL_SECONDS * 1000:.0f}"])
        connection.execute(_READ_ONLY if self._read_only else _DURABLE)
        self._trusted.add(connection)
        for call in self._when_new:
            call()

    @contextmanager
    def _in_words(self, setting: str = "") -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._words(error, setting) from None  # the chain could show the URL

    def _words(self, error: psycopg.Error, setting: str) -> StorageError:
        where = f"{setting}PostgreSQL at {self._place}"
        said = error.diag.message_primary or str(error).partition("\n")[0]
        if self._secret:
            said = said.replace(self._secret, "***")
        match error:
            case errors.DiskFull():
                return DiskFull(f"{where} has no room left: free some on its disk.")
            case errors.QueryCanceled() | errors.LockNotAvailable():
                return StorageError(f"{where} took too long; look for what locks or slows it.")
            case errors.InsufficientPrivilege():
                return StorageError(f"{where} refused ({said}); give the role that right.")
            case errors.ReadOnlySqlTransaction():
                return StorageError(
                    f"{where} only lets us read: name the primary, or all of its hosts with "
                    "target_session_attrs=read-write."
                )
            case psycopg.OperationalError() | psycopg.InterfaceError():
                return StorageError(
                    f"{where} does not answer ({said}); see that it runs and that the URL is right."
                )
        return StorageError(f"{where} refused: {said}.")


def _is_open(connection: Connection) -> bool:
    """Tell whether the server has left the connection open, as far as its silence says."""
    try:
        connection.pgconn.consume_input()  # the server's last words, if there are any
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _undo(connection: Connection) -> Iterator[None]:
    try:
        yield
    finally:
        if connection.info.transaction_status in _OPEN:
            with suppress(psycopg.Error):  # told already, or the connection is gone
                connection.execute("ROLLBACK")


_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def _read(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        raise StorageError(  # what the driver says repeats parts of the URL
            "storage: this is no URL of a PostgreSQL; write postgresql://user:password@host:port/"
            "database, with %XX for odd characters in the password."
        ) from None


def _place(given: dict[str, Any]) -> str:
    host, port = given.get("host") or "its socket", given.get("port") or 5432
    return f"{host}:{port}, database {given.get('dbname') or 'by default'}"
