"""Which tier tells of which stretch of time, so that each sample counts once; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hostpulse.storage.influxdb.reading import RAW, Span
from hostpulse.storage.influxdb.state import State
from hostpulse.storage.tiers import HOUR_MS, MINUTE_MS, Tier


def stretches_of(
    span: Span, tier: Tier, state: State, late_hours_ms: Sequence[int]
) -> Iterator[tuple[str, Span]]:
    """Yield (tier, stretch) in order of time: roll-ups no coarser than `tier`, then raw samples.

    Hours in which samples came late since they were rolled up are told by raw samples, too.
    """
    start_ms = span.start_ms
    for name, step_ms, rolled_ms in (
        ("1h", HOUR_MS, state.hours_ms),
        ("1m", MINUTE_MS, state.rolled_ms),
    ):
        begin_ms = start_ms // step_ms * step_ms
        end_ms = min(rolled_ms or 0, span.end_ms)
        if step_ms > tier.step_ms or begin_ms >= end_ms:
            continue
        start_ms = rolled_ms or 0
        for hour_ms in late_hours_ms:
            until_ms = min(hour_ms + HOUR_MS, end_ms)
            if until_ms <= begin_ms or hour_ms >= end_ms:
                continue
            if begin_ms < hour_ms:
                yield name, replace(span, start_ms=begin_ms, end_ms=hour_ms)
                begin_ms = hour_ms
            yield RAW, replace(span, start_ms=begin_ms, end_ms=until_ms)
            begin_ms = until_ms
        if begin_ms < end_ms:
            yield name, replace(span, start_ms=begin_ms, end_ms=end_ms)
    if start_ms < span.end_ms:
        yield RAW, replace(span, start_ms=start_ms)
