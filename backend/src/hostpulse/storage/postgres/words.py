"""Texts that PostgreSQL cannot hold, written so that it can, and read back as they were."""

from __future__ import annotations

import re

# NUL and lone surrogates are no text to PostgreSQL; the last code point marks how they are written.
_MARK = "\U0010ffff"
_ODD = re.compile(f"[\0\ud800-\udfff{_MARK}]")
_WRITTEN = re.compile(f"{_MARK}([0-9a-f]{{6}})")


def to_text(text: str) -> str:
    """Return a text that PostgreSQL holds; almost always the same one."""
    return _ODD.sub(lambda found: f"{_MARK}{ord(found[0]):06x}", text)


def from_text(text: str) -> str:
    """Return what `to_text` was given."""
    return _WRITTEN.sub(lambda found: chr(int(found[1], 16)), text) if _MARK in text else text
