"""The numbers of a server's row, read from its newest sample."""

from __future__ import annotations

from functools import lru_cache
from math import isnan, nan

from hostpulse.report import Key, Layout, Sample

_NUMBERS = {
    "cpu_percent_total": Key("cpu_percent_total"),
    "memory_percent": Key("memory_percent"),
    "swap_percent": Key("swap_percent"),
    "processes_total": Key("processes_total"),
}
_RATES = {
    "bytes_recv_per_sec": Key("bytes_recv_per_sec"),
    "bytes_sent_per_sec": Key("bytes_sent_per_sec"),
}
_LOAD = Key("load_average", "1m")
_CORES = Key("cpu_count_logical")


def numbers(sample: Sample) -> dict[str, float | str]:
    """Return what changes with every sample; what was not reported is left out."""
    found: dict[str, float | str] = {**_known(sample, _NUMBERS)}
    rates = _known(sample, _RATES)
    found |= {name: float(f"{rate:.3g}") for name, rate in rates.items()}
    load, cores = sample.get(_LOAD), sample.get(_CORES)
    if load is not None and cores:
        found["load_per_core"] = round(load / cores, 2)
    mount, percent = _highest(sample, "disk_percent")
    if mount:
        found |= {"disk_percent": percent, "disk_mountpoint": mount}
    sensor, celsius = _highest(sample, "temperature_celsius")
    if sensor:
        found["temperature_celsius"] = celsius
    return found


def _known(sample: Sample, keys: dict[str, Key]) -> dict[str, float]:
    found = ((name, sample.get(key)) for name, key in keys.items())
    return {name: value for name, value in found if value is not None}


def _highest(sample: Sample, metric: str) -> tuple[str, float]:
    best, most = "", nan
    for instance, position in _positions(sample.layout, metric):
        value = sample.values[position]
        if not isnan(value) and not value <= most:
            best, most = instance, value
    return best, most


@lru_cache(maxsize=4096)
def _positions(layout: Layout, metric: str) -> tuple[tuple[str, int], ...]:
    found = ((key, i) for key, i in layout.index.items() if key.metric == metric)
    return tuple((key.instance, i) for key, i in found)
