"""The control store: how it is opened, by whom, and what no crash can do to its tables."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config as Migrations
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hostpulse.config import ConfigError
from hostpulse.control import store as control_store
from hostpulse.control.store import FILE, VERSION_TABLE, StoreAway, open_store
from hostpulse.control.tables import NEWEST, metadata

from tests.backend.control_places import PLACES, Place, place_of
from tests.backend_under_test import eventually
from tests.programs import Program, command, environment, free_port

SECRET = "a-word-nobody-may-see"
OPEN = """
import sys
from pathlib import Path
from hostpulse.control.store import open_store
print("ready", flush=True)
url, folder = sys.stdin.readline().split("\\t")
open_store(url, Path(folder.strip())).close()
"""
STOP_IN_THE_MIDDLE = """
import time
from sqlalchemy import Engine, event

@event.listens_for(Engine, "after_cursor_execute")
def stop(connection, cursor, statement, *_):
    if statement.lstrip().startswith(AT):
        print("in the middle", flush=True)
        time.sleep(60)
"""


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, request.param, tmp_path)


@pytest.fixture
def on_postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, "postgresql", tmp_path)


class Opener:
    """A process that opens a place when it is told to."""

    def __init__(self, place: Place, before: str = "", after: str = "") -> None:
        self._place = place
        self.process = subprocess.Popen(
            [sys.executable, "-c", before + OPEN + after],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.read() == "ready"

    def read(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{self._place.url}\t{self._place.folder}\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


def test_the_newest_revision_is_the_one_the_code_names() -> None:
    migrations = Migrations()
    folder = Path(control_store.__file__).parent / "migrations"
    migrations.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(migrations).get_heads() == [NEWEST]


def test_migrations_leave_the_tables_that_the_code_knows(place: Place) -> None:
    with place.opened() as store, store.system_transaction() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    assert place.ask("SELECT change, forgotten, numbers FROM counters") == [(0, 0, 0)]


def test_opening_again_changes_nothing_and_needs_no_alembic(place: Place) -> None:
    with place.opened():
        pass
    opener = Opener(place, after="assert 'alembic' not in sys.modules, 'loaded for nothing'")
    opener.go()
    assert opener.end() == (0, "")


def test_many_processes_may_open_an_empty_store_at_once(on_postgresql: Place) -> None:
    openers = [Opener(on_postgresql) for _ in range(4)]
    for opener in openers:
        opener.go()
    assert [opener.end() for opener in openers] == [(0, "")] * 4
    assert on_postgresql.ask(f"SELECT version_num FROM {VERSION_TABLE}") == [(NEWEST,)]
    assert on_postgresql.ask("SELECT count(*) FROM counters") == [(1,)]


@pytest.mark.parametrize("statement", ["CREATE TABLE servers", "DROP VIEW audit_end"])
def test_a_migration_that_was_killed_leaves_nothing_and_can_run_again(
    place: Place, statement: str
) -> None:
    kill_at(statement, place)
    assert tables(place) == set()
    with place.opened():
        assert tables(place) == {VERSION_TABLE, *metadata.tables}


def test_the_wall_between_tenants_is_put_up_whole_or_not_at_all(on_postgresql: Place) -> None:
    kill_at("CREATE POLICY of_tenant ON keys", on_postgresql)
    assert tables(on_postgresql) == set()
    with on_postgresql.opened():
        assert on_postgresql.ask("SELECT FROM pg_policies WHERE tablename = 'keys'") == [(), ()]


def kill_at(statement: str, place: Place) -> None:
    """Kill a process that opens the store right after a statement that begins so."""
    opener = Opener(place, before=STOP_IN_THE_MIDDLE.replace("AT", repr(statement)))
    opener.go()
    assert opener.read() == "in the middle"
    opener.process.kill()
    assert opener.end()[0] == -9


def tables(place: Place) -> set[str]:
    """Return the tables as another connection sees them once the killed one is gone."""
    listed = (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        if place.url
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    return {name for (name,) in place.ask(listed)}


def test_a_newer_store_is_refused_in_words_and_not_touched(place: Place) -> None:
    with place.opened():
        pass
    place.ask(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(ConfigError, match=r"^control: .* newer Hostpulse .*9999") as refused:
        open_store(place.url, place.folder)
    assert "***" in str(refused.value) or not place.url
    done = serve(place)
    assert done.returncode == 78
    assert done.stderr.startswith("Error: control: ")
    assert place.ask(f"SELECT version_num FROM {VERSION_TABLE}") == [("9999",)]


def serve(place: Place, *flags: str) -> subprocess.CompletedProcess[str]:
    line = command("hostpulse", "serve", "--port", str(free_port()), *flags)
    return subprocess.run(
        line, env=place.environment(), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Program]:
    """`hostpulse serve` on the folder `data`."""
    line = command("hostpulse", "serve", "--port", str(free_port()))
    env = environment(HOSTPULSE_DATA_DIR=str(tmp_path / "data"))
    program = Program(line, tmp_path / "log", env)
    eventually(lambda: "Hostpulse is on" in program.written(), 20)
    yield program
    program.kill()


def test_a_folder_has_one_backend_until_it_ends_or_is_killed(
    running: Program, tmp_path: Path
) -> None:
    place = Place(tmp_path / "data", "")
    for storage in ("memory://", f"file:{tmp_path}/elsewhere"):
        second = serve(place, "--storage", storage)
        assert second.returncode == 78
        assert second.stderr.startswith("Error: data_dir: ")
        assert f"list of servers in {place.folder};" in second.stderr
        assert "--data-dir" in second.stderr
    running.kill()
    assert running.process.returncode == -9
    with place.opened():
        pass


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    with Place(tmp_path, "").opened():
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes[FILE] == 0o600
    assert set(modes.values()) == {0o600}


def test_each_commit_reaches_the_disk(place: Place) -> None:
    asked = {"sqlite": ("PRAGMA synchronous", 2), "postgresql": ("SHOW synchronous_commit", "on")}
    with place.opened() as store, store.system_transaction() as connection:
        statement, expected = asked[connection.dialect.name]
        assert connection.exec_driver_sql(statement).scalar() == expected


BAD_URLS = [
    "mysql://u:{}@h/d",
    "postgresql://u:{}@h:port/d",
    "postgresql+asyncpg://u:{}@h/d",
    "{}",
    "sqlite:///{}",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_another_url_is_refused_without_repeating_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^control: the URL is not known; use postgresql:") as no:
        open_store(url.format(SECRET), tmp_path)
    assert SECRET not in str(no.value)


def test_a_store_that_is_away_is_worth_another_try(tmp_path: Path) -> None:
    place = Place(tmp_path, f"postgresql://u:{SECRET}@127.0.0.1:{free_port()}/d")
    with pytest.raises(StoreAway, match=r"^control: the store does not answer: ") as away:
        open_store(place.url, tmp_path)
    assert SECRET not in str(away.value)
    done = serve(place)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: control: ")
    assert SECRET not in done.stderr


def test_a_wrong_password_is_told_without_it(on_postgresql: Place, tmp_path: Path) -> None:
    before, _, after = on_postgresql.url.partition("@")
    wrong = f"{before.rpartition(':')[0]}:{SECRET}@{after}"
    with pytest.raises(StoreAway, match="password authentication failed") as away:
        open_store(wrong, tmp_path)
    assert SECRET not in str(away.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(StoreAway, match="file is not a database"):
        open_store("", tmp_path)


def test_a_server_that_hangs_is_waited_for_a_bounded_time(on_postgresql: Place) -> None:
    with on_postgresql.opened() as store:
        held: Any
        with store.system_transaction() as held:
            held.exec_driver_sql("UPDATE counters SET change = change")
            before = time.monotonic()
            with (
                pytest.raises(StoreAway, match="lock timeout"),
                store.system_transaction() as waiting,
            ):
                waiting.exec_driver_sql("UPDATE counters SET change = change + 1")
            assert 4 < time.monotonic() - before < 20
