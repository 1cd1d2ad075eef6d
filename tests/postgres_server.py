"""A real PostgreSQL of the tests' own on a loopback port, with its data in a temporary folder."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest
from psycopg import sql

from tests.programs import free_port

GIVEN_URL = "HOSTPULSE_TEST_POSTGRES_URL"
START_SECONDS = 120  # it has to recover, on a slow disk, all databases of a run
USER = "hostpulse"
_STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class GivenPostgres:
    """A server that runs already, at the URL of one of its databases; only its databases are ours.

    A test that stops, starts or kills the server is skipped on it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: list[str] = []
        self._logins: list[str] = []

    def url(self, database: str = "") -> str:
        """Return the URL of a database; of the given one without a name."""
        if not database:
            return self._url
        before, _, given = self._url.rpartition("/")
        _, mark, options = given.partition("?")
        return f"{before}/{database}{mark}{options}"

    def create_database(self, owner: str = "") -> str:
        """Make an empty database for one test, of a login of `create_login`; return its URL."""
        name = f"hostpulse_{secrets.token_hex(6)}"
        made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        self.execute(made + sql.SQL(" OWNER {}").format(sql.Identifier(owner)) if owner else made)
        self._made.append(name)
        url = urlsplit(self.url(name))
        host = url.netloc.rpartition("@")[2]
        return urlunsplit(url._replace(netloc=f"{owner}:secret@{host}")) if owner else url.geturl()

    def create_login(self, rights: str = "") -> str:
        """Make a login without the rights of the server's; return its name."""
        name = f"login_{secrets.token_hex(6)}"
        self._logins.append(name)
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret' " + rights)  # type: ignore[arg-type]
        self.execute(made.format(sql.Identifier(name)))
        return name

    def create_tenant_role(self, login: str) -> None:
        """Make the role that the control store of a login wants."""
        names = sql.Identifier(f"{login}_tenant"), sql.Identifier(login)
        self.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(names[0]))
        self.execute(sql.SQL("GRANT {} TO {}").format(*names))

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        """Run one statement outside of any transaction."""
        with psycopg.connect(self._url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return _only_on_ours()

    def stop(self, mode: str = "fast") -> None:
        """End the server: `smart` waits for clients, `fast` does not, `immediate` is a crash."""
        _only_on_ours()

    def start(self) -> None:
        """Start the server again, on the same port and data."""
        _only_on_ours()

    def kill(self) -> None:
        """End all of its processes at once by SIGKILL."""
        _only_on_ours()

    def close(self) -> None:
        """Drop the databases and logins that were made."""
        for name in self._made:
            self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        for login in self._logins:
            for name in (f"{login}_tenant", login):
                self.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def _only_on_ours() -> Any:
    pytest.skip(f"this needs a server that the test may stop: run it without {GIVEN_URL}")


class PostgresServer(GivenPostgres):
    """A new server with fsync on, as the user of the tests, or as another one if that is root."""

    def __init__(self, find_program: Callable[..., str]) -> None:
        self._find_program = find_program
        self._postgres = find_program("postgres")
        self._folder = Path(tempfile.mkdtemp(prefix="hostpulse-postgres-"))
        self._user = _unprivileged_user()
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if self._user:
                shutil.chown(self._folder, self._user)
            self.password = self._make_cluster()
            super().__init__(f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/postgres")
            self.start()
        except BaseException:
            self.close()
            raise

    def _make_cluster(self) -> str:
        """Fill the folder; return the password."""
        password = secrets.token_hex(16)
        secret = self._folder / "password"
        secret.write_text(password)
        if self._user:
            shutil.chown(secret, self._user)
        self._run_to_its_end(
            "initdb", "--pgdata", self._data, "--username", USER, "--pwfile", str(secret),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale",
            "--no-sync",  # the server itself syncs
        )  # fmt: skip
        return password

    def _run_to_its_end(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._find_program(program), *arguments],
            capture_output=True, text=True, check=False, cwd=self._folder, **self._as_user(),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _as_user(self) -> dict[str, Any]:
        if not self._user:
            return {}
        return {"user": self._user, "group": _group_of(self._user), "extra_groups": []}

    @property
    def pid(self) -> int:
        """The process id of the server's first process."""
        assert self._process is not None, "the server is stopped"
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server wrote so far."""
        return (self._folder / "log").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start the server on its port and data; return when it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, self.log
            # After a crash it refuses to start until the last old process has let go.
            if self._process is None or self._process.poll() is not None:
                self._process = self._run()
            time.sleep(0.02)

    def _run(self) -> subprocess.Popen[bytes]:
        line = [
            self._postgres, "-D", self._data, "-p", str(self.port),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=on",
        ]  # fmt: skip
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder,
                start_new_session=True, **self._as_user(),
            )  # fmt: skip

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            return False
        try:
            psycopg.connect(self._url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, mode: str = "fast") -> None:
        """End the server: `smart` waits for clients, `fast` does not, `immediate` is a crash."""
        assert self._process is not None, "the server is stopped"
        self._process.send_signal(_STOP_SIGNALS[mode])
        self._process.wait(START_SECONDS)
        self._process = None

    def kill(self) -> None:
        """End all of its processes at once by SIGKILL."""
        first = psutil.Process(self.pid)
        for process in (first, *first.children(recursive=True)):
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        assert self._process is not None
        self._process.wait(START_SECONDS)
        self._process = None

    def close(self) -> None:
        """End the server and remove its data."""
        if self._process is not None:
            self.stop("immediate")
        shutil.rmtree(self._folder)


class Standby(PostgresServer):
    """A server that follows another one until it is promoted."""

    def __init__(self, find_program: Callable[..., str], primary: PostgresServer) -> None:
        self._primary = primary
        super().__init__(find_program)

    def _make_cluster(self) -> str:
        source = self._primary.url()
        self._run_to_its_end(
            "pg_basebackup", "--pgdata", self._data, "--dbname", source, "--write-recovery-conf",
            "--checkpoint", "fast", "--no-sync",
        )  # fmt: skip
        return self._primary.password

    def stop_following(self) -> None:
        """Take no more of what the primary does; returns when that is so."""
        self.execute(sql.SQL("ALTER SYSTEM SET primary_conninfo = ''"))
        self.execute(sql.SQL("SELECT pg_reload_conf()"))
        deadline = time.monotonic() + START_SECONDS
        while self._follows():
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def _follows(self) -> bool:
        with psycopg.connect(self.url()) as connection:
            return connection.execute("SELECT 1 FROM pg_stat_wal_receiver").fetchone() is not None

    def promote(self) -> None:
        """Make it a primary; returns when it takes writes."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote()").fetchone() == (True,)


def _unprivileged_user() -> str:
    """Return who runs the server where the tests run as root, which it refuses; else ''."""
    if os.geteuid():
        return ""
    import pwd

    users = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in users else "nobody"


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def open_postgres(find_program: Callable[..., str]) -> GivenPostgres:
    """Return the server that the environment names, or a new one."""
    given = os.environ.get(GIVEN_URL)
    return GivenPostgres(given) if given else PostgresServer(find_program)
