"""Runs every collector on its own: one that fails costs its subject and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

from hostpulse_agent.collectors import Collector

MAX_ERRORS = 10
MAX_ERROR_CHARACTERS = 200


@dataclass
class Collected:
    """The sections of one report, and what went wrong."""

    sections: dict[str, dict[str, object]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    failed: int = 0
    took_ms: float = 0.0

    def merge(self, part: dict[str, object]) -> None:
        """Add one collector's part; several of them fill the same section."""
        for section, values in part.items():
            if isinstance(values, dict):
                self.sections.setdefault(section, {}).update(values)


def sentence(name: str, error: Exception) -> str:
    """Say in one line which collector failed and why."""
    return f"{name}: {type(error).__name__}: {error}"[:MAX_ERROR_CHARACTERS]


def collect(collectors: Sequence[Collector]) -> Collected:
    """Ask every collector in turn."""
    collected = Collected()
    began = perf_counter()
    for collector in collectors:
        try:
            collected.merge(collector.collect(collected.errors))
        except Exception as error:  # noqa: BLE001 - a kernel shows odd things; the rest must go on
            collected.failed += 1
            collected.errors.append(sentence(collector.name, error))
    del collected.errors[MAX_ERRORS:]
    collected.took_ms = round((perf_counter() - began) * 1000.0, 2)
    return collected
