"""The second wall between tenants: what the control store lets a transaction of one of them do."""

from __future__ import annotations

import ast
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hostpulse
import psycopg
import pytest
from alembic import command
from alembic.config import Config as Migrations
from hostpulse.config import ConfigError
from hostpulse.control import audit_rows, people_rows, wall
from hostpulse.control.audit_rows import AuditRow
from hostpulse.control.backup import dump, load
from hostpulse.control.store import ControlStore, StoreAway, open_beside, open_store
from hostpulse.control.tables import metadata
from sqlalchemy import (
    Connection,
    Table,
    create_engine,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from tests.postgres_server import GivenPostgres

OF_NO_SINGLE_TENANT = {
    "access/accounts.py": {"_sign_in", "_note_failure", "change_password", "prove"},
    "access/audit.py": {"ends_well", "verify"},
    "access/identities.py": {"arrive", "unlink", "ways_in"},
    "access/keyring.py": {"refresh"},
    "access/links.py": {
        "needs_setup",
        "make_first_owner",
        "make_reset",
        "open",
        "look",
        "about",
        "use",
        "join",
    },
    "access/members.py": {"disable", "make_operator"},
    "access/refusals.py": {"_save"},
    "access/second_factor.py": {
        "codes_left",
        "having",
        "begin",
        "turn_on",
        "renew_codes",
        "turn_off",
        "remove",
    },
    "access/second_step.py": {"is_waiting", "finish"},
    "access/sessions.py": {"_read", "end", "of", "switch", "visit"},
    "access/tenants.py": {
        "make",
        "rename",
        "suspend",
        "close",
        "check_is_there",
        "list",
        "of",
    },
    "access/tries.py": {"_counted", "_check"},
    "access/trips.py": {"begin", "end"},
    "cli_access.py": {"_write_backup", "restore"},
    "cli_stored.py": {"status"},
    "control/registrar.py": {"_save", "look"},
    "offboarding.py": {"run", "_take_out"},
    "control/store.py": {"open_store", "open_beside"},
}
"""Who may reach across tenants: one more is a decision, and belongs to this list."""


def callers(source: str) -> Iterator[str]:
    """Yield the function around each call of `system_transaction`."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and node.attr == "system_transaction":
                    yield function.name


def test_few_reach_across_tenants_and_they_are_known_by_name() -> None:
    root = Path(hostpulse.__file__).parent
    found = {
        str(file.relative_to(root)): set(callers(file.read_text("utf-8")))
        for file in root.rglob("*.py")
    }
    assert {file: names for file, names in found.items() if names} == OF_NO_SINGLE_TENANT


# -- PostgreSQL ---------------------------------------------------------------------------------


class Site:
    """A database of a login that owns it and is nothing else, as an administrator makes both."""

    def __init__(self, server: GivenPostgres, folder: Path, rights: str = "") -> None:
        self.server, self.folder = server, folder
        self.name = server.create_login(rights)
        self.role = f"{self.name}_tenant"
        self.url = server.create_database(self.name)

    def admin(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as a superuser, in this database."""
        return run(self.server.url(urlsplit(self.url).path[1:]), statement)

    def owner(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as whoever the backend is."""
        return run(self.url, statement)

    def open(self) -> ControlStore:
        return open_store(self.url, self.folder)


def run(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def site(postgres: GivenPostgres, tmp_path: Path) -> Site:
    made = Site(postgres, tmp_path)
    postgres.create_tenant_role(made.name)
    return made


@pytest.fixture
def store(site: Site) -> Iterator[ControlStore]:
    """A store with a row of two tenants in each table."""
    opened = site.open()
    with opened.system_transaction() as connection:
        for word in ("mine", "theirs"):
            fill(connection, word)
    yield opened
    opened.close()


def fill(connection: Connection, word: str) -> None:
    """Give a tenant one row in every table."""
    for table in metadata.sorted_tables:
        if wall.rule(table):
            connection.execute(insert(table).values(**row_of(table, word)))


def row_of(table: Table, word: str) -> dict[str, Any]:
    """Return a row whose every text says whose it is."""
    made = {
        "TEXT": word, "BIGINT": zlib.crc32(word.encode()), "INTEGER": 0, "BOOLEAN": False,
        "BLOB": word.encode(), "JSON": [], "DOUBLE": 1.0,
    }  # fmt: skip
    return {column.name: made[str(column.type)] for column in table.columns if not column.nullable}


WALLED = [table for table in metadata.sorted_tables if wall.rule(table)]
TENANTED = [table for table in WALLED if "tenant" in table.c]


def count(connection: Connection, table: Table) -> int:
    """Ask as somebody who forgot the tenant."""
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_every_table_that_names_a_tenant_has_the_wall(site: Site, store: ControlStore) -> None:
    listed = site.owner(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant'"
        " AND table_schema = 'public'"
    )
    assert {name for (name,) in listed} == {table.name for table in TENANTED}
    forced = site.owner("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    assert {name for (name,) in forced} == {table.name for table in WALLED}
    assert not [table.name for table in TENANTED if table.c.tenant.nullable]


@pytest.mark.parametrize("table", WALLED, ids=str)
def test_a_question_that_forgot_the_tenant_sees_nothing_of_another(
    table: Table, site: Site, store: ControlStore
) -> None:
    with store.transaction("mine") as connection:
        assert count(connection, table) == 1
        found = connection.execute(select(table)).mappings().one()
        assert "theirs" not in found.values()
    with store.system_transaction() as connection:
        assert count(connection, table) >= 2
    for unknown in ("nobody", "*", "%", "mine' OR 'a'='a"):
        with store.transaction(unknown) as connection:
            assert count(connection, table) == 0
    site.owner(f"ALTER TABLE {table.name} DISABLE ROW LEVEL SECURITY")
    with store.transaction("mine") as connection:
        assert count(connection, table) >= 2, "the same question without the wall"


@pytest.mark.parametrize("table", TENANTED, ids=str)
def test_a_change_that_forgot_the_tenant_reaches_its_own_rows_alone(
    table: Table, store: ControlStore
) -> None:
    for change in (update(table).values(tenant=table.c.tenant), delete(table)):
        if table.name == "audit":  # what stands in it stays, whoever asks
            with pytest.raises(StoreAway, match="permission denied"):
                change_as_mine(store, change)
        else:
            assert change_as_mine(store, change) == 1
    with store.system_transaction() as connection:
        theirs = select(func.count()).where(table.c.tenant == "theirs")
        assert connection.execute(theirs).scalar_one() == 1


@pytest.mark.parametrize("table", TENANTED, ids=str)
def test_nothing_is_written_into_another_tenant(table: Table, store: ControlStore) -> None:
    with pytest.raises(StoreAway, match="violates row-level security policy"):
        change_as_mine(store, insert(table).values(**row_of(table, "theirs")))
    moved = update(table).values(tenant="theirs")
    said = "permission denied" if table.name == "audit" else "violates row-level security policy"
    with pytest.raises(StoreAway, match=said):
        change_as_mine(store, moved)


def change_as_mine(store: ControlStore, change: Any) -> int:
    """Run a change in a transaction of one tenant; return how many rows it reached."""
    with store.transaction("mine") as connection:
        return connection.execute(change).rowcount


@pytest.mark.parametrize("table", TENANTED, ids=str)
def test_no_row_is_of_a_tenant_without_a_name(table: Table, store: ControlStore) -> None:
    with pytest.raises(StoreAway, match="name_a_tenant"), store.system_transaction() as connection:
        connection.execute(insert(table).values(**row_of(table, "more") | {"tenant": ""}))
    with pytest.raises(ValueError, match="no tenant"), store.transaction(""):
        pass


def test_a_connection_carries_no_tenant_into_the_next_transaction(
    site: Site, store: ControlStore
) -> None:
    asked = text("SELECT pg_backend_pid(), current_user, current_setting('hostpulse.tenant', true)")
    seen = set()
    for fails in (False, True) * 3:
        with suppress(KeyError), store.transaction("mine") as connection:
            pid, user, tenant = connection.execute(asked).one()
            assert (user, tenant) == (site.role, "mine")
            if fails:
                raise KeyError
        with store.system_transaction() as connection:
            after = connection.execute(asked).one()
            assert (after[1], after[2] or "") == (site.name, "")
            seen |= {pid, after[0]}
    assert len(seen) == 1, "the pool gave another connection, so this proves nothing"


def test_who_became_a_tenant_sees_nothing_until_it_says_which(
    site: Site, store: ControlStore
) -> None:
    with psycopg.connect(site.url) as connection:
        connection.execute(f"SET ROLE {site.role}")
        assert connection.execute("SELECT count(*) FROM servers").fetchone() == (0,)


# -- the start ----------------------------------------------------------------------------------


def refused(site: Site) -> str:
    """Return why a start is refused; nothing else of it may happen."""
    with pytest.raises(ConfigError, match=r"^control: ") as error:
        site.open()
    with pytest.raises(ConfigError, match=r"^control: "):
        open_beside(site.url, site.folder)
    return str(error.value)


def test_a_plain_login_is_told_the_two_lines_and_nothing_is_made(
    postgres: GivenPostgres, tmp_path: Path
) -> None:
    site = Site(postgres, tmp_path)
    told = refused(site)
    lines = f'CREATE ROLE "{site.role}" NOLOGIN; GRANT "{site.role}" TO "{site.name}";'
    assert told.endswith(lines)
    assert site.owner("SELECT FROM pg_class WHERE relname = 'tenants'") == []
    site.admin(f'CREATE ROLE "{site.role}" NOLOGIN')
    assert refused(site).endswith(f'run: GRANT "{site.role}" TO "{site.name}";')
    site.admin(f'GRANT "{site.role}" TO "{site.name}"')
    site.open().close()


def test_a_login_that_may_make_roles_makes_its_own(postgres: GivenPostgres, tmp_path: Path) -> None:
    site = Site(postgres, tmp_path, rights="CREATEROLE")
    site.open().close()
    site.open().close()
    asked = "SELECT rolsuper OR rolbypassrls OR rolcanlogin FROM pg_roles WHERE rolname = "
    assert site.admin(f"{asked}'{site.role}'") == [(False,)]


@pytest.mark.parametrize(
    "breach",
    [
        "ALTER ROLE {role} SUPERUSER",
        "ALTER ROLE {role} BYPASSRLS",
        "GRANT {other} TO {role}",
        "ALTER TABLE servers OWNER TO {role}",
    ],
)
def test_a_role_that_reaches_further_is_refused(breach: str, site: Site) -> None:
    site.open().close()
    other = f"{site.name}_other"
    site.admin(f"CREATE ROLE {other}")
    try:
        site.admin(breach.format(role=site.role, other=other))
        told = refused(site)
        assert f"the role {site.role} would see all organisations" in told
        assert f'ALTER ROLE "{site.role}" NOSUPERUSER NOBYPASSRLS' in told
    finally:
        site.admin(f"ALTER ROLE {site.role} NOSUPERUSER NOBYPASSRLS")
        site.admin(f"DROP ROLE {other}")


@pytest.mark.parametrize(
    "breach",
    [
        "ALTER TABLE keys DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE keys NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY of_tenant ON keys",
        "DROP POLICY of_system ON keys",
        "CREATE POLICY more ON keys USING (true)",
        "CREATE POLICY more ON keys FOR UPDATE TO {role} USING (true)",
        "ALTER POLICY of_tenant ON keys USING (true)",
        "ALTER POLICY of_tenant ON keys WITH CHECK (true)",
        "ALTER POLICY of_tenant ON keys"
        " USING (tenant = current_setting('hostpulse.tenant', true) OR tenant = 'x')",
        "ALTER POLICY of_system ON keys TO public",
        "GRANT TRUNCATE ON keys TO {role}",
        "GRANT TRUNCATE ON keys TO public",
        "REVOKE INSERT ON keys FROM {role}",
    ],
)
def test_a_hole_in_the_wall_is_refused_with_the_lines_that_close_it(
    breach: str, site: Site
) -> None:
    site.open().close()
    site.owner(breach.format(role=site.role))
    told = refused(site)
    head, _, lines = told.partition(f"as {site.name} run: ")
    assert head.endswith("do not keep organisations apart in keys; ")
    for line in lines.split(";"):
        if line.strip():
            site.owner(line)
    site.open().close()


def test_the_login_of_somebody_else_is_refused(site: Site) -> None:
    site.open().close()
    other = site.server.create_login()
    wrong = site.url.replace(f"//{site.name}:", f"//{other}:")
    with pytest.raises(ConfigError, match=rf"belong to {site.name}, and {other} signs in"):
        open_store(wrong, site.folder)


def test_a_store_of_before_gets_the_wall_and_keeps_its_rows(site: Site) -> None:
    make_older(site)
    opened = site.open()
    with opened.transaction("default") as connection:
        assert count(connection, metadata.tables["tenants"]) == 1
        audit_rows.add(connection, AuditRow(2, "default", "a", "b", "c", "done", ""))
    opened.close()
    with psycopg.connect(site.url) as raw:
        assert raw.execute("SELECT number, tenant FROM audit ORDER BY 1").fetchall() == [
            (1, "other"), (2, "default"),
        ]  # fmt: skip


def make_older(site: Site) -> None:
    """Make the tables as the revision before the wall left them, with a row in the log."""
    engine = create_engine(site.url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        migrations = Migrations(attributes={"connection": connection})
        folder = Path(wall.__file__).parent / "migrations"
        migrations.set_main_option("script_location", str(folder))
        command.upgrade(migrations, "0004")
        row = AuditRow(1, "other", "a", "b", "c", "done", "")
        hashed = audit_rows.chained(audit_rows.FIRST_HASH, 1, row)
        values = row._asdict() | {"number": 1, "hash": hashed}
        connection.execute(insert(metadata.tables["audit"]).values(**values))
    engine.dispose()
    assert site.owner("SELECT FROM pg_class WHERE relrowsecurity") == []


def test_a_schema_that_bears_the_login_s_name_does_not_hide_the_tables(site: Site) -> None:
    """The samples have such a schema, in the same database, where the login is `hostpulse`."""
    site.open().close()
    site.owner(f'CREATE SCHEMA "{site.name}"')
    opened = site.open()
    with opened.transaction("mine") as connection:
        assert people_rows.members(connection, "mine") == []
    opened.close()


def test_many_processes_may_put_up_the_wall_at_once(site: Site) -> None:
    make_older(site)
    with ThreadPoolExecutor(4) as pool:
        for opened in [pool.submit(site.open) for _ in range(4)]:
            opened.result().close()
    policies = site.owner("SELECT count(*) FROM pg_policy")
    assert policies == [(2 * len(WALLED),)]


def test_a_backup_of_a_file_is_restored_behind_the_wall(site: Site, tmp_path: Path) -> None:
    file = open_store("", tmp_path)
    with file.system_transaction() as connection:
        for word in ("mine", "theirs"):
            fill(connection, word)
        lines = list(dump(connection))
    file.close()
    opened = site.open()
    with opened.system_transaction() as connection:
        counts = load(connection, lines)
    restored = [table for table in WALLED if table.name in counts]
    assert {counts[table.name] for table in restored} == {2, 3}  # `default` is a tenant too
    for word in ("mine", "theirs"):
        with opened.transaction(word) as connection:
            assert [count(connection, table) for table in restored] == [1] * len(restored)
    opened.close()


def test_the_log_is_one_chain_over_tenants_that_do_not_see_each_other(
    store: ControlStore,
) -> None:
    with store.system_transaction() as connection:
        connection.execute(delete(metadata.tables["audit"]))
        end = {"number": 0, "hash": audit_rows.FIRST_HASH}
        connection.execute(update(metadata.tables["audit_end"]).values(end))
    for tenant in ("mine", "theirs", "mine"):
        with store.transaction(tenant) as connection:
            audit_rows.add(connection, AuditRow(1, tenant, "a", "b", "c", "done", ""))
            assert {row.tenant for _, row in audit_rows.newest(connection, tenant, 0, 9)} == {
                tenant
            }
    with store.system_transaction() as connection:
        assert list(audit_rows.verify(connection)) == []
        assert audit_rows.end(connection)[0] == 3
