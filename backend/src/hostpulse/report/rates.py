"""Rates for plain agents that send counters only, from the server's previous report.

The agent of Hostpulse makes its own rates, because it alone knows its resets and pauses.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from math import isnan, nan

from hostpulse import catalogue
from hostpulse.report.sample import Key, Layout, Sample

LONGEST_GAP_MS = 300_000

Grown = Callable[[str], float]
Maker = Callable[[Grown, float], float]


def fill(layout: Layout, values: array[float], time_ms: int, previous: Sample | None) -> None:
    """Put rates into the empty rate positions of `values`; leave them where none can be right.

    No rate is made across a counter that fell (a reboot), a step back in time or a long pause.
    """
    if previous is None or not 0 < time_ms - previous.time_ms <= LONGEST_GAP_MS:
        return
    seconds = (time_ms - previous.time_ms) / 1000
    for (metric, instance), position in layout.index.items():
        make = _MAKERS.get(metric)
        if make and isnan(values[position]):
            values[position] = make(_growth(layout, values, previous, instance), seconds)


def _growth(layout: Layout, values: array[float], previous: Sample, instance: str) -> Grown:
    def grown(counter: str) -> float:
        key = Key(counter, instance)
        before, position = previous.get(key), layout.index.get(key)
        if before is None or position is None:
            return nan
        growth = values[position] - before
        return growth if growth >= 0 else nan

    return grown


def _per_sec(counter: str, decimals: int) -> Maker:
    return lambda grown, seconds: round(grown(counter) / seconds, decimals)


def _busy_percent(grown: Grown, seconds: float) -> float:
    busy_ms = grown("busy_time")
    return nan if isnan(busy_ms) else round(min(busy_ms / (seconds * 10), 100.0), 1)


def _await_ms(grown: Grown, _seconds: float) -> float:
    spent_ms = grown("read_time") + grown("write_time")
    operations = grown("read_count") + grown("write_count")
    if isnan(spent_ms) or isnan(operations):
        return nan
    return round(spent_ms / operations, 2) if operations else 0.0


_MAKERS: dict[str, Maker] = {
    rate.name: _per_sec(metric.name, rate.decimals)
    for metric in catalogue.METRICS
    if metric.counter and (rate := catalogue.BY_NAME.get(f"{metric.name}_per_sec"))
} | {"disk_busy_percent": _busy_percent, "disk_await_ms": _await_ms}
MADE = frozenset(_MAKERS)
