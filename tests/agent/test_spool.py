"""A report in the spool stays until it is delivered, whatever happens to the agent or the disk."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostpulse_agent.segment import framed, records
from hostpulse_agent.spool import Limits, Spool, SpoolError, Waiting
from hypothesis import given
from hypothesis import strategies as st

HOUR_MS = 3600 * 1000


def report(number: int, size: int = 0) -> bytes:
    noise = random.Random(number).randbytes(size).hex() if size else ""
    return f'{{"n":{number},"x":"{noise}"}}'.encode()


def everything(spool: Spool) -> list[Waiting]:
    """Take all reports out, newest first."""
    taken: list[Waiting] = []
    while True:
        batch = spool.newest(100, 1 << 20)
        if not batch:
            return taken
        taken += batch
        spool.delivered(batch)


def test_reports_come_back_newest_first_and_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, Limits())
    for number in range(250):
        spool.put(number, report(number))
    assert spool.reports == 250
    assert [one.report for one in everything(spool)] == [report(n) for n in range(249, -1, -1)]
    assert spool.reports == spool.size_bytes == 0
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_after_a_restart_what_was_delivered_is_not_sent_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, Limits())
    for number in range(10):
        spool.put(number, report(number))
    spool.delivered(spool.newest(4, 1 << 20))
    spool.close()
    again = Spool(tmp_path, Limits())
    assert again.reports == 6
    assert [one.time_ms for one in everything(again)] == [5, 4, 3, 2, 1, 0]


def test_a_batch_ends_before_it_is_too_large_but_never_empty(tmp_path: Path) -> None:
    spool = Spool(tmp_path, Limits())
    for number in range(5):
        spool.put(number, report(number, 500))
    assert len(spool.newest(100, 2500)) == 2
    assert len(spool.newest(100, 1)) == 1


def test_a_full_spool_drops_the_oldest_and_counts_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path, Limits(max_bytes=64 << 10))
    for number in range(300):
        spool.put(number, report(number, 500))
    on_disk = sum(path.stat().st_size for path in tmp_path.glob("*.spool"))
    assert on_disk <= 64 << 10
    kept = [one.time_ms for one in everything(spool)]
    assert kept == list(range(299, 299 - len(kept), -1))
    assert spool.dropped == 300 - len(kept) > 0


def test_what_is_too_old_is_dropped_and_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, Limits(max_bytes=64 * 4096, max_age_ms=24 * HOUR_MS))
    for hour in range(48):
        spool.put(hour * HOUR_MS, report(hour, 4000))
    kept = [one.time_ms // HOUR_MS for one in everything(spool)]
    assert kept[0] == 47
    assert 22 <= kept[-1] <= 24
    assert spool.dropped + len(kept) == 48


def test_without_a_directory_only_the_newest_reports_wait_in_memory() -> None:
    spool = Spool(None, Limits(max_in_memory=3))
    for number in range(5):
        spool.put(number, report(number))
    assert spool.dropped == 2
    assert [one.time_ms for one in everything(spool)] == [4, 3, 2]


def test_a_second_agent_on_the_same_spool_is_refused_in_words(tmp_path: Path) -> None:
    first = Spool(tmp_path, Limits())
    with pytest.raises(SpoolError, match="another agent uses"):
        Spool(tmp_path, Limits())
    first.close()
    Spool(tmp_path, Limits()).close()


def test_a_spool_torn_at_any_byte_keeps_every_whole_report() -> None:
    frames = [framed(number, report(number, 20)) for number in range(12)]
    whole = b"".join(frames)
    ends = [sum(map(len, frames[: place + 1])) for place in range(len(frames))]
    for cut in range(len(whole) + 1):
        found = [one.report for one in records(whole[:cut])]
        assert found == [report(n, 20) for n in range(sum(end <= cut for end in ends))]


def test_a_spoiled_byte_costs_its_own_report_and_no_other() -> None:
    frames = [framed(number, report(number, 20)) for number in range(5)]
    whole = b"".join(frames)
    start, end = len(frames[0]) * 0 + sum(map(len, frames[:2])), sum(map(len, frames[:3]))
    for place in range(start, end):
        spoiled = bytearray(whole)
        spoiled[place] ^= 0x55
        numbers = [one.time_ms for one in records(bytes(spoiled))]
        assert numbers == [0, 1, 3, 4]


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_report_between_any_garbage_is_found(before: bytes, after: bytes) -> None:
    found = [one.report for one in records(before + framed(7, b'{"n":7}') + after)]
    assert b'{"n":7}' in found or before[-40:].find(b"HPS1") >= 0


def test_marks_that_were_torn_only_bring_reports_twice(tmp_path: Path) -> None:
    source = tmp_path / "source"
    spool = Spool(source, Limits())
    for number in range(6):
        spool.put(number, report(number))
    spool.delivered(spool.newest(3, 1 << 20))
    spool.close()
    (marks,) = source.glob("*.done")
    length = marks.stat().st_size
    for cut in range(length + 1):
        copy = tmp_path / f"cut{cut}"
        shutil.copytree(source, copy)
        os.truncate(copy / marks.name, cut)
        again = Spool(copy, Limits())
        times = [one.time_ms for one in everything(again)]
        again.close()
        assert set(times) >= {0, 1, 2}
        assert len(times) == 6 - cut // 8


def test_marks_without_their_reports_do_not_speak_for_later_ones(tmp_path: Path) -> None:
    spool = Spool(tmp_path, Limits())
    for number in range(3):
        spool.put(number, report(number))
    spool.delivered(spool.newest(2, 1 << 20))
    spool.close()
    (segment,) = tmp_path.glob("*.spool")
    segment.unlink()  # as if killed between the two deletions
    again = Spool(tmp_path, Limits())
    for number in range(3):
        again.put(number, report(number))
    again.close()
    assert Spool(tmp_path, Limits()).reports == 3


WRITER = """
import sys
from pathlib import Path
from hostpulse_agent.spool import Limits, Spool
first = int(sys.argv[2])
spool = Spool(Path(sys.argv[1]), Limits())
for number in range(first, first + 100000):
    spool.put(number, b'{"n":%d}' % number)
    sys.stdout.write(f"put {number}\\n"); sys.stdout.flush()
    if number % 5 == 4:
        done = spool.newest(2, 1 << 20)
        numbers = " ".join(str(one.time_ms) for one in done)
        sys.stdout.write(f"doing {numbers}\\n"); sys.stdout.flush()
        spool.delivered(done)
        sys.stdout.write(f"done {numbers}\\n"); sys.stdout.flush()
"""


def test_a_kill_at_any_moment_loses_no_report_that_was_put(tmp_path: Path, rounds: int) -> None:
    seen: dict[str, set[int]] = {"put": set(), "doing": set(), "done": set()}
    kills, number, chance = 0, 0, random.Random(7)
    for _ in range(min(rounds, 200)):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(number)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        first_line = writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        lines = (first_line + writer.stdout.read()).decode().splitlines()
        writer.stdout.close()
        kills += writer.wait() == -signal.SIGKILL
        for line in lines:
            word, *numbers = line.split()
            seen[word].update(map(int, numbers))
        number = max(seen["put"]) + 2  # the one after the last line may be there as well
    assert kills == min(rounds, 200)
    spool = Spool(tmp_path, Limits())
    kept = [one.time_ms for one in everything(spool)]
    assert len(kept) == len(set(kept))
    assert seen["put"] - seen["doing"] <= set(kept)
    assert not seen["done"] & set(kept)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("cannot mount a tmpfs here: this test needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_on_a_full_disk_the_newest_reports_wait_in_memory_and_nothing_is_glued(
    tiny_disk: Path,
) -> None:
    spool = Spool(tiny_disk, Limits(max_in_memory=50))
    for number in range(20):
        spool.put(number, report(number, 1500))
    assert not spool.disk_error
    ballast = tiny_disk / "ballast"
    with pytest.raises(OSError, match="No space"), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    for number in range(20, 90):
        spool.put(number, report(number, 1500))
    assert "memory" in spool.disk_error
    assert spool.dropped == 20  # 70 came, 50 have a place in memory
    ballast.unlink()
    for number in range(90, 100):
        spool.put(number, report(number, 1500))
    assert not spool.disk_error
    spool.close()
    kept = [one.time_ms for one in everything(Spool(tiny_disk, Limits()))]
    assert sorted(kept) == [*range(20), *range(40, 100)]


def test_a_write_that_fails_half_way_leaves_whole_reports_only(tiny_disk: Path) -> None:
    spool = Spool(tiny_disk, Limits(max_in_memory=1000))
    number = 0
    while not spool.disk_error:
        spool.put(number, report(number, 2500))
        number += 1
    assert number > 20
    spool.put(number, report(number))
    found = [
        one for path in sorted(tiny_disk.glob("*.spool")) for one in records(path.read_bytes())
    ]
    assert [one.time_ms for one in found] == list(range(len(found)))
    assert spool.reports == number + 1
