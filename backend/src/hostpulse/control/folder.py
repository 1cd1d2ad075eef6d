"""The data folder belongs to one process at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hostpulse.config import ConfigError

if TYPE_CHECKING:
    from filelock import BaseFileLock


def lock_folder(folder: Path) -> BaseFileLock:
    """Take the folder until `release()` or the end of the process; raises ConfigError."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "hostpulse.lock", timeout=0, mode=0o600, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise ConfigError(
            f"data_dir: another Hostpulse keeps its list of servers in {folder}; stop it, or give "
            "this one a folder of its own with --data-dir, wherever its samples are."
        ) from error
    return lock
