"""Settings as flags of a command, and the refusal of those that cannot be right."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import Field
from pathlib import Path
from typing import Any

import click

from hostpulse.access.principal import DEFAULT_TENANT
from hostpulse.config import ENVIRONMENT_PREFIX, SETTINGS, Config, ConfigError, load

_KINDS = {"bool": bool}
WRONG_CONFIGURATION = 78  # EX_CONFIG: systemd is told not to try again

_STORED = frozenset(
    {
        "storage",
        "raw_retention_hours",
        "minute_retention_days",
        "hour_retention_days",
        "disk_budget_mb",
        "data_dir",
        "control",
    }
)
_ADDRESS = frozenset({"host", "port", "tls_cert", "tls_key", "public_url"})


def with_settings(
    command: Callable[..., Any], settings: Sequence[Field[Any]] = SETTINGS
) -> Callable[..., Any]:
    """Give a command the flags of `settings`, and --config."""
    for setting in reversed(settings):
        flag = "--" + setting.name.replace("_", "-")
        shown = f"  [default: {setting.default}]" if setting.default != "" else ""
        if setting.type == "bool":
            flag = f"{flag}/--no-{flag[2:]}"
        text, kind = setting.metadata["help"] + shown, _KINDS.get(str(setting.type))
        command = click.option(flag, setting.name, help=text, type=kind, default=None)(command)
    file = click.Path(path_type=Path, dir_okay=False)
    return click.option(
        "--config",
        "config_file",
        type=file,
        envvar=f"{ENVIRONMENT_PREFIX}CONFIG",
        help="TOML file with settings.",
    )(command)


def with_stored_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags that say where things are stored, and --config."""
    return with_settings(command, [setting for setting in SETTINGS if setting.name in _STORED])


def with_address(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command, which prints a link, those flags and the ones that say where it leads."""
    wanted = _STORED | _ADDRESS
    return with_settings(command, [setting for setting in SETTINGS if setting.name in wanted])


with_tenant = click.option(
    "--tenant", default=DEFAULT_TENANT, help="Id of the organisation.", show_default=True
)
"""Gives a command the flag that says whose things it is about."""


def load_settings(given: dict[str, Any]) -> Config:
    """Return the settings that the flags of `with_settings` make; raises Refused."""
    file = given.pop("config_file")
    try:
        return load(given, os.environ, file)
    except ConfigError as error:
        raise Refused(str(error)) from error


class Refused(click.ClickException):
    """A sentence on standard error instead of a start."""

    exit_code = WRONG_CONFIGURATION
