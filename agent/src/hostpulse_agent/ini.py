"""Changes lines of an INI text, and leaves the others as somebody wrote them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping


def with_settings(text: str, section: str, settings: Mapping[str, str]) -> str:
    """Return the text with these settings first in the section, which it must have."""
    lines = _without(text, section, settings)
    place = next(at for at, line in enumerate(lines, 1) if _header(line) == section)
    # A line deeper than these would be a part of the last one's value.
    indent = next((_indent(line) for line in lines[place:] if _says(line)), 0) * " "
    lines[place:place] = [f"{indent}{name} = {value}" for name, value in settings.items()]
    return "".join(f"{line}\n" for line in lines)


def without_settings(text: str, section: str, names: Collection[str]) -> str:
    """Return the text without these settings; nothing when the section's header alone is left."""
    lines = _without(text, section, names)
    if [line.strip() for line in lines if line.strip()] == [f"[{section}]"]:
        return ""
    return "".join(f"{line}\n" for line in lines)


def _without(text: str, section: str, names: Collection[str]) -> list[str]:
    kept: list[str] = []
    is_here = is_taken = False
    depth: int | None = None  # of the option that deeper lines belong to
    for line in text.removesuffix("\n").split("\n"):
        if not _says(line):
            kept.append(line)
            continue
        indent = _indent(line)
        if depth is None or indent <= depth:
            header = _header(line)
            is_here = header == section if header else is_here
            is_taken = is_here and not header and _option(line) in names
            depth = None if header else indent
        if not is_taken:
            kept.append(line)
    return kept


def _says(line: str) -> bool:
    return bool(line.strip()) and line.lstrip()[0] not in "#;"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _header(line: str) -> str:
    found = re.match(r"\s*\[(.+)\]", line)
    return found[1] if found else ""


def _option(line: str) -> str:
    return re.split("[=:]", line, maxsplit=1)[0].strip().lower()
