"""How the link of the first owner reaches whoever started the backend."""

from __future__ import annotations

import os
import sys

import click
import structlog

from hostpulse.config import Config, ConfigError, address, data_folder, is_loopback

FILE = "setup-link"
_WANTED = (
    "host: nobody owns this server yet, and whoever reaches it first could; make the owner with "
    "hostpulse user first-owner NAME, or start it once on 127.0.0.1 and open the link."
)
_PLAIN_HTTP = "plain_http: passwords and keys travel readable; use it on a closed network alone"


def forget_link(config: Config) -> None:
    """Remove the file of a link that is good for nothing any more."""
    (data_folder(config) / FILE).unlink(missing_ok=True)


def check_exposure(config: Config, is_owned: bool) -> None:
    """Refuse an address that others reach before there is an owner; raises ConfigError."""
    if is_loopback(config.host):
        return
    if not is_owned:
        raise ConfigError(_WANTED)
    if config.plain_http:
        structlog.get_logger("hostpulse").warning(_PLAIN_HTTP)


def tell(config: Config, token: str) -> None:
    """Print the link where a person reads along, else put it into a file of this user's."""
    link = f"{address(config)}/welcome#{token}"
    if sys.stdout.isatty():
        click.echo(f"Nobody owns it yet. Open this, once, within 24 hours:\n\n  {link}\n")
        return
    file = data_folder(config) / FILE
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(f"{link}\n")
    click.echo(f"Nobody owns it yet. Open the link in {file}, once, within 24 hours.")
