"""Finds the mounted file systems that hold an administrator's data."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

PSEUDO_TYPES = frozenset(
    (  # noqa: SIM905 - one quoted word a line is a page long
        "aufs autofs binfmt_misc bpf cgroup cgroup2 configfs cpuset debugfs devfs devpts devtmpfs "
        "efivarfs fuse.gvfsd-fuse fuse.lxcfs fuse.portal fuse.snapfuse fusectl hugetlbfs iso9660 "
        "mqueue nfsd none nsfs overlay proc pstore ramfs rootfs rpc_pipefs securityfs selinuxfs "
        "shm squashfs sunrpc swap sysfs tmpfs tracefs udf"
    ).split()
)
# What other programs mount for themselves; a disk mounted on the directory itself still counts.
FOREIGN_PREFIXES = (
    "/dev/",
    "/proc/",
    "/run/",
    "/snap/",
    "/sys/",
    "/var/lib/containerd/",
    "/var/lib/containers/",
    "/var/lib/docker/",
    "/var/lib/kubelet/",
    "/var/lib/lxcfs/",
    "/var/lib/snapd/",
    "/var/snap/",
)
# Where stat() answers another device number than the mount table.
OWN_DEVICE_NUMBERS = frozenset({"bcachefs", "btrfs", "overlay"})


@dataclass(frozen=True)
class Mount:
    """One line of the mount table; `directory` in the kernel's own bytes, the rest as text."""

    device: str
    directory: bytes
    kind: str
    device_number: int
    readonly: bool

    @property
    def mountpoint(self) -> str:
        return self.directory.decode("utf-8", "backslashreplace")


def _unescaped(word: bytes) -> bytes:
    for code, byte in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        word = word.replace(code, byte)
    return word


def _mount(line: bytes) -> Mount:
    own, _, super_block = line.partition(b" - ")
    words = own.split(b" ")
    kind, device, *super_options = super_block.split(b" ")
    major, _, minor = words[2].partition(b":")
    options = words[5].split(b",") + b",".join(super_options).split(b",")
    return Mount(
        device=_unescaped(device).decode("utf-8", "backslashreplace"),
        directory=_unescaped(words[4]),
        kind=kind.decode("ascii", "backslashreplace"),
        device_number=(int(major) << 20) | int(minor),
        readonly=b"ro" in options,
    )


def _holds_data(mount: Mount) -> bool:
    point = mount.mountpoint
    if mount.kind in PSEUDO_TYPES and not (mount.kind == "overlay" and point == "/"):
        return False
    return not point.startswith(FOREIGN_PREFIXES)


def _shortest_by_device(mounts: Iterable[Mount]) -> list[Mount]:
    """Keep one mount per device: the same blocks are bound to many places in a container."""
    kept: dict[int, Mount] = {}
    for mount in mounts:
        other = kept.get(mount.device_number)
        if other is None or len(mount.directory) < len(other.directory):
            kept[mount.device_number] = mount
    return list(kept.values())


def parse(mountinfo: bytes, unseen: Container[Mount] = ()) -> list[Mount]:
    """Read a mountinfo table and return the file systems worth a chart, one per device.

    Of two mounts on the same directory the later one is what people see. `unseen` are those that
    turned out not to be visible from here, or to be single files.
    """
    by_directory: dict[bytes, Mount] = {}
    for line in filter(None, mountinfo.split(b"\n")):
        mount = _mount(line)
        by_directory.pop(mount.directory, None)
        by_directory[mount.directory] = mount
    return _shortest_by_device(
        mount for mount in by_directory.values() if _holds_data(mount) and mount not in unseen
    )
