"""The second wall between tenants: PostgreSQL shows a transaction of one no row of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, Table, text

from hostpulse.config import ConfigError
from hostpulse.control import tables

_MINE = "current_setting('hostpulse.tenant', true)"
_EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
_MAY = {
    tables.audit.name: "SELECT, INSERT",
    tables.audit_end.name: "SELECT, UPDATE",
    tables.counters.name: "SELECT, UPDATE",
    tables.tenants.name: "SELECT",
    tables.users.name: "SELECT",
}
"""What a tenant may do with a table, where it is not everything with rows of its own."""

# The database is asked each time whose the tables are: no process has to remember it.
_OWNER = """coalesce((SELECT pg_get_userbyid(relowner)::text FROM pg_class
    WHERE oid = to_regclass('tenants')), current_user::text)"""
_ENTER = text(
    f"""SELECT set_config('role', left({_OWNER}, 56) || '_tenant', true),
        set_config('hostpulse.tenant', :tenant, true)"""
)
_LOGIN = text(
    f"""SELECT session_user::text, owner, left(owner, 56) || '_tenant', rolsuper OR rolcreaterole,
        pg_has_role(session_user, owner, 'USAGE')
    FROM (SELECT {_OWNER} AS owner) named, pg_roles WHERE rolname = session_user"""  # noqa: S608
)
_ROLE = text(
    """SELECT pg_has_role(session_user, oid, 'MEMBER'),
        rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_auth_members WHERE member = role.oid)
        OR EXISTS (SELECT FROM pg_class WHERE relowner = role.oid
            AND relnamespace = current_schema()::regnamespace)
    FROM pg_roles role WHERE rolname = :role"""
)
_HIDDEN_SCHEMA = text(
    """SELECT name FROM (SELECT current_schema()::text AS name) here
        WHERE NOT has_schema_privilege(:role, name, 'USAGE')"""
)
_FORCED = text(
    """SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity
        AND relnamespace = current_schema()::regnamespace"""
)
_RIGHTS = text(
    """SELECT relname, ARRAY(
            SELECT one FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) one
            WHERE has_table_privilege(:role, pg_class.oid, one))
    FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'v')"""
)
_POLICIES = text(
    """SELECT relname, polname, polcmd = '*' AND polpermissive AND polwithcheck IS NULL,
        ARRAY(SELECT coalesce(rolname::text, 'public') FROM unnest(polroles) AS one
            LEFT JOIN pg_roles ON pg_roles.oid = one),
        pg_get_expr(polqual, polrelid)
    FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
    WHERE relnamespace = current_schema()::regnamespace"""
)


class Login(NamedTuple):
    """Who is signed in to PostgreSQL, whose the tables are, and who a tenant's transactions are."""

    name: str
    owner: str
    role: str
    may_create_roles: bool
    may_act_as_owner: bool


def enter(connection: Connection, tenant: str) -> None:
    """Let a transaction that just began see and change one tenant's rows until it ends."""
    connection.execute(_ENTER, {"tenant": tenant})


def login_of(connection: Connection) -> Login:
    """Return who works on the tables; raises ConfigError unless they are theirs, or yet to come."""
    login = Login(*connection.execute(_LOGIN).one())
    if login.may_act_as_owner:
        return login
    raise ConfigError(
        f"control: the tables belong to {login.owner}, and {login.name} signs in; put "
        f"{login.owner} into the URL."
    )


def make_role(connection: Connection, login: Login) -> None:
    """Make the role of tenants' transactions if need be; raises ConfigError if it is no good."""
    if login.may_create_roles and _role(connection, login) is None:
        connection.exec_driver_sql(f"CREATE ROLE {_quoted(login.role)} NOLOGIN")
        connection.exec_driver_sql(f"GRANT {_quoted(login.role)} TO {_quoted(login.name)}")
    _check_role(connection, login)


def put_up(connection: Connection, login: Login) -> None:
    """Put up the wall around every table, as part of an upgrade of the tables."""
    for schema in connection.execute(_HIDDEN_SCHEMA, {"role": login.role}).scalars():
        granted = f"GRANT USAGE ON SCHEMA {_quoted(schema)} TO {_quoted(login.role)}"
        connection.exec_driver_sql(granted)
    for name in _rights():
        for statement in _statements(name, login):
            connection.exec_driver_sql(statement)


def check(connection: Connection, login: Login) -> None:
    """Return if the wall stands around every table; raises ConfigError."""
    _check_role(connection, login)
    forced = set(connection.execute(_FORCED).scalars())
    policies = [_Policy(*row) for row in connection.execute(_POLICIES)]
    has = {
        name: ", ".join(all_) for name, all_ in connection.execute(_RIGHTS, {"role": login.role})
    }
    open_: dict[str, list[str]] = {}
    for name, rights in _rights().items():
        of_table = [one for one in policies if one.table == name]
        holds = not _rule_of(name) or (name in forced and _hold(of_table, login))
        if not holds or has.get(name) != rights:
            strange = {one.name for one in _for_tenants(of_table, login)} - set(_NAMES)
            drops = [f"DROP POLICY {_quoted(one)} ON {name}" for one in sorted(strange)]
            open_[name] = [*drops, *_statements(name, login)]
    if open_:
        lines = "; ".join(line for lines in open_.values() for line in lines)
        raise ConfigError(
            "control: rights and row-level security do not keep organisations apart in "
            f"{', '.join(open_)}; as {login.owner} run: {lines};"
        )


def rule(table: Table) -> str:
    """Return which rows of a table are the tenant's, as SQL; '' for a table that has none."""
    if table is tables.users:
        return (
            'EXISTS (SELECT FROM memberships WHERE memberships."user" = users.id'
            f" AND memberships.tenant = {_MINE})"
        )
    if table is tables.tenants:
        return f"id = {_MINE}"
    return f"tenant = {_MINE}" if "tenant" in table.c else ""


def _rule_of(name: str) -> str:
    return rule(tables.metadata.tables[name])


def _rights() -> dict[str, str]:
    """Return what a tenant may do with each table."""
    return {
        name: _MAY.get(name, _EVERYTHING if _rule_of(name) else "")
        for name in tables.metadata.tables
    }


class _Role(NamedTuple):
    is_usable: bool
    reaches_further: bool


def _role(connection: Connection, login: Login) -> _Role | None:
    row = connection.execute(_ROLE, {"role": login.role}).one_or_none()
    return _Role(*row) if row else None


def _check_role(connection: Connection, login: Login) -> None:
    """Return if the login can use the role, and it sees no more than it should."""
    found, role = _role(connection, login), _quoted(login.role)
    if found is None or not found.is_usable:
        create = "" if found else f"CREATE ROLE {role} NOLOGIN; "
        raise ConfigError(
            f"control: PostgreSQL keeps organisations apart by the role {login.role}, which "
            f"{login.name} cannot use yet; as an administrator of PostgreSQL run: "
            f"{create}GRANT {role} TO {_quoted(login.name)};"
        )
    if found.reaches_further:
        raise ConfigError(
            f"control: the role {login.role} would see all organisations, because it is a "
            "superuser, has BYPASSRLS, belongs to another role or owns a table; as an administrator"
            f" of PostgreSQL run: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS; revoke its roles and "
            "give its tables to the login of Hostpulse."
        )


class _Policy(NamedTuple):
    table: str
    name: str
    is_plain: bool
    roles: list[str]
    rule: str


_NAMES = ("of_tenant", "of_system")


def _hold(policies: list[_Policy], login: Login) -> bool:
    """Tell whether these, all of one table, show a tenant its rows and the owner all."""
    of_tenant = _for_tenants(policies, login)
    of_owner = [one for one in policies if one.name == "of_system"]
    return (
        [one.name for one in of_tenant] == ["of_tenant"]
        and of_tenant[0].is_plain
        and "= current_setting('hostpulse.tenant'::text, true)" in of_tenant[0].rule
        and " OR " not in of_tenant[0].rule
        and [(one.is_plain, one.roles, one.rule) for one in of_owner]
        == [(True, [login.owner], "true")]
    )


def _for_tenants(policies: list[_Policy], login: Login) -> list[_Policy]:
    return [one for one in policies if {login.role, "public"} & set(one.roles)]


def _statements(name: str, login: Login) -> Iterator[str]:
    """Yield what makes the wall around a table or view, whatever is there of it."""
    yield f"REVOKE ALL ON {name} FROM PUBLIC, {_quoted(login.role)}"
    if rights := _rights()[name]:
        yield f"GRANT {rights} ON {name} TO {_quoted(login.role)}"
    if _rule_of(name):
        yield from _statements_of_rows(tables.metadata.tables[name], login)


def _statements_of_rows(table: Table, login: Login) -> Iterator[str]:
    name = table.name
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    rules = (rule(table), "true")
    for policy, whose, which in zip(_NAMES, (login.role, login.owner), rules, strict=True):
        yield f"DROP POLICY IF EXISTS {policy} ON {name}"
        yield f"CREATE POLICY {policy} ON {name} TO {_quoted(whose)} USING ({which})"
    if "tenant" in table.c:
        yield f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {name}_name_a_tenant"
        yield f"ALTER TABLE {name} ADD CONSTRAINT {name}_name_a_tenant CHECK (tenant <> '')"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
