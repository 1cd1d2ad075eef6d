"""Storages that are led through days of the past in minutes, by a clock of the bench's own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from hostpulse.access.principal import DEFAULT_TENANT
from hostpulse.control.servers import server_id
from hostpulse.report import Decoded, Limits, Sample, decode
from hostpulse.report.flatten import Plans
from hostpulse.storage import Batch, Options, open_storage
from process import BenchError
from workload import STEP_MS, Fleet
from workload import Batch as Reports

BLOCK_MS = 1_800_000


class Past:
    """A storage whose time is that of the newest samples it was given."""

    def __init__(self, url: str, folder: Path, now_ms: int) -> None:
        self.now_ms = now_ms
        self.seconds_of_upkeep = 0.0
        self._storage = open_storage(url, Options(lambda: self.now_ms, folder))

    def take(self, samples: list[Sample]) -> None:
        """Store samples of the next block of time, then do what is due."""
        newest_ms = max(sample.time_ms for sample in samples)
        self.now_ms = max(self.now_ms, newest_ms)
        (done,) = self._storage.append([Batch(DEFAULT_TENANT, samples)])
        if done.accepted != len(samples):
            raise BenchError(f"{len(samples)} samples were written, {done} came of it")
        self.maintain()

    def pass_until(self, time_ms: int) -> None:
        """Let time pass without samples."""
        self.now_ms = time_ms
        self.maintain()

    def maintain(self) -> None:
        """Do what is due now."""
        before = time.process_time()
        self._storage.maintain()
        self.seconds_of_upkeep += time.process_time() - before

    def check_kept(self, hostname: str, start_ms: int, end_ms: int, wanted: int) -> None:
        """Make sure that the storage holds so many samples of a server."""
        server = server_id(DEFAULT_TENANT, hostname)
        found = sum(1 for _ in self._storage.samples(DEFAULT_TENANT, server, start_ms, end_ms))
        if found != wanted:
            raise BenchError(f"{wanted} samples of {hostname} were written, {found} are there")

    def sizes(self) -> dict[str, int]:
        """Return the bytes that each tier takes, as the storage says."""
        return {tier.name: tier.size_bytes or 0 for tier in self._storage.usage().tiers}

    def close(self) -> None:
        self._storage.close()


class Reader:
    """Makes samples of reports, as the backend does."""

    def __init__(self) -> None:
        self._plans = Plans()
        self._limits = Limits()

    def read(self, bodies: Iterable[bytes]) -> list[Sample]:
        """Return the samples of request bodies."""
        return [
            self._sample(each)
            for body in bodies
            for each in decode(body, self._plans, self._limits)
        ]

    def _sample(self, decoded: object) -> Sample:
        if not isinstance(decoded, Decoded) or decoded.dropped:
            raise BenchError(f"a report was refused: {decoded}")
        decoded.plan.add_totals(decoded.values)
        server = server_id(DEFAULT_TENANT, decoded.hostname)
        return Sample(server, decoded.time_ms, decoded.plan.layout, decoded.values)


def blocks(fleet: Fleet, until_ms: int, step_ms: int = STEP_MS) -> Iterator[list[Reports]]:
    """Yield the reports of the fleet, the ticks of one block of time after the other."""
    while (left := (until_ms - fleet.now_ms) // step_ms) > 0:
        yield fleet.whole_ticks(min(left, BLOCK_MS // step_ms))
