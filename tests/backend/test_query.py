"""Times and numbers in a query."""

from __future__ import annotations

import pytest
from hostpulse.api import query
from hostpulse.api.answers import BadRequest

from tests.backend_under_test import NOW_MS

HOUR = 3_600_000
TIMES = {
    "now": NOW_MS,
    "-1h": NOW_MS - HOUR,
    "-15m": NOW_MS - HOUR // 4,
    "-7d": NOW_MS - 168 * HOUR,
    "-90s": NOW_MS - 90_000,
    "-2w": NOW_MS - 336 * HOUR,
    "1795400000000": 1_795_400_000_000,
    "2026-11-23T08:00:00Z": NOW_MS - 43 * 60_000 - 5000,
    "2026-11-23T08:00:00": NOW_MS - 43 * 60_000 - 5000,
    "2026-11-23T10:00:00+02:00": NOW_MS - 43 * 60_000 - 5000,
    "2026-11-23T10:00:00 02:00": NOW_MS - 43 * 60_000 - 5000,
    "2026-11-23": NOW_MS - (8 * 60 + 43) * 60_000 - 5000,
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_epoch_ms_iso_8601_now_or_a_span(text: str) -> None:
    window = query.window({"start": text, "end": "2026-11-24"}, NOW_MS, 5000)
    assert window.start_ms == TIMES[text]


def test_without_times_it_is_the_last_hour() -> None:
    window = query.window({}, NOW_MS, 5000)
    assert (window.start_ms, window.end_ms, window.points) == (NOW_MS - HOUR, NOW_MS, 400)


def test_an_end_alone_shows_the_hour_before_it() -> None:
    window = query.window({"end": "-1d"}, NOW_MS, 5000)
    assert window.end_ms - window.start_ms == HOUR


BAD = {
    "start": [
        "soon",
        "1h",
        "-1y",
        "-h",
        "-99999999d",
        "2026-13-01",
        "1e3",
        "-1",
        "９",
        "9" * 17,
        "0x1",
    ],
    "end": ["soon", "-1", "99999999999999999"],
    "points": ["0", "401", "x", "-1", "1.5", " 1", "٣", "9" * 40],
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, ts in BAD.items() for t in ts])
def test_a_bad_parameter_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(BadRequest, match=f"^{name}: ") as refused:
        query.window({name: text}, NOW_MS, 5000)
    assert refused.value.status == 400


@pytest.mark.parametrize(("points", "days"), [(400, 800), (1, 2)])
def test_a_window_longer_than_all_its_points_is_refused(points: int, days: int) -> None:
    longest_ms = NOW_MS - days * 24 * HOUR
    asked = {"start": str(longest_ms), "points": str(points)}
    assert query.window(asked, NOW_MS, 5000).step_ms == 48 * HOUR
    for start in (str(longest_ms - 1), "1"):
        with pytest.raises(BadRequest, match=rf"^start: .* {days} days .*points={points}"):
            query.window({**asked, "start": start}, NOW_MS, 5000)


def test_a_window_must_not_end_before_it_starts() -> None:
    for start, end in [("now", "now"), ("-1h", "-2h")]:
        with pytest.raises(BadRequest, match=r"^start: "):
            query.window({"start": start, "end": end}, NOW_MS, 5000)


@pytest.mark.parametrize(
    "metrics",
    ["", " , ", "nonsense", "cpu_percent_total,x", ",".join(f"custom.{i}" for i in range(101))],
)
def test_metrics_that_cannot_be_are_refused_by_name(metrics: str) -> None:
    with pytest.raises(BadRequest, match=r"^metrics: "):
        query.wanted({"metrics": metrics})


def test_a_metric_named_twice_is_asked_for_once() -> None:
    wanted = query.wanted({"metrics": "custom.a, memory_percent,custom.a", "instance": ""})
    assert (wanted.metrics, wanted.instance) == (("custom.a", "memory_percent"), "")


@pytest.mark.parametrize("spark", ["", "30", "0m", "61m", "2h", "-5m", "5x", "59s"])
def test_a_spark_is_one_to_sixty_minutes(spark: str) -> None:
    with pytest.raises(BadRequest, match=r"^spark: "):
        query.spark_minutes({"spark": spark})
    assert query.spark_minutes({"spark": "60m"}) == query.spark_minutes({"spark": "1h"}) == 60


@pytest.mark.parametrize("since", ["", "-1", "x", "1.5", "9" * 17])
def test_since_is_a_server_time(since: str) -> None:
    with pytest.raises(BadRequest, match=r"^since: "):
        query.since({"since": since}, 0, NOW_MS)
    assert query.since({"since": str(NOW_MS)}, NOW_MS, NOW_MS) == NOW_MS
    assert query.since({}, 0, NOW_MS) is None
    assert query.since({"since": str(NOW_MS + 1)}, 0, NOW_MS) is None
