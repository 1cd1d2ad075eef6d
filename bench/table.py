"""What a bench says: tables, and targets that are met or missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """A figure and the limit it is measured against."""

    name: str
    value: float
    limit: float
    unit: str = "x"

    def __str__(self) -> str:
        verdict = "met" if self.value <= self.limit else "missed"
        figure, most = f"{self.value:.2f} {self.unit}", f"{self.limit:g} {self.unit}"
        return f"{verdict}: {self.name}: {figure} (at most {most})"


@dataclass
class Result:
    """One bench: its heading, tables and notes in Markdown, its targets."""

    title: str
    parts: list[str] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def __str__(self) -> str:
        targets = "\n".join(f"- {target}" for target in self.targets)
        return "\n\n".join([f"### {self.title}", *self.parts, *([targets] if targets else [])])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table whose columns are aligned in a terminal too."""
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    rule = ["-" * width for width in widths]
    lines = [_line(head, widths), _line(rule, widths), *(_line(row, widths) for row in rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    numbers = [cell.strip().rjust(len(cell)) for cell in rest]
    return "| " + " | ".join([first, *numbers]) + " |"
