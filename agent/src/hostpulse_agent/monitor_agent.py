"""The command `hostpulse-agent`: reads its settings, then reports until it is told to end."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from hostpulse_agent import __version__
from hostpulse_agent.agent import Agent
from hostpulse_agent.audit import audit_text
from hostpulse_agent.config import Config, ConfigError, load
from hostpulse_agent.journal import Journal
from hostpulse_agent.key import read_key, without_keys
from hostpulse_agent.loop import run
from hostpulse_agent.notify import Systemd
from hostpulse_agent.proc import Tree
from hostpulse_agent.sender import Unreachable, gzipped
from hostpulse_agent.spool import SpoolError
from hostpulse_agent.stop import Stop

EXIT_CONFIG = 78  # EX_CONFIG: systemd does not start it again and again


def _audit(config: Config) -> int:
    touched: set[str] = set()
    body = Agent(config, Tree(config.root, touched)).single_report()
    key = read_key(config.key_file)
    touched.update(path for path in (config.key_file, config.ca_file) if path)
    print(audit_text(config.server, key is not None, body, touched))
    return 0


def _send_once(agent: Agent) -> int:
    try:
        answer = agent.transport().post(gzipped(agent.single_report()))
    except Unreachable as error:
        print(f"hostpulse-agent: the server cannot be reached: {error}", file=sys.stderr)
        return 1
    print(answer.body.decode("utf-8", "replace"))
    return 0 if answer.status == 200 else 1


def _print(agent: Agent, is_once: bool) -> int:
    def show(report: bytes) -> None:
        print(json.dumps(json.loads(report), indent=2), flush=True)

    if is_once:
        show(agent.single_report())
        return 0
    stop = Stop()
    agent.reporter.prime()
    run(
        agent.grid(),
        agent.clock.wall,
        stop.is_asked_in,
        lambda planned: show(agent.report(planned, {})),
    )
    return 0


def _run(agent: Agent, journal: Journal) -> int:
    config = agent.config
    systemd = Systemd(os.environ)
    stop = Stop()
    delivery = agent.delivery(journal)

    def tick(planned: float) -> None:
        step = agent.clock.stepped_seconds()
        if step:
            journal.event(f"the clock was set by {step:+.1f} s")
        try:
            report = agent.report(planned, delivery.state())
        except Exception as error:  # noqa: BLE001 - the next report may be better
            journal.trouble("report", f"no report: {type(error).__name__}: {error}")
            return
        delivery.offer(round(planned * 1000), report)

    def is_stopped_in(seconds: float) -> bool:
        """Sleep, and tell systemd now and then that the loop lives."""
        until = agent.clock.monotonic() + seconds
        while not stop.is_asked:
            systemd.alive()
            left = until - agent.clock.monotonic()
            if left <= 0:
                return False
            stop.is_asked_in(min(left, systemd.ping_seconds or left))
        return True

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
        return _audit(config)
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
        if given and not given[0].startswith("-"):
            from hostpulse_agent.enrolment import carry_out  # a running agent has no need of it

            return carry_out(given[0], given[1:], os.environ)
        config, flags = load(given, os.environ, f"hostpulse-agent {__version__}")
        return _start(config, flags)
    except (ConfigError, SpoolError) as error:
        print(f"hostpulse-agent: {without_keys(str(error))}", file=sys.stderr)
        return EXIT_CONFIG
    except BrokenPipeError:  # whoever read what --print prints has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
