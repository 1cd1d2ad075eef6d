"""Processes that a test kills or whose disk it breaks, each with a file storage of its own.

file_child.py seal FOLDER NOW_MS STEP    seals, and dies right after the STEP-th file operation
file_child.py append FOLDER NOW_MS COUNT appends one sample after another, each until it is kept
file_child.py fleet FOLDER NOW_MS COUNT  appends a sample of each of COUNT servers every 5 s of a
                                         clock of its own, until it is killed
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Batch, Options, StorageError
from hostpulse.storage.file import FileStorage

LAYOUT = Layout((Key("cpu_percent_total"), Key("custom.load", "a{b")))
WIDE_LAYOUT = Layout(tuple(Key("custom.number", str(i)) for i in range(130)))
VARIETY = 50
STEP_MS = 5000
CRASHED = 9


def sample(time_ms: int, server: str = "srv_1") -> Sample:
    """Return a sample whose numbers follow from its time."""
    return Sample(server, time_ms, LAYOUT, array("d", [time_ms // 1000 % 101, time_ms / 7]))


def open_at(folder: Path, now_ms: int) -> FileStorage:
    """Open the storage in a folder at a time that stands still."""
    return FileStorage(folder, Options(lambda: now_ms, folder))


def seal(folder: Path, now_ms: int, last_step: int) -> None:
    """Do all upkeep, and end without a word after a number of steps."""
    storage = open_at(folder, now_ms)
    steps = 0

    def counted(operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **more: Any) -> Any:
            nonlocal steps
            result = operation(*arguments, **more)
            steps += 1
            if steps == last_step:
                os._exit(CRASHED)
            return result

        return run

    for name in ("fsync", "replace", "unlink", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))
    wait_until_loaded(storage)
    for _ in range(3):
        storage.maintain()
    storage.close()


def wait_until_loaded(storage: FileStorage) -> None:
    """Return once all that the journal holds is in memory."""
    storage.series("a", "srv_1")


def append(folder: Path, now_ms: int, times: int) -> None:
    """Say of each attempt what became of it."""
    storage = open_at(folder, now_ms)
    for time_ms in range(1000, 1000 * (times + 1), 1000):
        while not attempt(storage, time_ms):
            pass
    storage.close()


def attempt(storage: FileStorage, time_ms: int) -> bool:
    try:
        (done,) = storage.append([Batch("a", [sample(time_ms)])])
    except StorageError as error:
        print("refused", time_ms, error, flush=True)
        return False
    print("kept", time_ms, done.accepted, flush=True)
    return True


def fleet(folder: Path, start_ms: int, servers: int) -> None:
    """Say of each round that it is kept."""
    now_ms = start_ms
    storage = FileStorage(folder, Options(lambda: now_ms, folder))
    for number in count():
        now_ms = start_ms + number * STEP_MS
        storage.append([Batch("a", fleet_round(now_ms, number, servers))])
        print(number, flush=True)


def fleet_round(time_ms: int, number: int, servers: int) -> list[Sample]:
    """Return the samples of a fleet's round; their values follow from round and server."""
    return [
        Sample(f"srv_{i}", time_ms, WIDE_LAYOUT, wide_values()[(number + i) % VARIETY])
        for i in range(servers)
    ]


@cache
def wide_values() -> list[array[float]]:
    chance = Random(1)
    numbers = range(len(WIDE_LAYOUT.keys))
    return [array("d", [round(chance.uniform(0, 1e6), 1) for _ in numbers]) for _ in range(VARIETY)]


if __name__ == "__main__":
    {"seal": seal, "append": append, "fleet": fleet}[sys.argv[1]](
        Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    )
