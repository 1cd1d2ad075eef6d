"""The parts of one run, put together from the settings."""

from __future__ import annotations

import os
import time
from pathlib import Path

from hostpulse_agent.clock import Clock
from hostpulse_agent.collectors import COLLECTORS, Collector
from hostpulse_agent.collectors.facts import machine_id
from hostpulse_agent.config import OFF, Config, ConfigError
from hostpulse_agent.custom import CustomError
from hostpulse_agent.delivery import Delivery
from hostpulse_agent.host import Host
from hostpulse_agent.journal import Journal
from hostpulse_agent.key import KeyFile
from hostpulse_agent.loop import Grid, grid_offset
from hostpulse_agent.proc import Tree
from hostpulse_agent.refused import Refused
from hostpulse_agent.report import Reporter, Self, boot_id, encoded
from hostpulse_agent.sender import Transport
from hostpulse_agent.spool import Limits, Spool

PRIME_SECONDS = 1.0
MEMORY_SECONDS = 600
MAX_CUSTOM_SECONDS = 3.0
RUN_BYTES = 4


def _host(config: Config, tree: Tree) -> Host:
    return Host(
        tree,
        custom_file=config.custom_file,
        custom_dir=config.custom_dir,
        # However slow a source is, the report is out well before the next one.
        custom_seconds=min(MAX_CUSTOM_SECONDS, config.interval / 2),
    )


class Agent:
    """Makes reports, and the things that carry them."""

    def __init__(self, config: Config, tree: Tree) -> None:
        self.config = config
        self.tree = tree
        self.clock = Clock()
        host = _host(config, tree)
        try:
            collectors: list[Collector] = [collector(host) for collector in COLLECTORS]
        except CustomError as error:
            raise ConfigError(f"custom_file: {error}") from error
        self.reporter = Reporter(config.hostname, config.tags, config.interval, collectors)
        self._self = Self(self.clock.monotonic)
        self._boot_id = boot_id(tree)
        self._run = os.urandom(RUN_BYTES).hex()

    def report(self, planned: float, delivery: dict[str, int]) -> bytes:
        """Return the report of one instant as the bytes that are sent."""
        about: dict[str, object] = {"run": self._run, "clock_offset_ms": self.clock.offset_ms}
        if self._boot_id:
            about["boot_id"] = self._boot_id
        about.update(self._self.measure())
        about.update(delivery)
        return encoded(self.reporter.report(planned, about))

    def single_report(self) -> bytes:
        """Return one report with rates, a second after the first look."""
        self.reporter.prime()
        time.sleep(PRIME_SECONDS)
        return self.report(self.clock.wall(), {})

    def transport(self) -> Transport:
        config = self.config
        return Transport(
            config.server, KeyFile(config.key_file).key, config.ca_file, config.timeout
        )

    def delivery(self, journal: Journal) -> Delivery:
        """Return what takes the reports to the server, with the spool of the settings."""
        config = self.config
        limits = Limits(
            max_bytes=int(config.spool_mib * 1024 * 1024),
            max_age_ms=int(config.spool_hours * 3600 * 1000),
            max_in_memory=max(2, int(MEMORY_SECONDS / config.interval)),
        )
        directory = None if config.spool == OFF else Path(config.spool)
        if directory is None:
            journal.event("no spool: while the server is away only the last 10 minutes are kept")
        spool = Spool(directory, limits)
        return Delivery(self.transport(), spool, self.clock, journal, Refused(directory, journal))

    def grid(self) -> Grid:
        identity = machine_id(self.tree) or self.config.hostname
        offset = grid_offset(identity, self.config.interval)
        return Grid(self.config.interval, offset, self.clock.wall())
