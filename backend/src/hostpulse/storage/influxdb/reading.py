"""InfluxQL that reads a server's samples and roll-ups, and what its answers mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

from hostpulse.report import Key
from hostpulse.storage.influxdb.engine import Series
from hostpulse.storage.influxdb.lines import FAMILIES, SAMPLES, family
from hostpulse.storage.influxdb.names import decode, encode, identifier, quoted
from hostpulse.storage.series import Columns, Part, Wanted

RAW = "raw"
FOLDS = ("mean", "min", "max", "last", "count")
_LAST_MS = 9_223_372_036_854  # the engine counts nanoseconds in 64 bits


@dataclass(frozen=True, slots=True)
class Span:
    """The points of a server, of one instance or of all, with `start_ms` ≤ time < `end_ms`."""

    server: str
    start_ms: int
    end_ms: int
    instance: str | None = None

    @property
    def where(self) -> str:
        """The condition in InfluxQL; a tag that a point lacks is ''."""
        start_ms, end_ms = _counted(self.start_ms), _counted(self.end_ms)
        which = "" if self.instance is None else f' AND "instance" = {quoted(self.instance)}'
        return (
            f'WHERE "server" = {quoted(self.server)}{which}'
            f" AND time >= {start_ms}ms AND time < {end_ms}ms"
        )


def _counted(time_ms: int) -> int:
    return min(max(time_ms, -_LAST_MS), _LAST_MS)


def times_query(span: Span, most: int) -> str:
    """Ask when samples were taken, the first `most` of them."""
    return f'SELECT "values" FROM "raw"."{SAMPLES}" {span.where} LIMIT {most}'  # noqa: S608


def times_of(found: Sequence[Series]) -> list[int]:
    """Return the times of the only series there may be."""
    return [int(row[0]) for row in found[0].rows] if found else []


def values_queries(span: Span, wanted: Wanted) -> list[str]:
    """Ask for the values of metrics as they were sent."""
    return [
        f"SELECT {', '.join(map(identifier, metrics))}"  # noqa: S608
        f' FROM "raw"."{name}" {span.where} GROUP BY "instance"'
        for name, metrics in _by_family(wanted).items()
    ]


def all_values_queries(span: Span) -> list[str]:
    """Ask for all values as they were sent."""
    return [
        f'SELECT * FROM "raw"."{name}" {span.where} GROUP BY "server", "instance"'  # noqa: S608
        for name in FAMILIES
    ]


def folded_queries(span: Span, wanted: Wanted, step_ms: int) -> list[str]:
    """Ask for raw values folded into buckets, named as in the roll-ups."""
    return [
        f"SELECT {', '.join(_fold(metric) for metric in metrics)}"  # noqa: S608
        f' FROM "raw"."{name}" {span.where} GROUP BY time({step_ms}ms), "instance" fill(none)'
        for name, metrics in _by_family(wanted).items()
    ]


def rolled_queries(span: Span, wanted: Wanted, tier: str) -> list[str]:
    """Ask for roll-ups."""
    return [
        f"SELECT {', '.join(_folded(metric) for metric in metrics)}"  # noqa: S608
        f' FROM "{tier}"."{name}" {span.where} GROUP BY "instance"'
        for name, metrics in _by_family(wanted).items()
    ]


def keys_queries(server: str, tier: str) -> list[str]:
    """Ask which keys have a value among the points of a tier."""
    which = "*" if tier == RAW else "/^count_/"
    where = f'WHERE "server" = {quoted(server)}'
    return [
        f'SELECT last({which}) FROM "{tier}"."{name}" {where} GROUP BY "instance"'  # noqa: S608
        for name in FAMILIES
    ]


def keys_of(found: Iterable[Series]) -> set[Key]:
    """Return the keys that keys_queries found."""
    keys = set()
    for series in found:
        instance = decode(series.tags["instance"])
        for name, value in zip(series.columns[1:], series.rows[0][1:], strict=True):
            if value is not None:
                field = name.removeprefix("last_").removeprefix("count_")
                keys.add(Key(decode(field), instance))
    return keys


def columns_of(found: Iterable[Series], times: Sequence[int]) -> dict[Key, list[float]]:
    """Return a value per time for each key, NaN where it has none."""
    places = {time_ms: i for i, time_ms in enumerate(times)}
    columns = {}
    for series in found:
        instance = decode(series.tags["instance"])
        rows = [row for row in series.rows if row[0] in places]
        at = [places[row[0]] for row in rows]
        for number, name in enumerate(series.columns[1:], 1):
            column = [nan] * len(times)
            for place, row in zip(at, rows, strict=True):
                if row[number] is not None:
                    column[place] = row[number]
            columns[Key(decode(name), instance)] = column
    return columns


def parts_of(found: Iterable[Series], wanted: Wanted) -> list[Part]:
    """Return the points of each series; they are in the order of the questions."""
    parts = []
    for series in found:
        columns = dict(zip(series.columns, zip(*series.rows, strict=True), strict=True))
        times = [int(time_ms) for time_ms in columns["time"]]
        instance = decode(series.tags["instance"])
        points = {
            Key(metric, instance): _points(columns, encode(metric))
            for metric in wanted.metrics
            if f"count_{encode(metric)}" in columns
        }
        parts.append(Part(times, points))
    return parts


def _points(columns: Mapping[str, Sequence[float | None]], field: str) -> Columns:
    mean, low, high, last = (
        [nan if value is None else value for value in columns[f"{fold}_{field}"]]
        for fold in FOLDS[:4]
    )
    return Columns(mean, low, high, last, [int(n or 0) for n in columns[f"count_{field}"]])


def _by_family(wanted: Wanted) -> dict[str, list[str]]:
    families: dict[str, list[str]] = {}
    for metric in dict.fromkeys(wanted.metrics):
        families.setdefault(family(metric), []).append(metric)
    return families


def _fold(metric: str) -> str:
    return ", ".join(
        f"{fold}({identifier(metric)}) AS {identifier(f'{fold}_{metric}')}" for fold in FOLDS
    )


def _folded(metric: str) -> str:
    return ", ".join(identifier(f"{fold}_{metric}") for fold in FOLDS)
