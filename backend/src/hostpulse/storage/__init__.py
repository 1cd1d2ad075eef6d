"""Where samples rest: the Storage protocol and the URLs that choose one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hostpulse.report import Key, Sample
from hostpulse.storage.series import History, Wanted, Window

__all__ = ["Appended", "History", "Storage", "StorageError", "Wanted", "Window", "open_storage"]


class StorageError(Exception):
    """The storage cannot do what was asked; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of the samples of one append."""

    accepted: int = 0
    duplicates: int = 0
    expired: int = 0


class Storage(Protocol):
    """Keeps samples. The tenant comes first, always; servers are named by their id."""

    durability: str
    """What an acknowledged sample is safe from: 'memory' means kept until the process ends."""

    def append(self, tenant: str, samples: Sequence[Sample]) -> Appended:
        """Keep the samples; one already kept for its server and time changes nothing.

        Raises StorageError, and then nothing was acknowledged.
        """

    def history(self, tenant: str, server: str, wanted: Wanted, window: Window) -> History:
        """Return a series for each wanted key that has a value in the window."""

    def series(self, tenant: str, server: str) -> list[Key]:
        """Return every key that the server's kept samples have, in their order."""

    def forget(self, tenant: str, server: str) -> None:
        """Drop all samples of a server."""

    def check(self) -> None:
        """Return if the storage can take samples now; raises StorageError."""

    def close(self) -> None:
        """Let go of files and connections; no call follows."""


def _memory(_url: str) -> Storage:
    from hostpulse.storage.memory import MemoryStorage

    return MemoryStorage()


STORAGES: dict[str, Callable[[str], Storage]] = {"memory": _memory}


def open_storage(url: str) -> Storage:
    """Open the storage that `url` names; raises StorageError for one that does not exist."""
    scheme = url.partition(":")[0]
    if scheme not in STORAGES:
        known = ", ".join(f"{name}://" for name in STORAGES)
        raise StorageError(f"storage: {url!r} is not known; use one of: {known}")
    return STORAGES[scheme](url)
