"""Makes one report: what was collected, when, by whom."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Callable

from hostpulse_agent import __version__
from hostpulse_agent.collect import collect
from hostpulse_agent.collectors import Collector
from hostpulse_agent.proc import Tree

ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def stamp(seconds: float) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(round(seconds, 3), timezone.utc)
    return moment.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


class Self:
    """What the agent costs: its share of one core and its memory."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._used, self._at = self._cpu_seconds(), monotonic()
        self._tree = Tree()
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    @staticmethod
    def _cpu_seconds() -> float:
        spent = os.times()
        return time.process_time() + spent.children_user + spent.children_system

    def measure(self) -> dict[str, float]:
        used, at = self._cpu_seconds(), self._monotonic()
        found: dict[str, float] = {}
        if at > self._at:
            found["cpu_percent"] = round(100.0 * (used - self._used) / (at - self._at), 2)
        self._used, self._at = used, at
        pages = self._tree.maybe("proc/self/statm").split()
        if pages:
            found["rss_bytes"] = int(pages[1]) * self._page_bytes
        return found


class Reporter:
    """Collects and puts together the report of one instant."""

    def __init__(
        self, hostname: str, tags: Sequence[str], interval: float, collectors: list[Collector]
    ) -> None:
        self._hostname = hostname
        self._tags = list(tags)
        self._interval = interval
        self._collectors = collectors

    def prime(self) -> None:
        """Read every counter once, so that the next report has rates."""
        collect(self._collectors)

    def report(self, planned: float, agent: dict[str, object]) -> dict[str, object]:
        """Return the report of a planned instant; `agent` says what only the caller knows."""
        collected = collect(self._collectors)
        about: dict[str, object] = {
            "version": __version__,
            "interval_seconds": self._interval,
            **agent,
            "collect_ms": collected.took_ms,
            "collectors_failed": collected.failed,
        }
        if collected.errors:
            about["errors"] = collected.errors
        report: dict[str, object] = {"hostname": self._hostname, "timestamp": stamp(planned)}
        if self._tags:
            report["tags"] = self._tags
        return {**report, "agent": about, **collected.sections}


def encoded(report: dict[str, object]) -> bytes:
    """Return a report as the bytes that are sent."""
    return ENCODER.encode(report).encode("ascii")


def boot_id(tree: Tree) -> str | None:
    return tree.maybe("proc/sys/kernel/random/boot_id").strip() or None
