"""Disk space and inodes of each mounted file system."""

from __future__ import annotations

import os
from functools import partial

from hostpulse_agent.deadline import Late
from hostpulse_agent.host import FileSystem, Host
from hostpulse_agent.kept import SLOW_SECONDS, Kept
from hostpulse_agent.mounts import OWN_DEVICE_NUMBERS, Mount, parse

# A mount that went away just now, or one that is closed to the agent: nothing to tell.
GONE = (FileNotFoundError, PermissionError)


def _table(host: Host) -> bytes:
    """Read the machine's own mount table: a hardened unit of systemd shows the agent another."""
    try:
        return host.tree.content("proc/1/mountinfo", is_short_the_end=False)
    except OSError:
        return host.tree.content("proc/self/mountinfo", is_short_the_end=False)


def _device_number(device: int) -> int:
    """Bring a number of stat() into the form of the mount table."""
    return (os.major(device) << 20) | os.minor(device)


def describe(size: FileSystem, mount: Mount) -> dict[str, object]:
    """Return the numbers as `df` and `df -i` say them."""
    used = size.blocks - size.blocks_free
    described: dict[str, object] = {
        "device": mount.device,
        "mountpoint": mount.mountpoint,
        "fstype": mount.kind,
        "total": size.blocks * size.fragment_bytes,
        "used": used * size.fragment_bytes,
        "free": size.blocks_available * size.fragment_bytes,
    }
    reachable = used + size.blocks_available
    if reachable > 0:
        described["percent"] = round(100.0 * used / reachable, 1)
    if size.inodes > 0:
        inodes_used = size.inodes - size.inodes_free
        described["inodes_total"] = size.inodes
        described["inodes_used"] = inodes_used
        described["inodes_percent"] = round(100.0 * inodes_used / size.inodes, 1)
    described["readonly"] = int(mount.readonly)
    described["stuck"] = 0
    return described


def _is_seen(size: FileSystem, mount: Mount) -> bool:
    """Tell whether the path led to this file system and not to what lies beneath or above it."""
    if not size.is_directory:
        return False
    return mount.kind in OWN_DEVICE_NUMBERS or _device_number(size.device) == mount.device_number


class Disk:
    """Asks each file system in a thread with a deadline: a dead server's mount never answers."""

    name = "disk"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._unseen: set[Mount] = set()
        self._table = b""
        self._mounts: dict[str, Mount] = {}
        self._partitions = Kept(SLOW_SECONDS, self._ask)

    def collect(self, errors: list[str]) -> dict[str, object]:
        partitions, troubles = self._partitions.get(self._host.monotonic())
        errors += troubles
        return {"disk": {"partitions": partitions}}

    def _ask(self) -> tuple[list[dict[str, object]], list[str]]:
        """Return the partitions and what went wrong with some of them."""
        mounts = self._parsed(_table(self._host))
        root = self._host.tree.root.rstrip("/").encode()
        calls = {
            point: partial(self._host.file_system, root + mount.directory)
            for point, mount in mounts.items()
        }
        partitions: list[dict[str, object]] = []
        troubles: list[str] = []
        unseen = len(self._unseen)
        for point, outcome in self._host.deadline.run(calls).items():
            self._host.tree.path(point.lstrip("/"))
            partitions += self._partition(mounts[point], outcome, troubles)
        if len(self._unseen) > unseen:
            self._table = b""
            return self._ask()  # another mount of the same device may be the one to show
        return partitions, troubles

    def _parsed(self, table: bytes) -> dict[str, Mount]:
        """Return the mounts by their directories; a table that has not changed is not read anew."""
        if table != self._table:
            self._mounts = {mount.mountpoint: mount for mount in parse(table, self._unseen)}
            self._table = table
        return self._mounts

    def _partition(
        self, mount: Mount, outcome: object, errors: list[str]
    ) -> list[dict[str, object]]:
        if isinstance(outcome, FileSystem):
            if _is_seen(outcome, mount):
                return [describe(outcome, mount)] if outcome.blocks else []
            self._unseen.add(mount)
        elif isinstance(outcome, Late):
            errors.append(f"disk: {mount.mountpoint} does not answer")
            return [_stuck(mount)]
        elif isinstance(outcome, OSError) and not isinstance(outcome, GONE):
            errors.append(f"disk: {mount.mountpoint}: {outcome.strerror}")
        return []


def _stuck(mount: Mount) -> dict[str, object]:
    return {
        "device": mount.device,
        "mountpoint": mount.mountpoint,
        "fstype": mount.kind,
        "stuck": 1,
    }
