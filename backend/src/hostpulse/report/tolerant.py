"""The second, tolerant reading of a report: drop the bad leaves, name them, keep the rest.

A leaf of the wrong type, non-finite or out of its range is dropped. A container of the wrong type,
or a missing hostname or timestamp, refuses the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any

import msgspec

from hostpulse import catalogue
from hostpulse.report import limits
from hostpulse.report.errors import InvalidReport
from hostpulse.report.shape import LISTS, SYSTEM_FACTS, Report, section_metrics

MOST_NAMED = 50

# A string that never ends reaches to the end of the body, so that this never searches twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?$)', re.DOTALL)
_BRACKETS = b"[]{}"
_AS_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(_BRACKETS))
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_AGENT_FACTS = ("version", "boot_id", "run")
_NO_TIME = "must be an ISO 8601 time such as 2025-11-06T10:00:00Z"
_PARTITION_FACTS = ("device", "fstype")


def loads(body: bytes, extra_depth: int = 0) -> Any:
    """Parse JSON with NaN and Infinity allowed; raises InvalidReport."""
    _check_depth(body, limits.MAX_DEPTH + extra_depth)
    try:
        return json.loads(body, parse_int=_parse_int)
    except (ValueError, RecursionError) as error:
        raise InvalidReport(
            "body", f"is not valid JSON ({error}); send one report or an array"
        ) from error


def _parse_int(digits: str) -> float:
    return int(digits) if len(digits) < 20 else float(digits)


def _check_depth(body: bytes, most: int) -> None:
    brackets = _STRING.sub(b"", body).translate(_AS_ONE_KIND, _NOT_BRACKETS)
    for _level in range(most):
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise InvalidReport("body", f"has more than {most} levels, or brackets without a partner")


def check_hostname(hostname: Any) -> None:
    """Refuse a hostname that is no text, empty, too long, or holds control characters."""
    if not isinstance(hostname, str):
        raise InvalidReport("hostname", "must be a text")
    if not hostname.strip():
        raise InvalidReport("hostname", "must not be empty")
    if len(hostname) > limits.MAX_HOSTNAME_LENGTH:
        raise InvalidReport("hostname", f"is longer than {limits.MAX_HOSTNAME_LENGTH} characters")
    if _CONTROL.search(hostname):
        raise InvalidReport("hostname", "must not hold control characters")


def clean(document: Any, allowed: limits.Limits) -> tuple[Any, tuple[str, ...]]:
    """Return the typed report made of what is good in `document`, and what was dropped.

    Raises InvalidReport.
    """
    if not isinstance(document, dict):
        raise InvalidReport("report", "must be a JSON object")
    for field in ("hostname", "timestamp"):
        if field not in document:
            raise InvalidReport(field, "is missing; every report needs it")
    check_hostname(document["hostname"])
    if not isinstance(document["timestamp"], str) or _CONTROL.search(document["timestamp"]):
        raise InvalidReport("timestamp", _NO_TIME)
    cleaner = _Cleaner(allowed)
    good = {"hostname": document["hostname"], "timestamp": document["timestamp"]}
    for section, clean_section in cleaner.sections.items():
        if document.get(section) is not None:
            good[section] = clean_section(section, document[section])
    try:
        return msgspec.convert(good, Report), tuple(cleaner.dropped)
    except msgspec.ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: msgspec.ValidationError) -> InvalidReport:
    problem, _, path = str(error).partition(" - at `$.")
    field = path.rstrip("`") or "report"
    if field == "timestamp":
        problem = _NO_TIME
    return InvalidReport(field, problem)


class _Cleaner:
    """Walks a parsed report along the catalogue and remembers what it dropped."""

    def __init__(self, allowed: limits.Limits) -> None:
        self.dropped: list[str] = []
        self._allowed = allowed
        self.sections: dict[str, Callable[[str, Any], Any]] = {
            "cpu": self._cpu,
            "memory": self._flat,
            "disk": self._disk,
            "io": self._io,
            "system": self._system,
            "pressure": self._rows,
            "temperatures": self._temperatures,
            "raid": self._rows,
            "agent": self._agent,
            "tags": self._tags,
            "custom": self._custom,
        }

    def _drop(self, path: str, problem: str) -> None:
        if len(self.dropped) < MOST_NAMED:
            self.dropped.append(f"{_visible(path)}: {problem}")
        elif len(self.dropped) == MOST_NAMED:
            self.dropped.append("and more")

    def _numbers(self, path: str, section: str, values: dict[str, Any]) -> dict[str, Any]:
        good = {}
        for metric in section_metrics(section):
            if metric.field in values and self._fits(
                f"{path}.{metric.field}", values[metric.field], metric
            ):
                good[metric.field] = _rounded(values[metric.field], metric)
        return good

    def _fits(self, path: str, value: Any, metric: catalogue.Metric) -> bool:
        problem = _problem(value, metric.low, metric.high)
        if problem:
            self._drop(path, problem)
        return not problem

    def _texts(self, path: str, values: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
        good = {}
        for name in names:
            if name in values and self._is_text(f"{path}.{name}", values[name]):
                good[name] = values[name]
        return good

    def _is_text(self, path: str, value: Any, most: int = limits.MAX_PATH_LENGTH) -> bool:
        fits = isinstance(value, str) and len(value) <= most and not _CONTROL.search(value)
        if not fits:
            self._drop(
                path, f"must be a text of at most {most} characters without control characters"
            )
        return fits

    def _text_list(
        self, path: str, values: Any, most_length: int = limits.MAX_PATH_LENGTH
    ) -> list[str]:
        if not isinstance(values, list):
            self._drop(path, "must be an array of texts")
            return []
        good = [v for i, v in enumerate(values) if self._is_text(f"{path}[{i}]", v, most_length)]
        most = limits.MAX_TAGS if path == "tags" else limits.MAX_INSTANCES
        return self._at_most(path, good, most)

    def _at_most(self, path: str, values: list[Any], most: int) -> list[Any]:
        if len(values) > most:
            self._drop(path, f"has more than {most} entries; the rest was dropped")
        return values[:most]

    def _flat(self, path: str, values: Any) -> dict[str, Any]:
        return self._numbers(path, path, _object(path, values))

    def _cpu(self, path: str, values: Any) -> dict[str, Any]:
        good = self._flat(path, values)
        for name, most in zip(LISTS, (limits.MAX_CORES, len(catalogue.LOAD_PERIODS)), strict=True):
            if name in values:
                good[name] = self._number_list(f"{path}.{name}", values[name], name, most)
        return good

    def _number_list(self, path: str, values: Any, metric: str, most: int) -> list[Any]:
        if not isinstance(values, list):
            raise InvalidReport(path, "must be an array of numbers")
        known = catalogue.BY_NAME[metric]
        fitting = [
            v if self._fits(f"{path}[{i}]", v, known) else None for i, v in enumerate(values)
        ]
        return self._at_most(path, fitting, most)

    def _system(self, path: str, values: Any) -> dict[str, Any]:
        return self._flat(path, values) | self._texts(path, values, SYSTEM_FACTS)

    def _agent(self, path: str, values: Any) -> dict[str, Any]:
        good = self._flat(path, values) | self._texts(path, values, _AGENT_FACTS)
        if "errors" in values:
            good["errors"] = self._text_list(f"{path}.errors", values["errors"])
        return good

    def _disk(self, path: str, values: Any) -> dict[str, Any]:
        partitions = _object(path, values).get("partitions", [])
        if not isinstance(partitions, list):
            raise InvalidReport(f"{path}.partitions", "must be an array of objects")
        rows: dict[str, Any] = {}
        for i, row in enumerate(partitions):
            where = f"{path}.partitions[{i}]"
            fields = _object(where, row)
            mount: Any = fields.get("mountpoint")
            if not self._is_text(f"{where}.mountpoint", mount):
                continue
            if mount in rows:
                self._drop(where, f"names the mountpoint {mount} again")
            else:
                good = self._numbers(where, "disk.partitions", fields)
                rows[mount] = {
                    "mountpoint": mount,
                    **good,
                    **self._texts(where, fields, _PARTITION_FACTS),
                }
        return {"partitions": self._at_most(path, list(rows.values()), limits.MAX_INSTANCES)}

    def _io(self, path: str, values: Any) -> dict[str, Any]:
        fields = _object(path, values)
        return {
            part: self._io_rows(f"{path}.{part}", fields[part])
            for part in ("network", "disk_io")
            if part in fields
        }

    def _io_rows(self, path: str, values: Any) -> dict[str, Any]:
        rows = _object(path, values)
        if any(metric.field in rows for metric in section_metrics(path)):
            rows = {"": rows}  # psutil without pernic/perdisk: one flat dictionary
        return self._rows(path, rows)

    def _rows(self, path: str, values: Any) -> dict[str, Any]:
        good = {}
        for name, row in self._named(path, values).items():
            where = f"{path}.{name}"
            good[name] = self._numbers(where, path, _object(where, row))
            if "addresses" in row:
                good[name]["addresses"] = self._text_list(f"{where}.addresses", row["addresses"])
        return good

    def _named(self, path: str, values: Any, most: int = limits.MAX_INSTANCES) -> dict[str, Any]:
        rows = _object(path, values)
        fits = [n for n in rows if self._is_text(f"{path}.{n}", n, limits.MAX_NAME_LENGTH)]
        return {name: rows[name] for name in self._at_most(path, fits, most)}

    def _temperatures(self, path: str, values: Any) -> dict[str, Any]:
        metric = catalogue.BY_NAME["temperature_celsius"]
        rows = self._named(path, values)
        return {name: v for name, v in rows.items() if self._fits(f"{path}.{name}", v, metric)}

    def _tags(self, path: str, values: Any) -> list[str]:
        return self._text_list(path, values, limits.MAX_NAME_LENGTH)

    def _custom(self, path: str, values: Any) -> dict[str, Any]:
        room = self._allowed.custom_metrics
        good: dict[str, Any] = {}
        for name, value in self._named(path, values, len(values)).items():
            if isinstance(value, dict):
                entry: Any = self._custom_instances(f"{path}.{name}", value, room)
                room -= len(entry)
            elif room > 0:
                entry = (
                    value if self._fits(f"{path}.{name}", value, catalogue.custom(name)) else None
                )
                room -= entry is not None
            else:
                entry = None
                self._drop(f"{path}.{name}", self._too_many())
            if entry is not None:
                good[name] = entry
        return good

    def _custom_instances(self, path: str, values: dict[str, Any], room: int) -> dict[str, Any]:
        metric = catalogue.custom(path)
        good = {
            name: value
            for name, value in values.items()
            if self._is_text(f"{path}.{name}", name) and self._fits(f"{path}.{name}", value, metric)
        }
        if len(good) > room:
            self._drop(path, self._too_many())
        return dict(list(good.items())[:room])

    def _too_many(self) -> str:
        return f"is beyond the limit of {self._allowed.custom_metrics} custom metrics a server"


def _object(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidReport(path, "must be an object")
    return value


def _problem(value: Any, low: float, high: float) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if not isfinite(value):
        return "must be finite"
    if value < low:
        return f"{value} is below {low:g}"
    if value > high:
        return f"{value} is above {high:g}"
    return ""


def _rounded(value: float, metric: catalogue.Metric) -> float:
    return value if metric.decimals else round(value)


def _visible(text: str) -> str:
    return presentable(text)[:200]  # type: ignore[no-any-return]


def presentable(content: Any) -> Any:
    """Return parsed JSON with each lone surrogate spelled out, so that it can be encoded again."""
    if isinstance(content, str):
        return content.encode("utf-8", "backslashreplace").decode()
    if isinstance(content, list):
        return [presentable(item) for item in content]
    if isinstance(content, dict):
        return {presentable(name): presentable(item) for name, item in content.items()}
    return content
