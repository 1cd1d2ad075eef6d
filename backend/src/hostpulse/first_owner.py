"""How the link of the first owner reaches whoever started the backend."""

from __future__ import annotations

import os
import sys

import click

from hostpulse.config import Config, address, data_folder

FILE = "setup-link"


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
