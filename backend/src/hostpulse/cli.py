"""The command `hostpulse`: every setting as a flag, and what to do with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hostpulse import __version__
from hostpulse.config import ENVIRONMENT_PREFIX, SETTINGS, Config, ConfigError, load

WRONG_CONFIGURATION = 78  # EX_CONFIG: systemd is told not to try again


def _with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    for setting in reversed(SETTINGS):
        flag = "--" + setting.name.replace("_", "-")
        shown = f"  [default: {setting.default}]" if setting.default != "" else ""
        command = click.option(flag, setting.name, help=setting.metadata["help"] + shown)(command)
    file = click.Path(path_type=Path, dir_okay=False)
    return click.option(
        "--config",
        "config_file",
        type=file,
        envvar=f"{ENVIRONMENT_PREFIX}CONFIG",
        help="TOML file with settings.",
    )(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """Monitor Linux servers: receive what agents report, store it, show it.

    Every setting can be a flag, a variable HOSTPULSE_<SETTING>, or a line of the --config file; the
    first of these wins.
    """


@main.command()
@_with_settings
def serve(config_file: Path | None, **flags: Any) -> None:
    """Run the backend."""
    _run(_load(config_file, flags), with_agent=False)


@main.command()
@_with_settings
def up(config_file: Path | None, **flags: Any) -> None:
    """Run the backend and an agent for this machine."""
    _run(_load(config_file, flags), with_agent=True)


def _load(config_file: Path | None, flags: dict[str, Any]) -> Config:
    try:
        return load(flags, os.environ, config_file)
    except ConfigError as error:
        raise _Refused(str(error)) from error


class _Refused(click.ClickException):
    """A sentence on standard error instead of a start."""

    exit_code = WRONG_CONFIGURATION


def _run(config: Config, with_agent: bool) -> None:
    # Imported here, so that the commands that only print help stay quick.
    from hostpulse import local_agent, logs
    from hostpulse import serve as serving
    from hostpulse.api.pages import DashboardMissing
    from hostpulse.control.store import StoreAway
    from hostpulse.parts import build
    from hostpulse.workers import serve_with_workers

    logs.set_up(config.log_format, config.log_level)
    try:
        agent_command = local_agent.command(config) if with_agent else None
        parts = build(config)
        listener = serving.listen(config)
        click.echo(f"Hostpulse is on {address(config)}  (Ctrl-C stops it)")
        with local_agent.running(agent_command):
            if config.workers == 1:
                serving.serve(parts, listener)
            else:
                parts.close()  # they were made to see whether they can be
                serve_with_workers(config, listener)
    except (serving.AddressTaken, StoreAway) as error:
        raise click.ClickException(str(error)) from error
    except (ConfigError, DashboardMissing, local_agent.AgentMissing) as error:
        raise _Refused(str(error)) from error


def address(config: Config) -> str:
    """Return the address a person types."""
    host = "localhost" if config.host in ("127.0.0.1", "0.0.0.0", "::1", "::") else config.host  # noqa: S104
    return f"http://{host}:{config.port}"
