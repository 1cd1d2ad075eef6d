"""Puts a new file in an old one's place: whole, safe on disk, and its owner's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, TextIO

from hostpulse_agent.config import ConfigError


@contextmanager
def replacing(path: Path, mode: int) -> Iterator[Callable[[str], None]]:
    """Yield what puts a text in the file's place; without a call nothing changes.

    The draft is made at once, so that a folder that takes no file is known before it matters, and
    nobody but its owner can read it before the text is there. A link is replaced, not followed.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    draft = Path(name)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:

        def put(text: str) -> None:
            try:
                _give_to_owner(descriptor, path)
                os.fchmod(descriptor, mode)
                _write(file, text)
                draft.replace(path)
                _sync_folder(path.parent)
            except OSError as error:
                raise ConfigError(f"cannot write {path}: {error.strerror}") from error

        try:
            yield put
        finally:
            draft.unlink(missing_ok=True)


def _give_to_owner(descriptor: int, path: Path) -> None:
    """Give root's draft to whom the old file belongs, or else the folder: the agent's own user."""
    if os.geteuid() != 0:
        return
    try:
        found = path.lstat()
    except FileNotFoundError:
        found = path.parent.stat()
    os.fchown(descriptor, found.st_uid, found.st_gid)


def _write(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
