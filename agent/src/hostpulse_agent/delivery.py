"""Brings reports to the server: the newest first, the backlog behind it, nothing lost between."""

from __future__ import annotations

import threading
from typing import Callable, Protocol

from hostpulse_agent.batch_size import BatchSize
from hostpulse_agent.clock import Clock
from hostpulse_agent.journal import Journal
from hostpulse_agent.refused import Refused
from hostpulse_agent.sender import (
    Answer,
    Unreachable,
    body_of,
    default_random,
    full_jitter,
    gzipped,
    retry_after_seconds,
)
from hostpulse_agent.spool import Spool, Waiting

BATCH_BYTES = 4 << 20
KEY_RETRY_SECONDS = 300.0
STOP_SECONDS = 1.5
FAULT_SECONDS = 5.0


class Post(Protocol):
    """Sends one gzip body and returns the answer, or raises Unreachable."""

    def post(self, body: bytes) -> Answer: ...

    def has_new_key(self) -> bool: ...


class Delivery:
    """Takes reports from the collecting thread and posts them from a thread of its own.

    While the server answers, a report goes from memory to the wire. From the first failed or slow
    post on, reports go to the spool first and leave it only when they are acknowledged. So a kill
    can cost the one report that is on its way, and no more.
    """

    def __init__(
        self,
        transport: Post,
        spool: Spool,
        clock: Clock,
        journal: Journal,
        refused: Refused,
    ) -> None:
        self._transport = transport
        self._spool = spool
        self._clock = clock
        self._journal = journal
        self._refused = refused
        self.random_between: Callable[[float, float], float] = default_random
        self._live: Waiting | None = None
        self._is_posting = False
        self._is_backlog_due = True
        self._batch_size = BatchSize()
        self._failures = 0
        self._retry_at = 0.0
        self._refusal = ""
        self._is_stopped = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def offer(self, time_ms: int, report: bytes) -> None:
        """Take a report; return at once, whatever the server does."""
        with self._changed:
            self._is_backlog_due = True
            if self._refusal and self._transport.has_new_key():
                self._retry_at = 0.0
            if self._is_posting or self._live or self._failures:
                self._spool.put(time_ms, report)
                if self._spool.disk_error:
                    self._journal.trouble("spool", self._spool.disk_error)
            else:
                self._live = Waiting(time_ms, report)
            self._changed.notify()

    def state(self) -> dict[str, int]:
        """Return what the next report tells about the delivery of the earlier ones."""
        with self._changed:
            return {
                "spool_reports": self._spool.reports,
                "spool_bytes": self._spool.size_bytes,
                "dropped_reports": self._spool.dropped,
                "refused_reports": self._refused.reports,
            }

    def start(self) -> None:
        """Post from a thread, until stop()."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="delivery")
        self._thread.start()

    def stop(self) -> None:
        """End the thread and spool what has not arrived; a post that hangs is not waited for."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        with self._changed:
            if self._live is not None:
                self._spool.put(self._live.time_ms, self._live.report)
            self._spool.close()

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                if not self.step():
                    self._wait()
            except Exception as error:  # noqa: BLE001 - delivery must outlive its own faults
                self._journal.trouble("fault", f"delivery failed: {type(error).__name__}: {error}")
                self._back_off(FAULT_SECONDS)

    def _wait(self) -> None:
        with self._changed:
            seconds = self._due_in()
            if not self._is_stopped and seconds != 0.0:
                self._changed.wait(seconds)

    def _due_in(self) -> float | None:
        """Return the seconds until a post is due; None while there is nothing to post."""
        is_waiting = self._spool.reports and (self._failures or self._is_backlog_due)
        if not self._live and not is_waiting:
            return None
        return max(0.0, self._retry_at - self._clock.monotonic())

    def step(self) -> bool:
        """Make one post if one is due; tell whether it was."""
        with self._changed:
            batch = self._next_batch() if self._due_in() == 0.0 else []
            self._is_posting = bool(batch)
        if not batch:
            return False
        try:
            self._post(batch)
        finally:
            with self._changed:
                self._is_posting = False
        return True

    def _next_batch(self) -> list[Waiting]:
        """Choose what to post: the live report, or the newest of the spool in order of time."""
        if self._live is not None:
            return [self._live]
        # After a failure one report tries the way for all; the others may follow it at once.
        most = 1 if self._failures else self._batch_size.reports
        self._is_backlog_due = self._failures > 0
        return self._spool.newest(most, BATCH_BYTES)[::-1]

    def _post(self, batch: list[Waiting]) -> None:
        body = gzipped(body_of([waiting.report for waiting in batch]))
        sent_at, started = self._clock.wall(), self._clock.monotonic()
        try:
            answer = self._transport.post(body)
        except Unreachable as error:
            self._failed(batch, f"the server cannot be reached: {error}")
            return
        received_at, seconds = self._clock.wall(), self._clock.monotonic() - started
        fields = answer.fields()
        server_ms = fields.get("server_time_ms")
        with self._changed:
            if isinstance(server_ms, (int, float)) and received_at >= sent_at:
                self._clock.measure(server_ms, sent_at, received_at)
        if answer.status == 200 and fields.get("status") == "success":
            self._batch_size.answered(len(batch), seconds)
            self._arrived(batch, fields)
        else:
            self._not_accepted(batch, answer, fields)

    def _not_accepted(
        self, batch: list[Waiting], answer: Answer, fields: dict[str, object]
    ) -> None:
        if answer.status == 400 and "error" in fields:
            self._set_aside(batch, answer.said())
        elif answer.status == 413:
            self._too_large(batch)
        elif answer.status in (401, 403):
            self._refused_for_now(batch, answer)
        else:
            self._failed(
                batch,
                f"the server answered {answer.status}: {answer.said()}",
                self._asked_pause(answer),
            )

    def _refused_for_now(self, batch: list[Waiting], answer: Answer) -> None:
        """Keep the reports for the day the server takes this agent again; tell once why not."""
        refusal = f"the server refuses this agent ({answer.status}): {answer.said().rstrip('.')}"
        if refusal != self._refusal:
            self._refusal = refusal
            self._journal.news(
                "delivery", f"{refusal}; reports are kept, and a new key in the key file is used"
            )
        pause = self._asked_pause(answer)
        self._keep(batch)
        self._back_off(KEY_RETRY_SECONDS if pause is None else pause)

    def _asked_pause(self, answer: Answer) -> float | None:
        return retry_after_seconds(answer.retry_after, self._clock.wall())

    def _arrived(self, batch: list[Waiting], fields: dict[str, object]) -> None:
        rejected = fields.get("rejected")
        for item in rejected if isinstance(rejected, list) else []:
            index = item.get("index") if isinstance(item, dict) else None
            if isinstance(index, int) and 0 <= index < len(batch):
                self._refused.keep(batch[index].report, str(item.get("error")))
        self._forget(batch)
        self._refusal = ""
        self._journal.over("delivery", "the server accepts reports again")

    def _set_aside(self, batch: list[Waiting], why: str) -> None:
        for waiting in batch:
            self._refused.keep(waiting.report, why)
        self._forget(batch)

    def _too_large(self, batch: list[Waiting]) -> None:
        if len(batch) == 1:
            self._set_aside(batch, "larger than the server takes")
            return
        with self._changed:
            self._batch_size.was_too_large(len(batch))
            self._is_backlog_due = True

    def _forget(self, batch: list[Waiting]) -> None:
        """Let go of reports that are settled."""
        with self._changed:
            self._failures = 0
            self._retry_at = 0.0
            if batch[0] is self._live:
                self._live = None
            else:
                self._spool.delivered(batch)

    def _failed(self, batch: list[Waiting], sentence: str, pause: float | None = None) -> None:
        """Keep the reports and come back later."""
        self._batch_size.failed()
        self._keep(batch)
        self._journal.trouble("delivery", sentence)
        self._back_off(pause)

    def _keep(self, batch: list[Waiting]) -> None:
        with self._changed:
            if batch[0] is self._live:
                self._spool.put(batch[0].time_ms, batch[0].report)
                self._live = None

    def _back_off(self, pause: float | None) -> None:
        with self._changed:
            self._failures += 1
            jitter = full_jitter(self._failures, self.random_between)
            self._retry_at = self._clock.monotonic() + max(pause or 0.0, jitter)
