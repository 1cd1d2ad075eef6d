"""The commands about people and keys; a backend may run meanwhile and learns of it in a second."""

from __future__ import annotations

import gzip
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hostpulse.access.principal import ADMIN, DEFAULT_TENANT, Principal
from hostpulse.cli_settings import (
    Refused,
    load_settings,
    with_address,
    with_stored_settings,
    with_tenant,
)
from hostpulse.config import Config, ConfigError

if TYPE_CHECKING:
    from hostpulse.access.issuer import Issuer
    from hostpulse.access.people import People
    from hostpulse.control.store import ControlStore


class _Office:
    """The control store of a backend, and what works on it."""

    def __init__(self, config: Config, store: ControlStore, tenant: str) -> None:
        from hostpulse.access.means import Means
        from hostpulse.access.people import people_of
        from hostpulse.parts import wall_clock_ms

        self.config, self.store = config, store
        self.by = Principal(tenant, "the command line", ADMIN)
        self.people: People = people_of(Means(store, wall_clock_ms, secrets.token_bytes))

    @property
    def issuer(self) -> Issuer:
        from hostpulse.access.issuer import Issuer
        from hostpulse.access.keyring import Keyring
        from hostpulse.control.servers import Servers
        from hostpulse.parts import wall_clock_ms

        keyring = Keyring(self.store, wall_clock_ms)
        servers = Servers(self.config.max_servers)
        return Issuer(self.store, keyring, servers, wall_clock_ms, secrets.token_bytes)

    def member_id(self, name: str) -> str:
        for member in self.people.members.list(self.by):
            if member.user.name == name.lower():
                return member.user.id
        raise click.ClickException(f"Nobody of {self.by.tenant} is called {name!r}.")

    def link(self, token: str) -> str:
        from hostpulse.config import address

        return f"{address(self.config)}/welcome#{token}"


@contextmanager
def _office(settings: dict[str, Any], tenant: str = DEFAULT_TENANT) -> Iterator[_Office]:
    from hostpulse.access.denied import AccessDenied
    from hostpulse.config import data_folder
    from hostpulse.control.store import StoreAway, open_beside

    config = load_settings(settings)
    try:
        store = open_beside(config.control, data_folder(config))
    except ConfigError as error:
        raise Refused(str(error)) from error
    try:
        office = _Office(config, store, tenant)
        if tenant not in {row.id for row, _ in office.people.tenants.list()}:
            raise click.ClickException(
                f"tenant: no organisation has the id {tenant!r}; see hostpulse tenant list."
            )
        yield office
    except (AccessDenied, StoreAway) as error:
        raise click.ClickException(str(error)) from error
    finally:
        store.close()


@click.group()
def enrol() -> None:
    """Let servers enrol."""


@enrol.command("create")
@with_tenant
@click.option("--tags", default="", help="Tags of the new servers, separated by commas.")
@click.option(
    "--ttl",
    type=click.IntRange(1, 60),
    default=60,
    help="Minutes for which the token is good.",
    show_default=True,
)
@click.option("--uses", default=1, help="Servers that may enrol with it.", show_default=True)
@with_stored_settings
def create_enrolment(tenant: str, tags: str, ttl: int, uses: int, **settings: Any) -> None:
    """Print a token that a new server trades for its own key."""
    named = [tag.strip() for tag in tags.split(",") if tag.strip()]
    with _office(settings, tenant) as office:
        click.echo(office.issuer.make_enrolment(office.by, ttl, uses, named).text)


@click.group()
def key() -> None:
    """Make, list and revoke keys."""


@key.command("create")
@with_tenant
@click.option("--label", required=True, help="What the key is for.")
@with_stored_settings
def create_key(tenant: str, label: str, **settings: Any) -> None:
    """Print a new key with which any program may send samples."""
    with _office(settings, tenant) as office:
        click.echo(office.issuer.make_ingest(office.by, label).text)


@key.command("list")
@with_tenant
@with_stored_settings
def list_keys(tenant: str, **settings: Any) -> None:
    """List the keys that are good."""
    from hostpulse.access.keys import KINDS

    with _office(settings, tenant) as office:
        for row in office.issuer.list(office.by):
            used = _moment(row.used_ms) if row.used_ms else "never used"
            click.echo(f"{row.id}  {KINDS[row.kind]:<10}{row.server:<22}{used:<18}{row.label}")


@key.command("revoke")
@with_tenant
@click.argument("id_", metavar="ID")
@with_stored_settings
def revoke_key(tenant: str, id_: str, **settings: Any) -> None:
    """Make the key with this ID good for nothing, within a second."""
    with _office(settings, tenant) as office:
        office.issuer.revoke(office.by, id_)


@click.group()
def user() -> None:
    """Invite people, list them, lock them out, give them a new password."""


@user.command("invite")
@with_tenant
@click.option("--role", type=click.Choice(["viewer", "editor", "admin", "owner"]), required=True)
@with_address
def invite(tenant: str, role: str, **settings: Any) -> None:
    """Print a link with which somebody makes an account of this role, once, within a day."""
    with _office(settings, tenant) as office:
        click.echo(office.link(office.people.links.invite(office.by, role)))


@user.command("first-owner")
@with_tenant
@click.argument("name")
@with_stored_settings
def make_first_owner(tenant: str, name: str, **settings: Any) -> None:
    """Make the account of the first owner; the password is asked, or a line of standard input."""
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    with _office(settings, tenant) as office:
        office.people.links.make_first_owner(office.by, name, password)
        click.echo(f"{name} owns {tenant} and may sign in.")


@user.command("list")
@with_tenant
@with_stored_settings
def list_users(tenant: str, **settings: Any) -> None:
    """List the people of an organisation."""
    with _office(settings, tenant) as office:
        having = office.people.second_factor.having(office.by)
        for member in office.people.members.list(office.by):
            states = []
            if member.user.disabled:
                states.append("disabled")
            if member.user.id in having:
                states.append("second factor")
            click.echo(f"{member.user.name:<30}{member.role:<10}{', '.join(states)}".rstrip())


@user.command("reset")
@with_tenant
@click.argument("name")
@with_address
def reset(tenant: str, name: str, **settings: Any) -> None:
    """Print a link with which NAME sets a new password, once, within a day."""
    with _office(settings, tenant) as office:
        click.echo(office.link(office.people.links.make_reset(office.by, office.member_id(name))))


@user.command("second-factor-off")
@with_tenant
@click.argument("name")
@with_stored_settings
def switch_second_factor_off(tenant: str, name: str, **settings: Any) -> None:
    """Let NAME, who lost it, sign in with the password alone; their sessions end."""
    with _office(settings, tenant) as office:
        if not office.people.second_factor.remove(office.by, office.member_id(name)):
            raise click.ClickException(f"{name} has no second factor.")


@user.command("disable")
@with_tenant
@click.argument("name")
@with_stored_settings
def disable(tenant: str, name: str, **settings: Any) -> None:
    """Lock NAME out within a second."""
    with _office(settings, tenant) as office:
        office.people.members.disable(office.by, office.member_id(name), True)


@user.command("enable")
@with_tenant
@click.argument("name")
@with_stored_settings
def enable(tenant: str, name: str, **settings: Any) -> None:
    """Let NAME in again."""
    with _office(settings, tenant) as office:
        office.people.members.disable(office.by, office.member_id(name), False)


@user.command("operator")
@with_tenant
@click.argument("name")
@click.option("--on/--off", "operator", required=True, help="Whether NAME is one.")
@with_stored_settings
def operator(tenant: str, name: str, operator: bool, **settings: Any) -> None:
    """Let NAME manage the organisations of this server, or no more."""
    with _office(settings, tenant) as office:
        office.people.members.make_operator(office.by, office.member_id(name), operator)


@click.group()
def tenant() -> None:
    """Make organisations; each sees only its own servers, people and keys."""


@tenant.command("create")
@click.argument("id_", metavar="ID")
@click.option("--name", default="", help="Name that people see; the ID by default.")
@with_address
def create_tenant(id_: str, name: str, **settings: Any) -> None:
    """Make an organisation and print the link of its first owner."""
    with _office(settings) as office:
        office.people.tenants.make(office.by, id_, name or id_)
        click.echo(office.link(office.people.links.make_setup(id_, office.by)))


@tenant.command("list")
@with_stored_settings
def list_tenants(**settings: Any) -> None:
    """List the organisations."""
    with _office(settings) as office:
        for row, people in office.people.tenants.list():
            state = "being deleted" if row.closed_ms else "suspended" if row.suspended_ms else ""
            click.echo(f"{row.id:<30}{row.name:<30}{people:>5} people  {state}".rstrip())


@tenant.command("rename")
@click.argument("id_", metavar="ID")
@click.argument("name")
@with_stored_settings
def rename_tenant(id_: str, name: str, **settings: Any) -> None:
    """Give an organisation another NAME; its ID stays."""
    with _office(settings) as office:
        office.people.tenants.rename(office.by, id_, name)


@tenant.command("suspend")
@click.argument("id_", metavar="ID")
@with_stored_settings
def suspend_tenant(id_: str, **settings: Any) -> None:
    """Refuse the people and keys of an organisation; agents keep their reports."""
    with _office(settings) as office:
        office.people.tenants.suspend(office.by, id_, True)


@tenant.command("resume")
@click.argument("id_", metavar="ID")
@with_stored_settings
def resume_tenant(id_: str, **settings: Any) -> None:
    """Let the people and keys of an organisation in again."""
    with _office(settings) as office:
        office.people.tenants.suspend(office.by, id_, False)


@tenant.command("delete")
@click.argument("id_", metavar="ID")
@click.confirmation_option(prompt="All its servers, samples, people and keys will be gone. Go on?")
@with_stored_settings
def delete_tenant(id_: str, **settings: Any) -> None:
    """Delete an organisation; the backend takes out its samples, now or once it runs again."""
    with _office(settings) as office:
        office.people.tenants.close(office.by, id_)


@click.group()
def audit() -> None:
    """Look at what was done."""


@audit.command("show")
@with_tenant
@with_stored_settings
def show_audit(tenant: str, **settings: Any) -> None:
    """Print the newest 200 entries, the newest first."""
    with _office(settings, tenant) as office:
        for _, row in office.people.log.newest(office.by, 0, 200):
            who = f"{row.actor} {row.address}".strip()
            click.echo(f"{_moment(row.time_ms)}  {who}: {row.action} {row.object}: {row.result}")


@audit.command("verify")
@with_stored_settings
def verify_audit(**settings: Any) -> None:
    """Check that no entry was changed or taken out.

    Keep the hash of the last one elsewhere: whoever writes to the database can make a new log.
    """
    with _office(settings) as office:
        count, hashed, problems = office.people.log.verify()
        for problem in problems:
            click.echo(problem)
        if problems:
            raise click.ClickException("The audit log is not what was written.")
        click.echo(f"{count} entries, each as it was written. The last is {hashed}.")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_stored_settings
def backup(file: Path, **settings: Any) -> None:
    """Write accounts, keys, servers and the audit log into FILE, for this user alone.

    Samples are not in it; sessions neither. The backend may run meanwhile.
    """
    with _office(settings) as office:
        try:
            _write_backup(office, file)
        except OSError as error:
            raise click.ClickException(f"{file}: {error.strerror}; no backup was made.") from error
        office.people.log.write(office.by, "make a backup", file.name)


def _write_backup(office: _Office, file: Path) -> None:
    from hostpulse.control.backup import dump

    beside = file.with_name(f"{file.name}.new")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as raw,
            gzip.GzipFile(fileobj=raw, mode="wb") as zipped,
            office.store.system_transaction() as connection,
        ):
            zipped.writelines(line + b"\n" for line in dump(connection))
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.confirmation_option(prompt="All accounts, keys and servers there are give way. Go on?")
@with_stored_settings
def restore(file: Path, **settings: Any) -> None:
    """Put the content of FILE, which `backup` wrote, in the place of all that is there.

    Everybody has to sign in again; keys that were revoked and people who were locked out since stay
    so. What the audit log said since gives way. The backend may run meanwhile.
    """
    from hostpulse.control.backup import NoBackup, load

    try:
        with _office(settings) as office:
            entries, last, _ = office.people.log.verify()
            with gzip.open(file) as lines, office.store.system_transaction() as connection:
                counts = load(connection, lines)
            gave_way = f"{file.name}, in the place of {entries} entries up to {last[:12]}"
            office.people.log.write(office.by, "restore a backup", gave_way)
    except (NoBackup, OSError, EOFError) as error:
        raise click.ClickException(f"{file}: {error} Nothing was changed.") from error
    for name, number in counts.items():
        click.echo(f"{number:>8}  {name}")


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
