"""From a typed report to the positions of a values array.

The shape of a report (which sections, which instances) rarely changes, so everything that depends
on it alone is worked out once in a `Plan` and found again by the shape.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, NamedTuple

from msgspec.structs import astuple

from hostpulse import catalogue
from hostpulse.report.errors import InvalidReport
from hostpulse.report.sample import Key, Layout
from hostpulse.report.shape import SectionFields, fields_of, section_metrics

_CPU, _MEMORY, _SYSTEM = fields_of("cpu"), fields_of("memory"), fields_of("system")
_AGENT, _NETWORK, _DISK_IO = fields_of("agent"), fields_of("io.network"), fields_of("io.disk_io")
_PARTITION = fields_of("disk.partitions", first=1)
_PRESSURE, _RAID = fields_of("pressure"), fields_of("raid")

_VIRTUAL_INTERFACE = re.compile(
    r"lo\d*|(veth|docker|br-|virbr|vnet|cali|cni|flannel|cilium|lxc|tun|tap|wg|dummy|ifb|bond|team"
    r"|kube|nodelocaldns).*|br\d+|.+[.@:].*"
)
_VIRTUAL_DISK = re.compile(r"(loop|ram|zram|sr|fd|dm-|md).*")
_PARTITION_NAME = re.compile(
    r"(?P<disk>(?:nvme\d+n\d+|mmcblk\d+|.*\d)(?=p\d+$)|.*?\D(?=\d+$))p?\d+"
)

# Doubles near this number are whole: adding it and taking it away rounds, ten times faster than
# round(). Beyond 2**51 a double has no decimals worth keeping.
_TO_WHOLE = 1.5 * 2**52

Shape = tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What follows from a shape: the layout, how to get there and round, and what to sum up.

    The layout has the metrics without decimals (and custom ones) first, so that rounding is one
    pass over the others.
    """

    layout: Layout
    scales: tuple[float, ...]
    totals: tuple[tuple[int, tuple[int, ...]], ...]

    @classmethod
    def of_keys(cls, keys: Sequence[Key]) -> Plan:
        """Make the plan for the keys of a report, in the order that `read` goes through it."""
        decimals = {key: _decimals(key.metric) for key in keys}
        whole = [key for key in keys if not decimals[key]]
        others = [key for key in keys if decimals[key]]
        layout = Layout((*whole, *others))
        scales = tuple(10.0 ** decimals[key] for key in others)
        return cls(layout, scales, tuple(_totals(layout)))

    def arrange(self, numbers: Numbers) -> array[float]:
        """Put numbers into the layout's order, rounded to each metric's decimals."""
        values = array("d", numbers.whole)
        values.extend(
            [
                (value * scale + _TO_WHOLE - _TO_WHOLE) / scale
                for value, scale in zip(numbers.others, self.scales, strict=True)
            ]
        )
        return values

    def add_totals(self, values: array[float]) -> None:
        """Fill in the sums over instances (`catalogue.TOTALS`) where any instance has a value."""
        for position, sources in self.totals:
            total = sum([values[source] for source in sources])
            if isnan(total):
                known = [values[source] for source in sources if not isnan(values[source])]
                total = sum(known) if known else nan
            values[position] = (total * 10 + _TO_WHOLE - _TO_WHOLE) / 10


def _decimals(metric: str) -> int:
    known = catalogue.BY_NAME.get(metric)
    return known.decimals if known else 0


def _totals(layout: Layout) -> Iterator[tuple[int, tuple[int, ...]]]:
    for metric in catalogue.TOTALS:
        total = layout.index.get(Key(metric))
        names = [key.instance for key in layout.keys if key.metric == metric and key.instance]
        if total is not None and names:
            counted = _carriers(metric, names)
            yield total, tuple(layout.index[Key(metric, name)] for name in counted)


def _carriers(metric: str, names: Sequence[str]) -> Sequence[str]:
    """Return the instances that carry traffic of their own, or all if none seems to."""
    if catalogue.BY_NAME[metric].per == "interface":
        own = [name for name in names if not _VIRTUAL_INTERFACE.fullmatch(name)]
    else:
        own = [name for name in names if not is_virtual_disk(name, names)]
    return own or names


def is_virtual_disk(name: str, names: Sequence[str]) -> bool:
    """Tell whether a block device only repeats what another one of `names` carries."""
    if _VIRTUAL_DISK.fullmatch(name):
        return True
    partition = _PARTITION_NAME.fullmatch(name)
    return partition is not None and partition["disk"] in names


class Plans:
    """The plans found so far, by shape; bounded, because shapes come from outside."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._found: dict[Shape, Plan] = {}

    def of(self, report: Any) -> Plan:
        """Return the plan for the shape of `report`.

        Raises InvalidReport if two rows have one name.
        """
        shape = _shape(report)
        plan = self._found.get(shape)
        if plan is None:
            plan = Plan.of_keys(tuple(_keys(report)))
            if len(plan.layout.index) != len(plan.layout.keys):
                raise InvalidReport("report", "names an instance twice")
            if len(self._found) >= self._most:
                self._found.clear()
            self._found[shape] = plan
        return plan


def _shape(report: Any) -> Shape:
    cpu, disk, io, custom = report.cpu, report.disk, report.io, report.custom
    return (
        (len(cpu.cpu_percent_per_core), len(cpu.load_average)) if cpu else None,
        report.memory is None,
        report.system is None,
        report.agent is None,
        tuple([p.mountpoint for p in disk.partitions]) if disk else None,
        (tuple(io.network), tuple(io.disk_io)) if io else None,
        tuple(report.pressure),
        tuple(report.temperatures),
        tuple(report.raid),
        tuple([(n, tuple(v) if type(v) is dict else None) for n, v in custom.items()]),
    )


class Numbers(NamedTuple):
    """What a report says: numbers that are rounded already, and the others."""

    whole: list[float]
    others: list[float]

    def take(self, section: SectionFields, row: Any) -> None:
        fields, (whole, others), (its_whole, its_others) = astuple(row), self, section
        whole += fields[its_whole]
        others += fields[its_others]


def read(report: Any) -> Numbers:
    """Return the numbers of a report; the totals are NaN."""
    numbers = Numbers([], [])
    if report.cpu:
        numbers.take(_CPU, report.cpu)
        numbers.others.extend(_known(report.cpu.cpu_percent_per_core))
        numbers.others.extend(_known(report.cpu.load_average))
    if report.memory:
        numbers.take(_MEMORY, report.memory)
    if report.system:
        numbers.take(_SYSTEM, report.system)
    if report.agent:
        numbers.take(_AGENT, report.agent)
    if report.disk:
        for row in report.disk.partitions:
            numbers.take(_PARTITION, row)
    if report.io:
        _read_io(report.io, numbers)
    _read_small_sections(report, numbers)
    return numbers


def _known(numbers: list[float | None]) -> Iterable[float]:
    if None in numbers:
        return [nan if number is None else number for number in numbers]
    return numbers  # type: ignore[return-value]


def _read_io(io: Any, numbers: Numbers) -> None:
    for row in io.network.values():
        numbers.take(_NETWORK, row)
    for row in io.disk_io.values():
        numbers.take(_DISK_IO, row)
    totals = 2 * _has_total(io.network) + 2 * _has_total(io.disk_io)
    numbers.others.extend([nan] * totals)


def _read_small_sections(report: Any, numbers: Numbers) -> None:
    for row in report.pressure.values():
        numbers.take(_PRESSURE, row)
    numbers.others.extend(report.temperatures.values())
    for row in report.raid.values():
        numbers.take(_RAID, row)
    for number in report.custom.values():
        given = number.values() if type(number) is dict else (number,)
        # Any size is possible here, so these are rounded with care, and one by one.
        numbers.whole.extend([round(value, catalogue.CUSTOM_DECIMALS) for value in given])


def _has_total(instances: dict[str, Any]) -> bool:
    return bool(instances) and "" not in instances


def _keys(report: Any) -> Iterator[Key]:
    if report.cpu:
        yield from _cpu_keys(report.cpu)
    for section in ("memory", "system", "agent"):
        if getattr(report, section):
            yield from _section_keys(section)
    if report.disk:
        for row in report.disk.partitions:
            yield from _section_keys("disk.partitions", row.mountpoint)
    if report.io:
        yield from _io_keys(report.io)
    yield from _small_section_keys(report)


def _cpu_keys(cpu: Any) -> Iterator[Key]:
    yield from _section_keys("cpu")
    for core in range(len(cpu.cpu_percent_per_core)):
        yield Key("cpu_percent_per_core", str(core))
    for period in catalogue.LOAD_PERIODS[: len(cpu.load_average)]:
        yield Key("load_average", period)


def _section_keys(path: str, instance: str = "") -> Iterator[Key]:
    return (Key(metric.name, instance) for metric in section_metrics(path))


def _io_keys(io: Any) -> Iterator[Key]:
    for name in io.network:
        yield from _section_keys("io.network", name)
    for name in io.disk_io:
        yield from _section_keys("io.disk_io", name)
    sent, received, read_, written = catalogue.TOTALS
    if _has_total(io.network):
        yield from (Key(sent), Key(received))
    if _has_total(io.disk_io):
        yield from (Key(read_), Key(written))


def _small_section_keys(report: Any) -> Iterator[Key]:
    for resource in report.pressure:
        yield from _section_keys("pressure", resource)
    yield from (Key("temperature_celsius", sensor) for sensor in report.temperatures)
    for name in report.raid:
        yield from _section_keys("raid", name)
    for name, number in report.custom.items():
        metric = catalogue.CUSTOM_PREFIX + name
        instances = number if isinstance(number, dict) else ("",)
        yield from (Key(metric, instance) for instance in instances)
