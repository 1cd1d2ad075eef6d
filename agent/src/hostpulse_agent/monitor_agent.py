"""The command `hostpulse-agent`: reads its settings, then reports until it is told to end."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from hostpulse_agent import __version__
from hostpulse_agent.clock import Clock
from hostpulse_agent.collectors import COLLECTORS, Collector
from hostpulse_agent.collectors.facts import machine_id
from hostpulse_agent.config import OFF, Config, ConfigError, load, read_key
from hostpulse_agent.delivery import Delivery
from hostpulse_agent.host import Host
from hostpulse_agent.journal import Journal
from hostpulse_agent.loop import Grid, grid_offset, run
from hostpulse_agent.notify import Systemd
from hostpulse_agent.proc import Tree
from hostpulse_agent.refused import Refused
from hostpulse_agent.report import Reporter, Self, boot_id, encoded
from hostpulse_agent.sender import Transport, body_of, gzipped
from hostpulse_agent.spool import Limits, Spool, SpoolError
from hostpulse_agent.stop import Stop

EXIT_CONFIG = 78  # EX_CONFIG: systemd does not start it again and again
PRIME_SECONDS = 1.0
MEMORY_SECONDS = 600


class Agent:
    """The parts of one run, put together."""

    def __init__(self, config: Config, tree: Tree) -> None:
        self.config = config
        self.tree = tree
        self.clock = Clock()
        host = Host(tree)
        collectors: list[Collector] = [collector(host) for collector in COLLECTORS]
        self.reporter = Reporter(config.hostname, config.tags, config.interval, collectors)
        self._self = Self(self.clock.monotonic)
        self._boot_id = boot_id(tree)

    def report(self, planned: float, delivery: dict[str, int]) -> dict[str, object]:
        """Return the report of one instant."""
        about: dict[str, object] = {"clock_offset_ms": self.clock.offset_ms}
        if self._boot_id:
            about["boot_id"] = self._boot_id
        about.update(self._self.measure())
        about.update(delivery)
        return self.reporter.report(planned, about)

    def first_report(self) -> dict[str, object]:
        """Return one report with rates, a second after the first look."""
        self.reporter.prime()
        time.sleep(PRIME_SECONDS)
        return self.report(self.clock.wall(), {})

    def transport(self) -> Transport:
        config = self.config
        return Transport(
            config.server, partial(read_key, config.key_file), config.ca_file, config.timeout
        )

    def grid(self) -> Grid:
        identity = machine_id(self.tree) or self.config.hostname
        offset = grid_offset(identity, self.config.interval)
        return Grid(self.config.interval, offset, self.clock.wall())


def _limits(config: Config) -> Limits:
    return Limits(
        max_bytes=int(config.spool_mib * 1024 * 1024),
        max_age_ms=int(config.spool_hours * 3600 * 1000),
        max_in_memory=max(2, int(MEMORY_SECONDS / config.interval)),
    )


def _send_once(agent: Agent) -> int:
    report = encoded(agent.first_report())
    answer = agent.transport().post(gzipped(body_of([report])))
    print(answer.body.decode("utf-8", "replace"))
    return 0 if answer.status == 200 else 1


def _print(agent: Agent, is_once: bool) -> int:
    stop = Stop()

    def tick(planned: float) -> None:
        print(json.dumps(agent.report(planned, {}), indent=2), flush=True)
        stop.is_asked = stop.is_asked or is_once

    agent.reporter.prime()
    run(agent.grid(), agent.clock.wall, stop.is_asked_in, tick)
    return 0


def _run(agent: Agent, journal: Journal) -> int:
    config = agent.config
    systemd = Systemd(os.environ)
    stop = Stop()
    directory = None if config.spool == OFF else Path(config.spool)
    if directory is None:
        journal.event("no spool: while the server is away only the last 10 minutes are kept")
    transport = agent.transport()
    spool = Spool(directory, _limits(config))
    delivery = Delivery(transport, spool, agent.clock, journal, Refused(directory, journal))

    def tick(planned: float) -> None:
        step = agent.clock.stepped_seconds()
        if step:
            journal.event(f"the clock was set by {step:+.1f} s")
        report = agent.report(planned, delivery.state())
        delivery.offer(round(planned * 1000), encoded(report))

    def is_stopped_in(seconds: float) -> bool:
        """Sleep, and tell systemd now and then that the loop lives."""
        until = agent.clock.monotonic() + seconds
        while True:
            systemd.alive()
            left = until - agent.clock.monotonic()
            if stop.is_asked_in(min(left, systemd.ping_seconds or left)):
                return True
            if agent.clock.monotonic() >= until:
                return False

    agent.reporter.prime()
    delivery.start()
    systemd.ready(f"reporting to {config.server}")
    journal.event(f"reporting {config.hostname} to {config.server} every {config.interval} s")
    run(agent.grid(), agent.clock.wall, is_stopped_in, tick)
    systemd.stopping()
    delivery.stop()
    return 0


def _start(config: Config, flags: argparse.Namespace) -> int:
    if flags.audit:
        return 0
    agent = Agent(config, Tree(config.root))
    if flags.print:
        return _print(agent, flags.once)
    if flags.once:
        return _send_once(agent)
    return _run(agent, Journal())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        config, flags = load(given, os.environ, f"hostpulse-agent {__version__}")
        return _start(config, flags)
    except (ConfigError, SpoolError) as error:
        print(f"hostpulse-agent: {error}", file=sys.stderr)
        return EXIT_CONFIG


if __name__ == "__main__":
    sys.exit(main())
