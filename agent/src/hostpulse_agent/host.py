"""What the collectors may ask of a machine; a test gives its own answers."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field
from typing import Callable

from hostpulse_agent.deadline import Deadline
from hostpulse_agent.proc import Tree

Addresses = dict[str, list[str]]


@dataclass(frozen=True)
class FileSystem:
    """The size of one mounted file system and the device number behind its directory."""

    device: int
    is_directory: bool
    fragment_bytes: int
    blocks: int
    blocks_free: int
    blocks_available: int
    inodes: int
    inodes_free: int


def ask_file_system(path: bytes) -> FileSystem:
    """Ask the kernel about a mount point; blocks for ever when a remote server is gone."""
    status = os.stat(path)  # noqa: PTH116 - bytes, so that any name of a directory works
    size = os.statvfs(path)
    return FileSystem(
        device=status.st_dev,
        is_directory=(status.st_mode & 0o170000) == 0o040000,
        fragment_bytes=size.f_frsize,
        blocks=size.f_blocks,
        blocks_free=size.f_bfree,
        blocks_available=size.f_bavail,
        inodes=size.f_files,
        inodes_free=size.f_ffree,
    )


def interface_addresses() -> Addresses:
    """Return the routable IPv4 and IPv6 addresses of each interface."""
    import psutil

    families = (socket.AF_INET, socket.AF_INET6)
    return {
        name: [
            one.address.partition("%")[0]
            for one in found
            if one.family in families and not one.address.startswith("fe80:")
        ]
        for name, found in psutil.net_if_addrs().items()
    }


@dataclass(frozen=True)
class Host:
    """The files of a machine, the few questions that are not files, and the sources of your own."""

    tree: Tree
    monotonic: Callable[[], float] = time.monotonic
    file_system: Callable[[bytes], FileSystem] = ask_file_system
    addresses: Callable[[], Addresses] = interface_addresses
    architecture: str = field(default_factory=lambda: os.uname().machine)
    page_bytes: int = field(default_factory=lambda: os.sysconf("SC_PAGE_SIZE"))
    deadline: Deadline = field(default_factory=Deadline)
    custom_file: str = ""
    custom_dir: str = ""
    custom_seconds: float = 3.0
