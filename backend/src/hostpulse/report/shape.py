"""The typed form of a report: msgspec structs made from the catalogue.

A number that is missing is NaN; a section that is missing is None. Ranges are part of the types,
so that a good report is checked while it is parsed.
"""

from __future__ import annotations

from datetime import datetime
from math import nan
from typing import Annotated, Any

import msgspec
from msgspec import Meta, defstruct

from hostpulse import catalogue
from hostpulse.report import limits

FieldSpec = tuple[str, Any, Any]

Name = Annotated[str, Meta(max_length=limits.MAX_NAME_LENGTH)]
Path = Annotated[str, Meta(max_length=limits.MAX_PATH_LENGTH)]
Fact = Annotated[str, Meta(max_length=limits.MAX_PATH_LENGTH)]
Custom = Annotated[float, Meta(ge=-catalogue.MAX_NUMBER, le=catalogue.MAX_NUMBER)]
Words = Annotated[list[Fact], Meta(max_length=limits.MAX_INSTANCES)]


def _number(metric: catalogue.Metric) -> Any:
    # A metric without decimals is an integer here, so that only the others may need rounding.
    if metric.decimals == 0:
        return Annotated[int, Meta(ge=int(metric.low), le=int(metric.high))]
    return Annotated[float, Meta(ge=metric.low, le=metric.high)]


# Lists of numbers whose positions are the instances.
LISTS = ("cpu_percent_per_core", "load_average")


def section_metrics(path: str) -> tuple[catalogue.Metric, ...]:
    """Return the plain numbers of one section, in the order its struct has them."""
    return tuple(metric for metric in catalogue.of_section(path) if metric.field not in LISTS)


def numbers_of(path: str, first: int = 0) -> slice:
    """Return where a section's struct has its numbers: after `first` other fields."""
    return slice(first, first + len(section_metrics(path)))


def _struct(name: str, path: str, *facts: FieldSpec, first: tuple[str, Any] | None = None) -> Any:
    numbers: list[FieldSpec] = [(m.field, _number(m), nan) for m in section_metrics(path)]
    return defstruct(name, [*([first] if first else []), *numbers, *facts], gc=False)


def _list_of(name: str, most: int) -> Any:
    number: Any = _number(catalogue.BY_NAME[name])
    return Annotated[list[number | None], Meta(max_length=most)]


def _map_of(kind: Any, key: Any = Name) -> Any:
    return Annotated[dict[key, kind], Meta(max_length=limits.MAX_INSTANCES)]


Cpu = _struct(
    "Cpu",
    "cpu",
    ("cpu_percent_per_core", _list_of("cpu_percent_per_core", limits.MAX_CORES), ()),
    ("load_average", _list_of("load_average", len(catalogue.LOAD_PERIODS)), ()),
)
Memory = _struct("Memory", "memory")
Partition: Any = _struct(
    "Partition",
    "disk.partitions",
    ("device", Fact, ""),
    ("fstype", Fact, ""),
    first=("mountpoint", Path),
)
Interface = _struct("Interface", "io.network", ("addresses", Words, ()))
DiskIo = _struct("DiskIo", "io.disk_io")
SYSTEM_FACTS = ("os", "kernel", "architecture", "cpu_model", "machine_id", "virtualization")
System = _struct("System", "system", *((fact, Fact, "") for fact in SYSTEM_FACTS))
Pressure = _struct("Pressure", "pressure")
Raid = _struct("Raid", "raid")
Agent = _struct(
    "Agent",
    "agent",
    ("version", Fact, ""),
    ("boot_id", Fact, ""),
    ("run", Fact, ""),
    ("errors", Words, ()),
)
Partitions: Any = Annotated[list[Partition], Meta(max_length=limits.MAX_INSTANCES)]
Disk = defstruct("Disk", [("partitions", Partitions, ())], gc=False)
Io = defstruct("Io", [("network", _map_of(Interface), {}), ("disk_io", _map_of(DiskIo), {})])
Temperature = _number(catalogue.BY_NAME["temperature_celsius"])
CustomMetrics = Annotated[
    dict[Name, Custom | dict[Path, Custom]], Meta(max_length=limits.MAX_INSTANCES)
]

Report: Any = defstruct(
    "Report",
    [
        ("hostname", Annotated[str, Meta(max_length=limits.MAX_HOSTNAME_LENGTH)]),
        ("timestamp", datetime),
        ("cpu", Cpu | None, None),
        ("memory", Memory | None, None),
        ("disk", Disk | None, None),
        ("io", Io | None, None),
        ("system", System | None, None),
        ("pressure", _map_of(Pressure), {}),
        ("temperatures", _map_of(Temperature), {}),
        ("raid", _map_of(Raid), {}),
        ("agent", Agent | None, None),
        ("tags", Annotated[list[Name], Meta(max_length=limits.MAX_TAGS)], ()),
        ("custom", CustomMetrics, {}),
    ],
)

DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Report)
