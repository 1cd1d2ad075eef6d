"""The control store: a small transactional database, SQLite in the data folder or PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Text,
    column,
    create_engine,
    event,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hostpulse.config import ConfigError
from hostpulse.control import wall
from hostpulse.control.folder import lock_folder
from hostpulse.control.tables import NEWEST

FILE = "control.sqlite3"
VERSION_TABLE = "control_version"

_MIGRATION_LOCK = 0x686F7374  # any number, as long as all processes take the same
_MIGRATION_SECONDS = 600
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
)
# Else a schema that bears the login's name, as that of the samples may, would come before.
_PLACE = "-c search_path=public"
_SESSION = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s"
_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "hostpulse",
}


class StoreAway(Exception):
    """The control store does not do its work now; the message says why."""


class ControlStore:
    """Gives transactions; `release` lets go of what keeps other processes away, if they are."""

    def __init__(self, engine: Engine, release: Callable[[], object] | None = None) -> None:
        self._engine = engine
        self._release = release
        self.is_shared = release is None

    @contextmanager
    def transaction(self, tenant: str) -> Iterator[Connection]:
        """Run the block in one transaction, kept if it ends well; raises StoreAway.

        On PostgreSQL nothing of another tenant is seen or changed in it, whatever is asked.
        """
        if not tenant:
            raise ValueError("a transaction of no tenant; name one, or take system_transaction()")
        with self._begun() as connection:
            if connection.dialect.name == "postgresql":
                wall.enter(connection, tenant)
            yield connection

    @contextmanager
    def system_transaction(self) -> Iterator[Connection]:
        """Do the same for what is of no single tenant; a test lists who does."""
        with self._begun() as connection:
            yield connection

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreAway(f"control: the store does not answer: {_words(error)}.") from error

    def close(self) -> None:
        """Let go of connections, files and the folder; no call follows."""
        self._engine.dispose()
        if self._release:
            self._release()


def open_store(url: str, folder: Path) -> ControlStore:
    """Open the store that the setting `control` names, '' for the file in the data folder.

    Its tables are brought to what this code knows. Raises ConfigError for what stays wrong until
    somebody acts, StoreAway where another attempt may do.
    """
    store = _postgresql(url) if url else _sqlite(folder)
    try:
        with store.system_transaction() as connection:
            login = _login(connection)
            _migrate(connection, login)
            if login:
                wall.check(connection, login)
    except BaseException:
        store.close()
        raise
    return store


def open_to_read(url: str, folder: Path) -> ControlStore:
    """Open the store beside a server that uses it; nothing is locked, nothing changed.

    Raises ConfigError where there is none.
    """
    if url:
        return _postgresql(url)
    file = folder / FILE
    if not file.exists():
        raise ConfigError(
            f"data_dir: no Hostpulse keeps its files in {folder}; name the folder of yours with "
            "--data-dir."
        )
    query = {"uri": "true", "mode": "ro"}
    where = URL.create("sqlite", database=file.absolute().as_uri(), query=query)
    return ControlStore(create_engine(where))


def open_beside(url: str, folder: Path) -> ControlStore:
    """Open the store to change something in it, while a server may use it too.

    Raises ConfigError where there is none, or one of another version.
    """
    if not url and not (folder / FILE).exists():
        raise ConfigError(
            f"data_dir: no Hostpulse keeps its files in {folder}; start it once, or name the "
            "folder of yours with --data-dir."
        )
    store = _postgresql(url) if url else ControlStore(_engine(folder / FILE))
    try:
        with store.system_transaction() as connection:
            login = _login(connection)
            _check_revision(connection)
            if login:
                wall.check(connection, login)
    except StoreAway as error:
        store.close()
        raise ConfigError(str(error)) from error
    except BaseException:
        store.close()
        raise
    return store


def _check_revision(connection: Connection) -> None:
    revision = _revision(connection)
    if revision != NEWEST:
        raise ConfigError(
            f"control: the store is of revision {revision or 'none'}, this program knows {NEWEST}; "
            "start the backend of this version first."
        )


def _sqlite(folder: Path) -> ControlStore:
    lock = lock_folder(folder)
    file = folder / FILE
    file.touch(mode=0o600)
    return ControlStore(_engine(file), lock.release)


def _engine(file: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(file)), pool_size=2, max_overflow=0)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql(given: str) -> ControlStore:
    named = _read(given)
    session = f"{_PLACE} {named.get('options', '')} {_SESSION}"
    login = named.get("user"), named.get("password")
    engine = create_engine(
        URL.create("postgresql+psycopg", *login, named.get("host"), database=named.get("dbname")),
        connect_args={**_CONNECTION, **named, "options": session},
        pool_size=2,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
    )
    return ControlStore(engine)


def _read(given: str) -> dict[str, Any]:
    """Return what a URL of libpq says, which may name several hosts."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        named = dict(conninfo_to_dict(given))
    except ProgrammingError:
        named = {}
    ports = str(named.get("port", "")).split(",")
    has_ports = all(port.isdigit() or not port for port in ports)
    if named and has_ports and given.startswith("postgresql://"):
        return named
    raise ConfigError(  # the text may hold a password, so it is not repeated
        "control: the URL is not known; use postgresql://user@host:port/database, or leave it "
        "empty for a file in the data folder."
    )


def _login(connection: Connection) -> wall.Login | None:
    """Return who works on the tables of PostgreSQL; a file has no logins."""
    return wall.login_of(connection) if connection.dialect.name == "postgresql" else None


def _migrate(connection: Connection, login: wall.Login | None) -> None:
    """Bring the tables to the newest revision, in the transaction of `connection`."""
    if _revision(connection) == NEWEST:
        return
    if login:  # a transaction on SQLite is alone anyway
        connection.execute(text(f"SET LOCAL statement_timeout = '{_MIGRATION_SECONDS}s'"))
        connection.execute(text(f"SET LOCAL lock_timeout = '{_MIGRATION_SECONDS}s'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
    revision = _revision(connection)
    if revision > NEWEST:
        where = connection.engine.url.render_as_string(hide_password=True)
        raise ConfigError(
            f"control: {where} belongs to a newer Hostpulse (its tables are of revision {revision},"
            f" this one knows {NEWEST}); start that version, or use another store."
        )
    if revision == NEWEST:
        return
    if login:
        wall.make_role(connection, login)
    _upgrade(connection)
    if login:
        wall.put_up(connection, login)


def _revision(connection: Connection) -> str:
    """Return the revision of the tables, '' where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    stored = select(column("version_num", Text)).select_from(table(VERSION_TABLE))
    return str(connection.execute(stored).scalar() or "")


def _upgrade(connection: Connection) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it speaks while it is imported
    from alembic import command
    from alembic.config import Config

    migrations = Config(attributes={"connection": connection})
    folder = Path(__file__).parent / "migrations"
    migrations.set_main_option("script_location", str(folder).replace("%", "%%"))
    command.upgrade(migrations, "head")


def _words(error: SQLAlchemyError) -> str:
    """Return what the database said, without the statement and its values."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return said.partition("\n")[0].rstrip(".") or type(error).__name__
