"""What a server says of itself that hardly ever changes."""

from __future__ import annotations

from math import nan
from typing import Any, NamedTuple

DEFAULT_INTERVAL_SECONDS = 5.0


class Facts(NamedTuple):
    """Kept for each server; `interval_seconds` is the default where the agent announced none.

    `run` is another one after each start of the agent, or of the machine where it names none.
    """

    os: str = ""
    kernel: str = ""
    agent_version: str = ""
    interval_seconds: float = DEFAULT_INTERVAL_SECONDS
    tags: tuple[str, ...] = ()
    cpu_count_logical: float = nan
    memory_total: float = nan
    run: str = ""

    @classmethod
    def of(cls, report: Any) -> Facts:
        """Read the facts out of a report."""
        system, agent, cpu, memory = report.system, report.agent, report.cpu, report.memory
        announced = agent.interval_seconds if agent else 0.0
        return cls(
            system.os if system else "",
            system.kernel if system else "",
            agent.version if agent else "",
            announced if announced > 0 else DEFAULT_INTERVAL_SECONDS,
            tuple(report.tags),
            cpu.cpu_count_logical if cpu else nan,
            memory.memory_total if memory else nan,
            (agent.run or agent.boot_id) if agent else "",
        )
