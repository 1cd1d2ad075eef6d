"""The key of this agent: a file that holds nothing else, read anew when it was replaced."""

from __future__ import annotations

import os
import re
from pathlib import Path

from hostpulse_agent.config import ConfigError

KEY = re.compile(r"[\x21-\x7e]{1,1024}")
OURS = re.compile(r"hp_[a-z]+_[A-Za-z0-9_-]+")


def without_keys(text: str) -> str:
    """Return a text in which no key or token of Hostpulse can be read."""
    return OURS.sub("(a key)", text)


def read_key(path: str) -> str | None:
    """Return the key in a file; None without a file or with an empty one."""
    if not path:
        return None
    try:
        key = Path(path).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"key_file: cannot read a key from {path}") from error
    if not key:
        return None
    if not KEY.fullmatch(key):
        raise ConfigError(f"key_file: {path} must hold one key and nothing else")
    return key


class KeyFile:
    """The key in a file, which may be replaced at any time.

    While the file is away or holds no key the last one stays in use: somebody may be writing it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen = self._version()
        self._key = read_key(path)

    def key(self) -> str | None:
        """Return the key; a look at the file's times tells whether to read it again."""
        version = self._version()
        if version is not None and version != self._seen:
            try:
                self._key = read_key(self._path)
            except ConfigError:
                return self._key
            self._seen = version
        return self._key

    def _version(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - Path objects cost more
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
