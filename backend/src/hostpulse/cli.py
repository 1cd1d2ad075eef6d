"""The command `hostpulse` and how it starts the backend."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from hostpulse import __version__
from hostpulse.cli_settings import Refused, load_settings, with_settings
from hostpulse.config import Config, ConfigError, address

if TYPE_CHECKING:
    from hostpulse.parts import Parts

_ACCESS = ("enrol", "key", "user", "tenant", "audit", "backup", "restore")
_LATER = dict.fromkeys(_ACCESS, "hostpulse.cli_access") | dict.fromkeys(
    ("export", "storage"), "hostpulse.cli_stored"
)


class _Commands(click.Group):
    """Imports a command when it is asked for: a backend needs none but its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LATER])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LATER:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(_LATER[cmd_name]), cmd_name)
        return command


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__)
def main() -> None:
    """Monitor Linux servers: receive what agents report, store it, show it.

    Every setting can be a flag, a variable HOSTPULSE_<SETTING>, or a line of the --config file; the
    first of these wins.
    """


@main.command()
@with_settings
def serve(**settings: Any) -> None:
    """Run the backend."""
    _run(load_settings(settings), with_agent=False)


@main.command()
@with_settings
def up(**settings: Any) -> None:
    """Run the backend and an agent for this machine."""
    _run(load_settings(settings), with_agent=True)


def _built(config: Config) -> tuple[Parts, bool]:
    """Return the parts of a backend, and whether it has an owner; raises ConfigError, StoreAway."""
    from hostpulse import first_owner
    from hostpulse.parts import build

    parts = build(config)
    is_owned = not (config.auth and parts.people.links.needs_setup())
    try:
        first_owner.check_exposure(config, is_owned)
    except ConfigError:
        parts.close()
        raise
    if is_owned:
        first_owner.forget_link(config)
    return parts, is_owned


def _run(config: Config, with_agent: bool) -> None:
    # Imported here, so that the commands that only print help stay quick.
    from hostpulse import first_owner, local_agent, logs
    from hostpulse import serve as serving
    from hostpulse.api.pages import DashboardMissing
    from hostpulse.control.store import StoreAway
    from hostpulse.workers import serve_with_workers

    logs.set_up(config.log_format, config.log_level)
    try:
        agent_command = local_agent.command(config) if with_agent else None
        parts, is_owned = _built(config)
        listener = serving.listen(config)
        click.echo(f"Hostpulse is on {address(config)}  (Ctrl-C stops it)")
        if not is_owned:
            first_owner.tell(config, parts.people.links.make_setup())
        with local_agent.running(agent_command):
            if config.workers == 1:
                serving.serve(parts, listener)
            else:
                parts.close()  # they were made to see whether they can be
                serve_with_workers(config, listener)
    except (serving.AddressTaken, StoreAway) as error:
        raise click.ClickException(str(error)) from error
    except (ConfigError, DashboardMissing, local_agent.AgentMissing) as error:
        raise Refused(str(error)) from error
