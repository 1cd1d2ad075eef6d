"""How the files of a machine are read."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hostpulse_agent.proc import Tree


@contextmanager
def sleeping() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_of_the_kernel_is_opened_once_and_always_read_as_it_is_now() -> None:
    tree = Tree()
    before = float(tree.text("proc/uptime").split()[0])
    held = open_files()
    while float(tree.text("proc/uptime").split()[0]) <= before:
        assert open_files() == held


def test_a_long_file_comes_whole_every_time() -> None:
    tree = Tree()
    for _ in range(3):
        names = [line.split()[0] for line in tree.text("proc/vmstat").splitlines()]
        assert names == [line.split()[0] for line in Path("/proc/vmstat").read_text().splitlines()]


def test_a_file_that_may_give_way_to_another_of_its_name_is_not_kept_open() -> None:
    tree, before = Tree(), open_files()
    for name in ("proc/1/stat", "sys/class/net/lo/operstate"):
        assert tree.maybe(name)
    assert open_files() == before


def test_who_lets_go_of_a_tree_lets_go_of_its_files() -> None:
    before = open_files()
    tree = Tree()
    assert tree.number("proc/sys/kernel/pid_max")
    assert open_files() == before + 1
    del tree
    assert open_files() == before


def test_an_open_file_that_fails_is_opened_anew(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    shown = tmp_path / "proc/stat"
    tree = Tree(str(tmp_path))
    with sleeping() as first:
        shown.symlink_to(f"/proc/{first}/stat")
        held = open_files()
        assert tree.number("proc/stat") is None
        assert tree.text("proc/stat").startswith(f"{first} ")
        assert open_files() == held + 1
    assert tree.maybe("proc/stat") == ""
    with sleeping() as second:
        shown.unlink()
        shown.symlink_to(f"/proc/{second}/stat")
        assert tree.text("proc/stat").startswith(f"{second} ")
