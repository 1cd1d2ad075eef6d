"""From a typed report to the positions of a values array.

The shape of a report (which sections, which instances) rarely changes, so everything that depends
on it alone is worked out once in a `Plan` and found again by the shape. A number that no report of
the shape has had yet gets no position.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from operator import itemgetter
from struct import Struct
from typing import Any

from msgspec.structs import astuple

from hostpulse import catalogue
from hostpulse.report import rates
from hostpulse.report.errors import InvalidReport
from hostpulse.report.sample import Key, Layout
from hostpulse.report.shape import numbers_of, section_metrics

_CPU, _MEMORY, _SYSTEM = numbers_of("cpu"), numbers_of("memory"), numbers_of("system")
_AGENT, _NETWORK, _DISK_IO = numbers_of("agent"), numbers_of("io.network"), numbers_of("io.disk_io")
_PARTITION = numbers_of("disk.partitions", first=1)
_PRESSURE, _RAID = numbers_of("pressure"), numbers_of("raid")

_VIRTUAL_INTERFACE = re.compile(
    r"lo\d*|(veth|docker|br-|virbr|vnet|cali|cni|flannel|cilium|lxc|tun|tap|wg|dummy|ifb|bond|team"
    r"|kube|nodelocaldns).*|br\d+|.+[.@:].*"
)
_VIRTUAL_DISK = re.compile(r"(loop|ram|zram|sr|fd|dm-|md).*")
_PARTITION_NAME = re.compile(
    r"(?P<disk>(?:nvme\d+n\d+|mmcblk\d+|.*\d)(?=p\d+$)|.*?\D(?=\d+$))p?\d+"
)

Shape = tuple[object, ...]


Numbers = list[float]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What follows from a shape: the layout, what to round and how, and what to sum up."""

    layout: Layout
    fractions: array[int]
    totals: tuple[tuple[int, tuple[int, ...]], ...]
    kept: frozenset[int]
    _keep: Callable[[Numbers], tuple[float, ...]]
    _packed: Struct
    _leave: Callable[[Numbers], tuple[float, ...]]
    _left: tuple[float, ...]

    @classmethod
    def of_keys(cls, keys: Sequence[Key], kept: frozenset[int]) -> Plan:
        """Make the plan that keeps the positions `kept` of a report with these keys.

        Raises InvalidReport if two rows have one name.
        """
        if len(set(keys)) != len(keys):
            raise InvalidReport("report", "names an instance twice")
        layout = Layout(tuple([keys[i] for i in sorted(kept)]))
        fractions = array("l", [i for i, key in enumerate(layout.keys) if _decimals(key)])
        left_out = [i for i in range(len(keys)) if i not in kept]
        return cls(
            layout,
            fractions,
            tuple(_totals(layout.index)),
            kept,
            _picker(sorted(kept)),
            Struct(f"={len(kept)}d"),
            _picker(left_out),
            (nan,) * len(left_out),
        )

    def fits(self, numbers: Numbers) -> bool:
        """Tell whether the plan keeps every number there is.

        What is left out is known by identity, at the speed of C: each absent number of a typed
        report is the same NaN.
        """
        return self._leave(numbers) == self._left

    def pack(self, numbers: Numbers) -> array[float]:
        """Return the numbers in the order of the layout."""
        return array("d", self._packed.pack(*self._keep(numbers)))

    def round(self, values: array[float]) -> None:
        """Round each number that may have a fraction to its metric's decimals."""
        for position in self.fractions:
            values[position] = round(values[position], _decimals(self.layout.keys[position]))

    def add_totals(self, values: array[float]) -> None:
        """Fill in the sums over instances (`catalogue.TOTALS`) where any instance has a value."""
        for position, sources in self.totals:
            if len(sources) == 1:
                values[position] = values[sources[0]]
            else:
                values[position] = _sum([values[source] for source in sources])


def _picker(positions: Sequence[int]) -> Callable[[Numbers], tuple[float, ...]]:
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda numbers: tuple([numbers[i] for i in positions])


def _sum(values: Numbers) -> float:
    known = [value for value in values if not isnan(value)]
    return round(sum(known), catalogue.DECIMALS) if known else nan


def _decimals(key: Key) -> int:
    known = catalogue.BY_NAME.get(key.metric)
    return known.decimals if known else catalogue.CUSTOM_DECIMALS


def _totals(positions: Mapping[Key, int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for metric in catalogue.TOTALS:
        total = positions.get(Key(metric))
        names = [key.instance for key in positions if key.metric == metric and key.instance]
        if total is not None and names:
            counted = _carriers(metric, names)
            yield total, tuple(positions[Key(metric, name)] for name in counted)


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
    """The plans found so far, by shape; bounded in keys, because shapes come from outside."""

    def __init__(self, most_keys: int = 250_000) -> None:
        self._most_keys = most_keys
        self._key_count = 0
        self._found: dict[Shape, Plan] = {}

    def flatten(self, report: Any) -> tuple[Plan, array[float]]:
        """Return the numbers of `report` and the plan they follow; raises InvalidReport."""
        shape, numbers = _shape(report), _numbers(report)
        plan = self._found.get(shape)
        if plan is None or not plan.fits(numbers):
            plan = self._make(shape, report, numbers)
        return plan, plan.pack(numbers)

    def _make(self, shape: Shape, report: Any, numbers: Numbers) -> Plan:
        keys = tuple(_keys(report))
        reserved = set(catalogue.TOTALS) | (rates.MADE if _is_plain(report) else set())
        kept = {i for i, key in enumerate(keys) if not isnan(numbers[i]) or key.metric in reserved}
        if shape in self._found:
            kept |= self._found[shape].kept
        plan = Plan.of_keys(keys, frozenset(kept))
        self._key_count += len(keys)
        if self._key_count > self._most_keys:
            self._found.clear()
            self._key_count = len(keys)
        self._found[shape] = plan
        return plan


def _is_plain(report: Any) -> bool:
    """Tell whether the report is of an agent that makes no rates of its own."""
    return not (report.agent and report.agent.version)


def _shape(report: Any) -> Shape:
    cpu, disk, io, custom = report.cpu, report.disk, report.io, report.custom
    return (
        (len(cpu.cpu_percent_per_core), len(cpu.load_average)) if cpu else None,
        report.memory is None,
        report.system is None,
        report.agent and bool(report.agent.version),
        tuple([p.mountpoint for p in disk.partitions]) if disk else None,
        (tuple(io.network), tuple(io.disk_io)) if io else None,
        tuple(report.pressure),
        tuple(report.temperatures),
        tuple(report.raid),
        tuple([(n, tuple(v) if type(v) is dict else None) for n, v in custom.items()]),
    )


def _numbers(report: Any) -> Numbers:
    """Return the numbers of a report in the order of `_keys`; the totals are NaN."""
    values: Numbers = []
    if report.cpu:
        values += astuple(report.cpu)[_CPU]
        values += _known(report.cpu.cpu_percent_per_core)
        values += _known(report.cpu.load_average)
    if report.memory:
        values += astuple(report.memory)[_MEMORY]
    if report.system:
        values += astuple(report.system)[_SYSTEM]
    if report.agent:
        values += astuple(report.agent)[_AGENT]
    if report.disk:
        for row in report.disk.partitions:
            values += astuple(row)[_PARTITION]
    if report.io:
        _read_io(report.io, values)
    _read_small_sections(report, values)
    return values


def _known(numbers: list[float | None]) -> Iterable[float]:
    if None in numbers:
        return [nan if number is None else number for number in numbers]
    return numbers  # type: ignore[return-value]


def _read_io(io: Any, values: Numbers) -> None:
    for row in io.network.values():
        values += astuple(row)[_NETWORK]
    for row in io.disk_io.values():
        values += astuple(row)[_DISK_IO]
    values += [nan] * (2 * _has_total(io.network) + 2 * _has_total(io.disk_io))


def _read_small_sections(report: Any, values: Numbers) -> None:
    for row in report.pressure.values():
        values += astuple(row)[_PRESSURE]
    values += report.temperatures.values()
    for row in report.raid.values():
        values += astuple(row)[_RAID]
    for number in report.custom.values():
        values += number.values() if type(number) is dict else (number,)


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
