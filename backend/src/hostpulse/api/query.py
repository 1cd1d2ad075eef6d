"""Reads the query of a request; every refusal names the parameter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from hostpulse import catalogue
from hostpulse.api.answers import BadRequest
from hostpulse.storage import Wanted, Window
from hostpulse.storage.series import MAX_POINTS, STEPS_MS

MAX_METRICS = 100
MAX_SPARK_MINUTES = 60

_DURATION = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhdw])")
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_LATEST_MS = 253_402_300_799_000  # the year 9999


def window(query: Mapping[str, str], now_ms: int, interval_ms: int) -> Window:
    """Return the window that `start`, `end` and `points` ask for; the last hour by default."""
    end_ms = _time(query, "end", now_ms, now_ms)
    start_ms = _time(query, "start", now_ms, end_ms - 3_600_000)
    if start_ms >= end_ms:
        raise BadRequest(400, "start: must be before end.")
    points = whole(query, "points", MAX_POINTS, 1, MAX_POINTS)
    if end_ms - start_ms > points * STEPS_MS[-1]:
        days = points * STEPS_MS[-1] // _UNIT_MS["d"]
        raise BadRequest(400, f"start: must be at most {days} days before end for points={points}.")
    return Window(start_ms, end_ms, points, interval_ms)


def wanted(query: Mapping[str, str]) -> Wanted:
    """Return the metrics (and the instance) asked for."""
    names = tuple(
        dict.fromkeys(n.strip() for n in query.get("metrics", "").split(",") if n.strip())
    )
    if not names:
        raise BadRequest(400, "metrics: name at least one metric of /api/catalogue.")
    if len(names) > MAX_METRICS:
        raise BadRequest(400, f"metrics: name at most {MAX_METRICS} at once.")
    for name in names:
        if catalogue.find(name) is None:
            raise BadRequest(400, f"metrics: {name!r} is not a metric of /api/catalogue.")
    return Wanted(names, query.get("instance"))


def since(query: Mapping[str, str], started_ms: int, now_ms: int) -> int | None:
    """Return the server time of the answer that the client has, None if it has none of use.

    Another process gave one from before the start; one from the future was given before this
    machine's clock was set back.
    """
    if "since" not in query:
        return None
    asked = whole(query, "since", 0, 0, _LATEST_MS)
    return asked if started_ms <= asked <= now_ms else None


def spark_minutes(query: Mapping[str, str]) -> int:
    """Return how many minutes of sparkline are asked for, 0 for none."""
    if "spark" not in query:
        return 0
    length = _duration_ms(query["spark"])
    if length is None or not _UNIT_MS["m"] <= length <= MAX_SPARK_MINUTES * _UNIT_MS["m"]:
        raise BadRequest(400, f"spark: use 1m to {MAX_SPARK_MINUTES}m, such as 30m.")
    return length // _UNIT_MS["m"]


def whole(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """Return the whole number that a parameter is."""
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,16}", text) or not low <= int(text) <= high:
        raise BadRequest(400, f"{name}: must be a whole number from {low} to {high}.")
    return int(text)


def _time(query: Mapping[str, str], name: str, now_ms: int, default: int) -> int:
    text = query.get(name, "").strip()
    if not text:
        return default
    found = parse_time(text, now_ms)
    if found is None or not 0 <= found <= _LATEST_MS:
        raise BadRequest(
            400, f"{name}: use epoch milliseconds, an ISO 8601 time, now, or a span such as -1h."
        )
    return found


def parse_time(text: str, now_ms: int) -> int | None:
    """Return the epoch ms that `text` means: now, -1h, a number, ISO 8601; None if nothing."""
    if text == "now":
        return now_ms
    if text.startswith("-"):
        ago = _duration_ms(text[1:])
        return None if ago is None else now_ms - ago
    if re.fullmatch(r"[0-9]{1,16}", text):
        return int(text)
    return _iso_ms(text)


def _duration_ms(text: str) -> int | None:
    found = _DURATION.fullmatch(text)
    return int(found["count"]) * _UNIT_MS[found["unit"]] if found else None


def _iso_ms(text: str) -> int | None:
    try:
        # A '+' of an offset arrives as a space when the client did not quote it.
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
