"""A start after kill -9 reads only what is not sealed: ready soon, whole a little later."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hostpulse.storage import Batch, Options, StorageError, Wanted, Window
from hostpulse.storage.file import FileStorage, recovery
from hostpulse.storage.file import storage as file_storage

from tests.backend_under_test import eventually
from tests.conformance.storages import append
from tests.faults import file_child
from tests.faults.file_child import STEP_MS, fleet_round, open_at, sample
from tests.pace import slowness

START_MS = 1_795_392_000_000
SERVERS = 500
SERVERS_PER_ROUND = 3
ROUNDS_OF_FLEET = 70 * 12  # every 5 s, none of it sealed for 70 minutes
END_MS = START_MS + ROUNDS_OF_FLEET * STEP_MS
READY_SECONDS, WHOLE_SECONDS = 5.0, 10.0
STARTS = 3


def write_until_killed(folder: Path, servers: int) -> int:
    """Have a fleet's samples written by a process that is killed; return the rounds it kept."""
    line = [sys.executable, file_child.__file__, "fleet", str(folder), str(START_MS), str(servers)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for said in child.stdout:
            if int(said) == ROUNDS_OF_FLEET:
                child.kill()
                break
        kept = 1 + max(map(int, child.stdout), default=ROUNDS_OF_FLEET)
    assert child.returncode == -signal.SIGKILL
    return kept


class Start:
    """A storage that was opened, and what that took until it was ready and until it was whole.

    `…_work` is processor time on a machine of the speed that the bounds are for.
    """

    def __init__(self, folder: Path) -> None:
        before, wall, cpu = slowness(), time.perf_counter(), time.process_time()
        self.storage = open_at(folder, END_MS)
        self.ready, ready_cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert self.storage._loaded.wait(100)
        self.whole, whole_cpu = time.perf_counter() - wall, time.process_time() - cpu
        pace = max(before, slowness())
        self.ready_work, self.whole_work = ready_cpu / pace, whole_cpu / pace


def check_whole(storage: FileStorage, kept: int, servers: int) -> None:
    """Everything that was kept is there once, and at most the round that was under way."""
    for number in (0, servers // 2, servers - 1):
        found = list(storage.samples("a", f"srv_{number}", 0, 2**53))
        assert kept <= len(found) <= kept + 1
        for at, one in enumerate(found):
            sent = fleet_round(START_MS + at * STEP_MS, at, servers)[number]
            assert (one.time_ms, one.values) == (sent.time_ms, sent.values)
    last = fleet_round(START_MS + (kept - 1) * STEP_MS, kept - 1, servers)
    (again,) = storage.append([Batch("a", last)])
    assert (again.accepted, again.duplicates) == (0, servers)


def test_a_fleet_is_back_within_seconds_after_kill_9(
    tmp_path: Path, rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    servers = min(SERVERS_PER_ROUND * rounds, SERVERS)
    kept = write_until_killed(tmp_path, servers)
    starts = []
    for _ in range(STARTS):
        if starts:
            starts[-1].storage.close()
        starts.append(Start(tmp_path))
    check_whole(starts[-1].storage, kept, servers)
    starts[-1].storage.close()
    first, share = starts[0], SERVERS / servers
    ready = share * min(start.ready_work for start in starts)  # others only ever add time
    whole = share * min(start.whole_work for start in starts)
    with capsys.disabled():
        print(f"\n{servers} servers: ready in {first.ready:.2f} s, whole in {first.whole:.2f} s;")
        print(f"500 servers: work of {ready:.1f} s until ready, of {whole:.1f} s until whole")
    assert ready < READY_SECONDS
    assert whole < WHOLE_SECONDS


def test_what_cannot_wait_for_the_journal_is_refused_and_never_answered_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [sample(START_MS), sample(START_MS + 1)]
    storage = open_at(tmp_path, START_MS)
    append(storage, kept)
    storage.close()
    may_load, load = Event(), recovery.load_values

    def load_later(*arguments: Any) -> int:
        may_load.wait(20)
        return load(*arguments)

    monkeypatch.setattr(recovery, "load_values", load_later)
    monkeypatch.setattr(file_storage, "_LOAD_SECONDS", 0.01)
    storage = open_at(tmp_path, START_MS)
    for ask in (
        lambda: storage.history("a", "srv_1", Wanted(("custom.load",)), Window(0, END_MS)),
        lambda: storage.series("a", "srv_1"),
        lambda: list(storage.samples("a", "srv_1", 0, END_MS)),
        storage.usage,
    ):
        with pytest.raises(StorageError, match="ask again in a moment"):
            ask()
    assert append(storage, kept).duplicates == 2  # posts need not wait
    beside = FileStorage(tmp_path, Options(lambda: START_MS, tmp_path, read_only=True))
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(lambda: list(beside.samples("a", "srv_1", 0, END_MS)))
        assert not found.done()
        may_load.set()
        assert [one.time_ms for one in found.result()] == [START_MS, START_MS + 1]
    eventually(storage._loaded.is_set)
    assert len(list(storage.samples("a", "srv_1", 0, END_MS))) == 2
    beside.close()
    storage.close()
