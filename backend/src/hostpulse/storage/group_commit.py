"""Many waiting posts, one commit: a thread writes whatever has arrived and never waits for more.

Posts wait on the event loop and hold no thread. What waits is bounded in samples and bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Condition, Thread
from time import monotonic

import structlog

from hostpulse.storage import Appended, Batch, Storage, StorageError

MOST_WAITING_SAMPLES = 50_000
MOST_WAITING_BYTES = 256 << 20
MOST_SAMPLES_AT_ONCE = 5_000
LONGEST_WAIT_SECONDS = 5.0


class Overloaded(StorageError):
    """More samples wait than the storage can take; they are safe with their senders."""


@dataclass(slots=True, eq=False)
class _Waiter:
    batch: Batch
    size_bytes: int
    since: float
    settled: asyncio.Future[Appended]


class GroupCommit:
    """The one way into a storage: appends batches in groups, in the order they came.

    `clock` is monotonic seconds. All methods but `close` belong to the thread of the event loop.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Callable[[], float] = monotonic,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        most_samples: int = MOST_WAITING_SAMPLES,
        most_bytes: int = MOST_WAITING_BYTES,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._longest_wait_seconds = longest_wait_seconds
        self._most_samples = most_samples
        self._most_bytes = most_bytes
        self._news = Condition()
        self._arrived: list[_Waiter] = []
        self._queue: list[_Waiter] = []
        self._open: dict[_Waiter, None] = {}
        self._samples = 0
        self._bytes = 0
        self._closing = False
        self._thread: Thread | None = None
        self._patrol: asyncio.TimerHandle | None = None

    @property
    def waiting_samples(self) -> int:
        """How many samples wait for their commit."""
        return self._samples

    def check_room(self) -> None:
        """Return if another batch may come; raises Overloaded."""
        if self._samples >= self._most_samples or self._bytes >= self._most_bytes:
            raise Overloaded(
                f"{self._samples} samples wait to be stored; send again later, nothing is lost."
            )

    async def append(self, batch: Batch, size_bytes: int) -> Appended:
        """Return once the batch is as safe as the storage promises; raises StorageError."""
        if self._storage.is_immediate:
            return self._storage.append([batch])[0]
        self.check_room()
        loop = asyncio.get_running_loop()
        waiter = _Waiter(batch, size_bytes, self._clock(), loop.create_future())
        self._enter(loop, waiter)
        return await waiter.settled

    def close(self) -> None:
        """Write what waits, then end; the storage is still open."""
        with self._news:
            self._closing = True
        self._hand_over()
        if self._thread is not None:
            self._thread.join()

    def _enter(self, loop: asyncio.AbstractEventLoop, waiter: _Waiter) -> None:
        self._samples += len(waiter.batch.samples)
        self._bytes += waiter.size_bytes
        self._open[waiter] = None
        if self._patrol is None:
            self._patrol = loop.call_later(self._longest_wait_seconds / 5, self._end_waits, loop)
        if self._thread is None:
            self._thread = Thread(target=self._write, args=(loop,), name="storage-writer")
            self._thread.start()
        # Who is read in the same turn of the loop goes to the writer in one piece: waking it for
        # the first would only have it contend with the reading of the others.
        self._arrived.append(waiter)
        if len(self._arrived) == 1:
            loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        with self._news:
            self._queue += self._arrived
            self._arrived.clear()
            self._news.notify()

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        while group := self._next_group():
            outcome = self._commit([waiter.batch for waiter in group])
            try:
                loop.call_soon_threadsafe(self._settle, group, outcome)
            except RuntimeError:  # the loop has ended, and with it whoever waited
                return

    def _next_group(self) -> list[_Waiter]:
        with self._news:
            while not self._queue and not self._closing:
                self._news.wait()
            count = _prefix(self._queue)
            group = list(islice(self._queue, count))
            del self._queue[:count]
            return group

    def _commit(self, batches: Sequence[Batch]) -> list[Appended] | StorageError:
        try:
            return self._storage.append(batches)
        except StorageError as error:
            return error
        except Exception:  # noqa: BLE001 - the thread must go on, and its waiters must hear of it
            structlog.get_logger("hostpulse.storage").exception("a commit failed")
            return StorageError("The storage failed; send again later, the log says more.")

    def _settle(self, group: Sequence[_Waiter], outcome: list[Appended] | StorageError) -> None:
        for i, waiter in enumerate(group):
            self._samples -= len(waiter.batch.samples)
            self._bytes -= waiter.size_bytes
            self._open.pop(waiter, None)
            if waiter.settled.done():
                continue
            if isinstance(outcome, StorageError):
                waiter.settled.set_exception(outcome)
            else:
                waiter.settled.set_result(outcome[i])

    def _end_waits(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send those away who waited too long: they will come again, and twice is as once."""
        latest = self._clock() - self._longest_wait_seconds
        late = [waiter for waiter in self._open if waiter.since <= latest]
        for waiter in late:
            del self._open[waiter]
            if not waiter.settled.done():
                waiter.settled.set_exception(
                    Overloaded("The storage did not answer in time; send again later.")
                )
        again = self._longest_wait_seconds / 5
        self._patrol = loop.call_later(again, self._end_waits, loop) if self._open else None


def _prefix(waiting: Sequence[_Waiter]) -> int:
    """Return how many of the first to take together: all, or as many as one commit should have."""
    samples = 0
    for count, waiter in enumerate(waiting):
        samples += len(waiter.batch.samples)
        if samples > MOST_SAMPLES_AT_ONCE:
            return max(count, 1)
    return len(waiting)
