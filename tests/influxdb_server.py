"""A real InfluxDB of the tests' own on a loopback port, with its data in a temporary folder."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
import requests

from tests.programs import free_port

GIVEN_URL = "HOSTPULSE_TEST_INFLUXDB_URL"
START_SECONDS = 30
USER = "hostpulse"


class GivenInfluxDB:
    """A server that runs already, at a storage URL; only databases of prefixes made here are ours.

    A test that stops, starts or kills the server is skipped on it.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._login = parts.netloc.rpartition("@")[0]
        self._query = parts.query
        self.host = parts.hostname or ""
        self.port = parts.port or 8086
        scheme = "https" if "tls=on" in parts.query else "http"
        self.address = f"{scheme}://{self.host}:{self.port}"
        self._auth = (unquote(parts.username or ""), unquote(parts.password or ""))
        self._prefixes: list[str] = []

    def url(self, prefix: str = "", login: str | None = None) -> str:
        """Return the URL of a storage of its own; with a part of its name that tells whose."""
        name = f"{prefix or 'test'}-{secrets.token_hex(6)}".replace("_", "-")
        self._prefixes.append(name)
        return self.url_of(name, login)

    def url_of(self, name: str, login: str | None = None) -> str:
        """Return the URL of the storage whose databases begin with `name`."""
        login = self._login if login is None else login
        options = f"?{self._query}" if self._query else ""
        return f"influxdb://{login}@{self.host}:{self.port}/{name}{options}"

    def query(self, statement: str, database: str = "") -> list[Any]:
        """Run InfluxQL; return the series of its last statement."""
        answer = requests.post(
            f"{self.address}/query",
            params={"db": database, "epoch": "ms"}, data={"q": statement},
            auth=self._auth, timeout=20,
        )  # fmt: skip
        result = json.loads(answer.text)["results"][-1]
        assert "error" not in result, result
        found: list[Any] = result.get("series", [])
        return found

    def write(self, lines: str, database: str, policy: str = "raw") -> None:
        """Write lines with times in ms."""
        answer = requests.post(
            f"{self.address}/write", params={"db": database, "rp": policy, "precision": "ms"},
            data=lines.encode(), auth=self._auth, timeout=20,
        )  # fmt: skip
        assert answer.status_code == 204, answer.text

    def databases(self, prefix: str = "") -> list[str]:
        """Return the databases whose names begin so."""
        (series,) = self.query("SHOW DATABASES")
        return [name for (name,) in series.get("values", []) if name.startswith(prefix)]

    def stop(self) -> None:
        """End the server in order."""
        _only_on_ours()

    def start(self) -> None:
        """Start the server again, on the same port and data."""
        _only_on_ours()

    def kill(self) -> None:
        """End the server by SIGKILL."""
        _only_on_ours()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return _only_on_ours()

    def close(self) -> None:
        """Drop the databases that were made."""
        for prefix in self._prefixes:
            for name in self.databases(f"{prefix}_"):
                self.query(f'DROP DATABASE "{name}"')


def _only_on_ours() -> Any:
    pytest.skip(f"this needs a server that the test may stop: run it without {GIVEN_URL}")


class InfluxDBServer(GivenInfluxDB):
    """A new server that asks for a password and syncs each write before it answers."""

    def __init__(self, find_program: Callable[..., str]) -> None:
        self._influxd = find_program("influxd")
        self._folder = Path(tempfile.mkdtemp(prefix="hostpulse-influxdb-"))
        self._process: subprocess.Popen[bytes] | None = None
        password = secrets.token_hex(8) + "p@ss/w:rd?#%"
        port = free_port()
        super().__init__(f"influxdb://{USER}:{quote(password, safe='')}@127.0.0.1:{port}/")
        try:
            self._configure()
            self.start()
            self.query(f"CREATE USER {USER} WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
        except BaseException:
            self.close()
            raise

    def _configure(self) -> None:
        folder = self._folder
        (folder / "influxdb.conf").write_text(
            f"""
            reporting-disabled = true
            bind-address = "127.0.0.1:{free_port()}"
            [meta]
              dir = "{folder}/meta"
            [data]
              dir = "{folder}/data"
              wal-dir = "{folder}/wal"
              wal-fsync-delay = "0s"
              query-log-enabled = false
            [monitor]
              store-enabled = false
            [http]
              bind-address = "127.0.0.1:{self.port}"
              auth-enabled = true
              log-enabled = false
            """
        )

    @property
    def pid(self) -> int:
        """The process id of the server."""
        assert self._process is not None, "the server is stopped"
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server wrote so far."""
        return (self._folder / "log").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start the server on its port and data; return when it answers."""
        line = [self._influxd, "run", "-config", str(self._folder / "influxdb.conf")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/ping", timeout=5).status_code == 204
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        """End the server in order."""
        assert self._process is not None, "the server is stopped"
        self._process.terminate()
        self._process.wait(START_SECONDS)
        self._process = None

    def kill(self) -> None:
        """End the server by SIGKILL."""
        assert self._process is not None, "the server is stopped"
        self._process.kill()
        self._process.wait(START_SECONDS)
        self._process = None

    def close(self) -> None:
        """End the server and remove its data."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder)


def open_influxdb(find_program: Callable[..., str]) -> GivenInfluxDB:
    """Return the server that the environment names, or a new one."""
    given = os.environ.get(GIVEN_URL)
    return GivenInfluxDB(given) if given else InfluxDBServer(find_program)
