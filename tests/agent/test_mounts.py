"""Which mounts are shown."""

from __future__ import annotations

import os

from hostpulse_agent.collectors.disk import Disk
from hostpulse_agent.host import Host
from hostpulse_agent.mounts import parse
from hostpulse_agent.proc import Tree
from hypothesis import given
from hypothesis import strategies as st


def line(point: str, kind: str = "ext4", device: str = "8:1", source: str = "/dev/sda1") -> bytes:
    return f"30 1 {device} / {point} rw,relatime shared:1 - {kind} {source} rw".encode()


def points(*lines: bytes) -> list[str]:
    return [mount.mountpoint for mount in parse(b"\n".join(lines))]


def test_of_bind_mounts_the_shortest_one_is_shown() -> None:
    assert points(line("/srv/jail/data"), line("/data"), line("/home/me/data")) == ["/data"]


def test_pseudo_file_systems_snaps_and_containers_are_not_shown() -> None:
    assert points(
        line("/"),
        line("/proc", "proc", "0:5"),
        line("/dev/shm", "tmpfs", "0:6"),
        line("/snap/core/1", "squashfs", "7:0"),
        line("/var/lib/docker/overlay2/x/merged", "overlay", "0:50"),
        line("/run/user/1000/doc", "fuse.portal", "0:51"),
    ) == ["/"]


def test_an_overlay_is_shown_only_as_the_root_of_a_container() -> None:
    assert points(line("/", "overlay", "0:9"), line("/x", "overlay", "0:10")) == ["/"]


def test_a_disk_mounted_on_docker_s_own_directory_is_shown() -> None:
    assert points(line("/var/lib/docker", "xfs", "8:2")) == ["/var/lib/docker"]


def test_the_later_of_two_mounts_on_one_directory_counts() -> None:
    (mount,) = parse(line("/", "rootfs", "0:1") + b"\n" + line("/", "xfs", "8:1"))
    assert mount.kind == "xfs"


def test_f26_a_name_that_is_not_utf8_or_has_blanks_becomes_safe_text() -> None:
    raw = b"30 1 8:1 / /mnt/caf\xe9\\040bar rw - ext4 /dev/sda1 rw"
    (mount,) = parse(raw)
    assert mount.directory == b"/mnt/caf\xe9 bar"
    assert mount.mountpoint == "/mnt/caf\\xe9 bar"
    mount.mountpoint.encode("utf-8")


@given(st.binary(min_size=1).filter(lambda name: not set(name) & set(b" \n\\\t\x00")))
def test_f26_any_bytes_in_a_mount_point_can_be_sent(name: bytes) -> None:
    for mount in parse(b"30 1 8:1 / /" + name + b" rw - ext4 /dev/sda1 rw"):
        mount.mountpoint.encode("utf-8")


def test_the_numbers_of_this_machine_s_root_are_those_of_statvfs() -> None:
    part = Disk(Host(Tree())).collect([])
    partitions = part["disk"]["partitions"]  # type: ignore[index]
    root = next(one for one in partitions if one["mountpoint"] == "/")
    size = os.statvfs("/")
    assert root["total"] == size.f_blocks * size.f_frsize
    assert abs(root["free"] - size.f_bavail * size.f_frsize) < 1 << 30
