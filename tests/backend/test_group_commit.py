"""How waiting posts share a commit, and what happens when one fails, hangs or has no room."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Coroutine, Sequence
from threading import Event
from typing import Any

import pytest
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import Appended, Batch, StorageError
from hostpulse.storage.group_commit import MOST_SAMPLES_AT_ONCE, GroupCommit, Overloaded
from hostpulse.storage.memory import MemoryStorage

LAYOUT = Layout((Key("cpu_percent_total"),))
BODY_BYTES = 1000


class GatedStorage(MemoryStorage):
    """Memory behind a gate: a commit ends when the test lets it, or fails as the test says."""

    is_immediate = False

    def __init__(self) -> None:
        super().__init__()
        self.gate = Event()
        self.begun = Event()
        self.failure: Exception | None = None
        self.groups: list[int] = []

    def append(self, batches: Sequence[Batch]) -> list[Appended]:
        self.groups.append(len(batches))
        self.begun.set()
        assert self.gate.wait(10), "the test never opened the gate"
        if self.failure is not None:
            raise self.failure
        return super().append(batches)


def batch(number: int, samples: int = 1) -> Batch:
    times = range(number * 10_000, number * 10_000 + samples)
    return Batch("a", [Sample("srv_1", time, LAYOUT, array("d", [1.0])) for time in times])


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


async def wait_for(event: Event) -> None:
    while not event.is_set():
        await asyncio.sleep(0.001)


async def send(commit: GroupCommit, count: int, first: int = 0) -> list[asyncio.Task[Appended]]:
    tasks = [asyncio.create_task(commit.append(batch(first + i), BODY_BYTES)) for i in range(count)]
    await asyncio.sleep(0)
    return tasks


def test_what_arrives_during_a_commit_shares_the_next_one() -> None:
    async def test() -> None:
        storage = GatedStorage()
        commit = GroupCommit(storage)
        tasks = await send(commit, 1)
        await wait_for(storage.begun)
        tasks += await send(commit, 50, first=1)
        assert commit.waiting_samples == 51
        storage.gate.set()
        assert await asyncio.gather(*tasks) == [Appended(1)] * 51
        assert storage.groups == [1, 50]
        assert commit.waiting_samples == 0
        commit.close()

    run(test())


def test_nobody_is_answered_before_the_commit() -> None:
    async def test() -> None:
        storage = GatedStorage()
        commit = GroupCommit(storage)
        tasks = await send(commit, 3)
        await wait_for(storage.begun)
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in tasks)
        storage.gate.set()
        await asyncio.gather(*tasks)
        commit.close()

    run(test())


@pytest.mark.parametrize("failure", [StorageError("The disk is away."), ZeroDivisionError("oops")])
def test_a_failed_commit_fails_all_who_waited_for_it_and_no_other(failure: Exception) -> None:
    async def test() -> None:
        storage = GatedStorage()
        commit = GroupCommit(storage)
        storage.failure = failure
        storage.gate.set()
        failed = await asyncio.gather(*await send(commit, 5), return_exceptions=True)
        assert all(isinstance(one, StorageError) for one in failed)
        assert not any("oops" in str(one) for one in failed)
        storage.failure = None
        assert await asyncio.gather(*await send(commit, 5)) == [Appended(1)] * 5
        commit.close()

    run(test())


@pytest.mark.parametrize("bound", [{"most_samples": 3}, {"most_bytes": 3 * BODY_BYTES}])
def test_a_full_queue_takes_no_more_until_a_commit_ends(bound: dict[str, int]) -> None:
    async def test() -> None:
        storage = GatedStorage()
        commit = GroupCommit(storage, **bound)
        tasks = await send(commit, 3)
        with pytest.raises(Overloaded, match="send again later"):
            commit.check_room()
        with pytest.raises(Overloaded):
            await commit.append(batch(9), BODY_BYTES)
        storage.gate.set()
        await asyncio.gather(*tasks)
        commit.check_room()
        commit.close()

    run(test())


def test_who_waits_too_long_is_sent_away_and_may_come_again() -> None:
    async def test() -> None:
        storage = GatedStorage()
        commit = GroupCommit(storage, longest_wait_seconds=0.1)
        (waiting,) = await send(commit, 1)
        with pytest.raises(Overloaded, match="in time"):
            await waiting
        storage.gate.set()
        assert await commit.append(batch(0), BODY_BYTES) == Appended(0, 1)
        assert commit.waiting_samples == 0
        commit.close()

    run(test())


def test_closing_writes_what_waits() -> None:
    async def test() -> None:
        storage = GatedStorage()
        commit = GroupCommit(storage)
        tasks = await send(commit, 20)
        storage.gate.set()
        await asyncio.get_running_loop().run_in_executor(None, commit.close)
        assert await asyncio.gather(*tasks) == [Appended(1)] * 20

    run(test())


def test_a_commit_has_an_upper_size_and_never_splits_a_batch() -> None:
    async def test() -> None:
        storage = GatedStorage()
        commit = GroupCommit(storage)
        tasks = await send(commit, 1)
        await wait_for(storage.begun)
        large = MOST_SAMPLES_AT_ONCE // 2
        for number in (1, 2, 3):
            tasks.append(asyncio.create_task(commit.append(batch(number, large), BODY_BYTES)))
        tasks.append(asyncio.create_task(commit.append(batch(9, 2 * large + 2), BODY_BYTES)))
        await asyncio.sleep(0)
        storage.gate.set()
        done = await asyncio.gather(*tasks)
        assert [one.accepted + one.expired + (one.duplicates or 0) for one in done] == [
            1,
            large,
            large,
            large,
            2 * large + 2,
        ]
        assert storage.groups == [1, 2, 1, 1]
        commit.close()

    run(test())


def test_a_storage_in_memory_is_written_at_once() -> None:
    async def test() -> None:
        commit = GroupCommit(MemoryStorage())
        assert await commit.append(batch(1), BODY_BYTES) == Appended(1)
        commit.close()

    run(test())
