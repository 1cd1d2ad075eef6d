"""Files that are whole or absent after a power cut, and what to say when the disk refuses."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostpulse.storage import DiskFull, StorageError

TEMPORARY = ".tmp"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_file(path: Path, content: bytes | memoryview) -> None:
    """Make or replace a file; a crash leaves the old one or the new one."""
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - one word for the tests that crash after it
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, and what is missing above it, so that a power cut does not undo it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def told_in_words(doing: str) -> Iterator[None]:
    """Turn an error of the file system into a StorageError that begins with `doing`."""
    try:
        yield
    except OSError as error:
        raise in_words(doing, error) from error


def in_words(doing: str, error: OSError) -> StorageError:
    """Return what to raise for an error of the file system."""
    if error.errno in _NO_ROOM:
        return DiskFull(f"{doing}: the disk is full; make room, it goes on by itself.")
    reason = error.strerror or str(error)
    return StorageError(f"{doing}: {reason}; see to the disk, it goes on by itself once it can.")
