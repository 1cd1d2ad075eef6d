"""The commands that look at what is stored; a backend may run meanwhile."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

import click

from hostpulse.cli_settings import Refused, load_settings, with_stored_settings, with_tenant
from hostpulse.config import Config, ConfigError

if TYPE_CHECKING:
    from hostpulse.control.store import ControlStore
    from hostpulse.report import Sample
    from hostpulse.storage import Storage


@click.command()
@click.argument("server")
@with_tenant
@click.option(
    "--start", default="-1d", help="First moment: -7d, ISO 8601 or epoch ms.", show_default=True
)
@click.option("--end", default="now", help="The moment after the last one.", show_default=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "parquet"]),
    default="csv",
    help="Form of the table.",
    show_default=True,
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    help="File to write; - is standard output.",
)
@with_stored_settings
def export(
    server: str, tenant: str, start: str, end: str, form: str, output: str, **settings: Any
) -> None:
    """Write the samples of SERVER (id or hostname) as a table.

    It may run beside the backend.
    """
    from hostpulse.control.store import StoreAway
    from hostpulse.export import WRITERS, ExportError, find_server, in_order
    from hostpulse.storage import StorageError

    config = load_settings(settings)
    try:
        with _stores(config) as (control, storage, now_ms):
            start_ms, end_ms = _moment("start", start, now_ms), _moment("end", end, now_ms)
            row = find_server(control, tenant, server)
            keys = in_order(storage.series(tenant, row.id))
            samples = storage.samples(tenant, row.id, start_ms, end_ms)
            with (
                _written(output) as out,
                _progress(samples, start_ms, end_ms, now_ms) as watched,
            ):
                WRITERS[form](out, keys, watched)
    except (ExportError, StorageError, StoreAway) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _written(output: str) -> Iterator[IO[bytes]]:
    """Open what to write to; say in words if it cannot be written to its end."""
    where: str | int = sys.stdout.fileno() if output == "-" else output
    try:
        with open(where, "wb", closefd=output != "-") as out:
            yield out
    except OSError as error:
        if error.errno == errno.EPIPE:  # who read it has enough
            raise
        name = "standard output" if output == "-" else output
        raise click.ClickException(
            f"output: cannot write all of {name} ({error.strerror or error}); what is there is not "
            "whole. See to that, or choose another place with --output, and export again."
        ) from error


@contextmanager
def _stores(config: Config) -> Iterator[tuple[ControlStore, Storage, int]]:
    """Open what a backend keeps, to read; it may run meanwhile."""
    from hostpulse.config import data_folder
    from hostpulse.control.store import open_to_read
    from hostpulse.parts import storage_options, wall_clock_ms
    from hostpulse.storage import open_storage

    if config.storage.startswith("memory:"):
        raise Refused("storage: memory:// keeps samples inside the backend; ask its API.")
    try:
        control = open_to_read(config.control, data_folder(config))
        options = replace(storage_options(config, wall_clock_ms), read_only=True)
        with closing(control), closing(open_storage(config.storage, options)) as storage:
            yield control, storage, wall_clock_ms()
    except ConfigError as error:
        raise Refused(str(error)) from error


def _moment(name: str, text: str, now_ms: int) -> int:
    from hostpulse.api.query import parse_time

    found = parse_time(text, now_ms)
    if found is None:
        raise click.BadParameter(
            "use epoch milliseconds, an ISO 8601 time, now, or a span such as -1h.",
            param_hint=f"--{name}",
        )
    return found


@contextmanager
def _progress(
    samples: Iterator[Sample], start_ms: int, end_ms: int, now_ms: int
) -> Iterator[Iterator[Sample]]:
    """Show on standard error, if a person looks at it, how far the samples have come."""
    if not sys.stderr.isatty():
        yield samples
        return
    length = max(min(end_ms, now_ms) - start_ms, 1)
    with click.progressbar(length=length, file=sys.stderr, label="Exporting") as bar:

        def watched() -> Iterator[Sample]:
            done_ms = start_ms
            for sample in samples:
                yield sample
                if sample.time_ms - done_ms > length // 200:
                    bar.update(sample.time_ms - done_ms)
                    done_ms = sample.time_ms
            bar.update(max(length - (done_ms - start_ms), 0))

        yield watched()


@click.group()
def storage() -> None:
    """Look at what is stored."""


@storage.command()
@with_stored_settings
def status(**settings: Any) -> None:
    """Show what the samples take, by tier and server, and what they will take."""
    from hostpulse.control.server_rows import changed_after
    from hostpulse.storage import StorageError
    from hostpulse.storage_report import lines

    config = load_settings(settings)
    try:
        with _stores(config) as (control, storage, now_ms):
            with control.system_transaction() as connection:
                names = {(row.tenant, row.id): row.hostname for row in changed_after(connection, 0)}
            for line in lines(storage.usage(), storage.lost(), names, now_ms):
                click.echo(line)
    except StorageError as error:
        raise click.ClickException(str(error)) from error
