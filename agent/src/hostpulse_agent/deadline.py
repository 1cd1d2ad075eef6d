"""Runs calls that may never return, in daemon threads with a deadline."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from queue import SimpleQueue
from time import monotonic
from typing import Callable

Call = Callable[[], object]
DEADLINE_SECONDS = 1.0


class Late(Exception):
    """The call has not returned in time and still holds its thread."""


class _Batch:
    """Calls that one thread makes in turn, until it is abandoned in the middle of one."""

    def __init__(self, calls: Mapping[str, Call]) -> None:
        self.outcomes: dict[str, object] = {}
        self._calls = calls
        self._lock = threading.Lock()
        # Let go of when all calls are made; what an Event adds to its lock costs more than a call.
        self._unfinished = threading.Lock()
        self._unfinished.acquire()
        self._running = ""
        self._abandoned = False

    def run(self) -> None:
        for name, call in self._calls.items():
            with self._lock:
                if self._abandoned:
                    return
                self._running = name
            try:
                self.outcomes[name] = call()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the caller knows its meaning
                self.outcomes[name] = error
        self._unfinished.release()

    def is_finished_in(self, seconds: float) -> bool:
        """Wait for the end; tell whether it has come. To be asked once."""
        return self._unfinished.acquire(timeout=seconds)

    def abandon(self) -> str:
        """Begin no further call; return the name of the one that is running."""
        with self._lock:
            self._abandoned = True
            return self._running


class _Lane:
    """One daemon thread that works off batches until it gets None."""

    def __init__(self) -> None:
        self.todo: SimpleQueue[_Batch | None] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True, name="deadline").start()

    def _run(self) -> None:
        while True:
            batch = self.todo.get()
            if batch is None:
                return
            batch.run()


class Deadline:
    """Calls that answer share one thread; one that hangs keeps its own and is not made again.

    So a dead mount costs one thread however long it is dead, and nothing waits for it twice.
    """

    def __init__(self) -> None:
        self._lane: _Lane | None = None
        self._stuck: dict[str, _Batch] = {}

    @property
    def stuck(self) -> list[str]:
        """The names of the calls that have not returned yet."""
        return [name for name, batch in self._stuck.items() if name not in batch.outcomes]

    def run(
        self, calls: Mapping[str, Call], seconds: float = DEADLINE_SECONDS
    ) -> dict[str, object]:
        """Make all calls in turn; return what each gave: its value, its exception, or `Late`."""
        return self._outcomes(calls, seconds, self._in_turn)

    def run_together(self, calls: Mapping[str, Call], seconds: float) -> dict[str, object]:
        """Make all calls at the same time, each in a thread of its own."""
        return self._outcomes(calls, seconds, self._side_by_side)

    def _outcomes(
        self,
        calls: Mapping[str, Call],
        seconds: float,
        make: Callable[[dict[str, Call], float], dict[str, object]],
    ) -> dict[str, object]:
        self._stuck = {name: self._stuck[name] for name in self.stuck}
        fresh = {name: call for name, call in calls.items() if name not in self._stuck}
        outcomes: dict[str, object] = {name: Late() for name in calls}
        return {**outcomes, **(make(fresh, seconds) if fresh else {})}

    def _in_turn(self, calls: dict[str, Call], seconds: float) -> dict[str, object]:
        lane = self._lane = self._lane or _Lane()
        batch = _Batch(calls)
        lane.todo.put(batch)
        if batch.is_finished_in(seconds):
            return batch.outcomes
        hanging = batch.abandon()
        lane.todo.put(None)
        self._lane = None
        self._stuck[hanging] = batch
        answered = dict(batch.outcomes)
        rest = {n: call for n, call in calls.items() if n not in answered and n != hanging}
        return {**answered, **self._side_by_side(rest, seconds)}

    def _side_by_side(self, calls: dict[str, Call], seconds: float) -> dict[str, object]:
        """Give each call a thread of its own: one of them has just cost the others their turn."""
        batches = {name: _Batch({name: call}) for name, call in calls.items()}
        for batch in batches.values():
            lane = _Lane()
            lane.todo.put(batch)
            lane.todo.put(None)
        until = monotonic() + seconds
        outcomes: dict[str, object] = {}
        for name, batch in batches.items():
            if batch.is_finished_in(max(0.0, until - monotonic())):
                outcomes.update(batch.outcomes)
            else:
                self._stuck[name] = batch
        return outcomes
