"""A disk that fails or is full: nothing acknowledged is lost, nothing torn is read, it goes on."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostpulse.report import Sample
from hostpulse.storage import Batch, DiskFull, StorageError, Wanted, Window
from hostpulse.storage.file import FileStorage, journal, records

from tests.faults import file_child
from tests.faults.file_child import open_at, sample

NOW_MS = 1_000_000
COUNT = 40


def times_kept(storage: FileStorage) -> list[int]:
    found = list(storage.samples("a", "srv_1", 0, 2**53))
    for one in found:
        assert dict(one.items()) == dict(sample(one.time_ms).items())
    return [one.time_ms for one in found]


def check_journal_is_whole(folder: Path) -> None:
    segments = journal.segment_files(folder / "journal")
    assert segments
    for segment in segments:
        assert records.read(segment.read_bytes()).damaged == []


def append_all(storage: FileStorage, count: int) -> list[StorageError]:
    """Append samples, each again and again until it is kept; return the refusals."""
    refusals = []
    for time_ms in range(1000, 1000 * (count + 1), 1000):
        while True:
            try:
                (done,) = storage.append([Batch("a", [sample(time_ms)])])
            except StorageError as refusal:
                refusals.append(refusal)
                assert len(refusals) < 100
                continue
            assert done.accepted == 1
            break
    return refusals


def fail_once(
    monkeypatch: pytest.MonkeyPatch, name: str, number: int, broken: Callable[..., int]
) -> list[int]:
    """Let the n-th os.write or os.fsync of the journal fail; return where they are counted."""
    calls = [0]
    real = getattr(os, name)

    def call(*arguments: Any) -> Any:
        calls[0] += 1
        return broken(*arguments) if calls[0] == number else real(*arguments)

    monkeypatch.setattr(journal.os, name, call)
    return calls


def no_room(*_: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def io_error(*_: Any) -> int:
    raise OSError(errno.EIO, "Input/output error")


_real_write = os.write


def short_write(descriptor: int, data: bytes) -> int:
    return _real_write(descriptor, data[: len(data) // 2])


FAULTS = {
    "short write": ("write", short_write, DiskFull),
    "no room": ("write", no_room, DiskFull),
    "write error": ("write", io_error, StorageError),
    "fsync error": ("fsync", io_error, StorageError),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_nth_write_or_fsync_fails(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, broken, kind = FAULTS[fault]
    for number in range(1, 21):
        folder = tmp_path / str(number)
        storage = open_at(folder, NOW_MS)
        with monkeypatch.context() as patched:
            calls = fail_once(patched, name, number, broken)
            refusals = append_all(storage, 25)
        assert calls[0] >= number
        assert [type(one) for one in refusals] == [kind]
        assert "Errno" not in str(refusals[0])
        everything = [1000 * i for i in range(1, 26)]
        assert times_kept(storage) == everything
        check_journal_is_whole(folder)
        storage.check()
        storage.close()
        again = open_at(folder, NOW_MS)
        assert times_kept(again) == everything
        again.close()


def test_no_second_fsync_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_at(tmp_path, NOW_MS)
    with monkeypatch.context() as patched:
        fail_once(patched, "fsync", 3, io_error)
        append_all(storage, 5)
    storage.close()
    assert len(journal.segment_files(tmp_path / "journal")) == 2


@pytest.mark.parametrize("call", ["fsync", "write"])
@pytest.mark.parametrize("number", [1, 2, 7, 20])
def test_the_kernel_fails_the_nth_call(
    call: str, number: int, tmp_path: Path, needs_program: Callable[..., str]
) -> None:
    """What was acknowledged is readable, by a process that knows nothing of the failure."""
    folder = tmp_path / "samples"
    line = [
        needs_program("strace"), "-f", "-qq", "-o", str(tmp_path / "trace"),
        "-P", str(folder / "journal" / f"{NOW_MS}.jsonl"), "-e", f"trace={call}",
        "-e", f"inject={call}:error=EIO:when={number}",
        sys.executable, file_child.__file__, "append", str(folder), str(NOW_MS), str(COUNT),
    ]  # fmt: skip
    done = subprocess.run(line, capture_output=True, timeout=100, check=False, text=True)
    if "PTRACE" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("this machine does not let strace look at processes")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "trace").read_text().count("(INJECTED)") == 1
    said = [line.split() for line in done.stdout.splitlines()]
    assert [words[0] for words in said].count("refused") == 1
    kept = [int(words[1]) for words in said if words[0] == "kept"]
    assert kept == [1000 * i for i in range(1, COUNT + 1)]
    storage = open_at(folder, NOW_MS)
    assert times_kept(storage) == kept
    check_journal_is_whole(folder)
    storage.close()


class SmallDisk:
    """A file system of its own that is soon full."""

    def __init__(self, folder: Path, kind: str, size_kib: int) -> None:
        self.folder = folder / "disk"
        self.folder.mkdir()
        if kind == "tmpfs":
            line = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(self.folder)]
        else:
            image = folder / "image"
            image.write_bytes(bytes(size_kib << 10))
            made = ["mkfs.ext4", "-q", "-m", "0", str(image)]
            subprocess.run(made, check=True, capture_output=True, timeout=60)
            line = ["mount", "-o", "loop", str(image), str(self.folder)]
        done = subprocess.run(line, capture_output=True, check=False, timeout=60)
        if done.returncode:
            pytest.skip(f"this user may not mount: {done.stderr.decode().strip()}")

    def close(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True, timeout=60)


@pytest.fixture(params=[("tmpfs", 64), ("tmpfs", 4096), ("ext4", 4096)], ids=str)
def disk(
    request: pytest.FixtureRequest, tmp_path: Path, needs_program: Callable[..., str]
) -> Iterator[SmallDisk]:
    needs_program("mount")
    kind, size_kib = request.param
    if kind == "ext4":
        needs_program("mkfs.ext4")
    made = SmallDisk(tmp_path, kind, size_kib)
    yield made
    made.close()


def test_a_full_disk_refuses_in_words_keeps_reading_and_goes_on(disk: SmallDisk) -> None:
    storage = open_at(disk.folder / "samples", NOW_MS)
    ballast = disk.folder / "ballast"
    ballast.write_bytes(bytes(32 << 10))
    kept: list[int] = []
    with pytest.raises(DiskFull, match="make room"):
        fill(storage, kept)
    assert kept
    for _ in range(5):
        with pytest.raises(DiskFull):
            fill(storage, [kept[-1]], at_once=500)
    with pytest.raises(StorageError):
        storage.check()
    assert times_kept(storage) == kept
    window = Window(0, 1000 * len(kept))
    assert storage.history("a", "srv_1", Wanted(("cpu_percent_total",)), window).series
    check_journal_is_whole(disk.folder / "samples")
    ballast.unlink()
    storage.check()
    kept.append(kept[-1] + 1000)
    (done,) = storage.append([Batch("a", [sample(kept[-1])])])
    assert done.accepted == 1
    check_journal_is_whole(disk.folder / "samples")
    storage.close()
    again = open_at(disk.folder / "samples", NOW_MS)
    assert times_kept(again) == kept
    again.close()


def fill(storage: FileStorage, kept: list[int], at_once: int = 20) -> None:
    """Append until the disk is full; `kept` are the times that were acknowledged."""
    while True:
        last_ms = kept[-1] if kept else 0
        batch: list[Sample] = [sample(last_ms + 1000 * (i + 1)) for i in range(at_once)]
        storage.append([Batch("a", batch)])
        kept += [one.time_ms for one in batch]
