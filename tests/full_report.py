"""A report that fills every line of the catalogue, and what must come out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostpulse import catalogue
from hostpulse.catalogue import Metric
from hostpulse.report import Key

from tests.backend_under_test import report

INSTANCES = {
    "": ("",),
    "core": ("0", "1"),
    "period": catalogue.LOAD_PERIODS,
    "mountpoint": ("/", "/srv/big data"),
    "interface": ("eth0", "lo"),
    "disk": ("sda", "sda1"),
    "resource": ("cpu", "memory", "io"),
    "sensor": ("coretemp Core 0",),
    "array": ("md0",),
}

NumberOf = Callable[[Metric, str], float]


def some_number(metric: Metric, instance: str) -> float:
    """Give each key a number of its own, inside its range and with its decimals."""
    salt = sum(f"{metric.name}/{instance}".encode())
    if metric.unit == "flag":
        return salt % 2
    if metric.name == "clock_offset_ms":
        return 0
    return round(salt % 90 + 0.25, metric.decimals) if metric.decimals else salt % 90 + 1


def full_report(
    number: NumberOf = some_number, **of_report: Any
) -> tuple[dict[str, Any], dict[Key, float]]:
    """Return the report, and the number it carries for each key."""
    sections: dict[str, Any] = {}
    expected: dict[Key, float] = {}
    for metric in catalogue.METRICS:
        for instance in INSTANCES[metric.per]:
            value = number(metric, instance)
            expected[Key(metric.name, instance)] = value
            _put(sections, metric, instance, value)
    return report(**of_report, **sections), expected


def _put(sections: dict[str, Any], metric: Metric, instance: str, value: float) -> None:
    place = sections
    for name in metric.section.split("."):
        place = place.setdefault(name, {})
    if metric.per in ("core", "period"):
        place.setdefault(metric.field, []).append(value)
    elif metric.section == "temperatures":
        place[instance] = value
    elif metric.per == "mountpoint":
        _partition(sections["disk"], instance)[metric.field] = value
    elif metric.per:
        place.setdefault(instance, {})[metric.field] = value
    else:
        place[metric.field] = value


def _partition(disk: dict[str, Any], mountpoint: str) -> dict[str, Any]:
    rows = disk["partitions"] = list(disk["partitions"])
    for row in rows:
        if row["mountpoint"] == mountpoint:
            return row  # type: ignore[no-any-return]
    rows.append({"mountpoint": mountpoint, "device": "/dev/sda1", "fstype": "ext4"})
    return rows[-1]  # type: ignore[no-any-return]
