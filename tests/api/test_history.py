"""Series over HTTP: history, groups, series, catalogue, health."""

from __future__ import annotations

import pytest
from hostpulse import catalogue
from hostpulse.report import Key

from tests.backend_under_test import INTERVAL_MS, NOW_MS, Backend, eventually, report
from tests.full_report import full_report

GROUPS = {
    "cpu": {"cpu"},
    "memory": {"memory"},
    "disk": {"disk"},
    "io": {"io", "network"},
    "network": {"network"},
}


def test_few_samples_come_back_as_they_are_with_a_null_in_the_gap(backend: Backend) -> None:
    for second, value in {0: 10, 5: 20, 60: 30}.items():
        time_ms = NOW_MS - 100_000 + second * 1000
        backend.accept(report(time_ms=time_ms, cpu={"cpu_percent_total": value}))
    answer = backend.json("/api/servers/web-1/history", metrics="cpu_percent_total")
    start = NOW_MS - 100_000
    values = [10, 20, None, 30]
    assert answer == {
        "start": NOW_MS - 3_600_000,
        "end": NOW_MS,
        "step": INTERVAL_MS,
        "raw": True,
        "times": [start, start + 5000, start + 10_000, start + 60_000],
        "series": [
            {
                "metric": "cpu_percent_total",
                "instance": "",
                "unit": "percent",
                "mean": values,
                "min": values,
                "max": values,
            }
        ],
    }


def test_many_samples_come_back_in_buckets(backend: Backend) -> None:
    times = range(NOW_MS - 500_000, NOW_MS, 5000)
    backend.accept([report(time_ms=t, cpu={"cpu_percent_total": i}) for i, t in enumerate(times)])
    answer = backend.json(
        "/api/servers/web-1/history", metrics="cpu_percent_total", start="-10m", points=20
    )
    assert (answer["raw"], answer["step"]) == (False, 30_000)
    first = (NOW_MS - 600_000) // 30_000 * 30_000 + 30_000  # a 21st begins before the window
    assert answer["times"] == list(range(first, NOW_MS, 30_000))
    assert len(answer["times"]) == 20
    (series,) = answer["series"]
    for i, start in enumerate(answer["times"]):
        inside = [v for v, t in enumerate(times) if start <= t < start + 30_000]
        found = (series["mean"][i], series["min"][i], series["max"][i])
        expected = (sum(inside) / len(inside), inside[0], inside[-1]) if inside else (None,) * 3
        assert found == pytest.approx(expected) if inside else found == expected


@pytest.mark.parametrize(("points", "step"), [(400, 10_000), (360, 10_000), (60, 60_000)])
def test_an_hour_has_all_the_points_that_are_asked_for(
    backend: Backend, points: int, step: int
) -> None:
    times = range(NOW_MS - 3_600_000, NOW_MS, 5000)
    backend.accept([report(time_ms=t, cpu={"cpu_percent_total": 1}) for t in times])
    answer = backend.json(
        "/api/servers/web-1/history", metrics="cpu_percent_total", start="-1h", points=points
    )
    assert answer["step"] == step
    assert len(answer["times"]) == min(3_600_000 // step + 1, points)
    assert [len(one["mean"]) for one in answer["series"]] == [len(answer["times"])]


def test_one_instance_or_all_can_be_asked_for(backend: Backend) -> None:
    body, _ = full_report()
    backend.accept(body)
    path = "/api/servers/web-1/history"
    ask = {"metrics": "bytes_sent,disk_percent", "end": NOW_MS + 1}
    assert len(backend.json(path, **ask)["series"]) == 4
    (one,) = backend.json(path, **ask, instance="eth0")["series"]
    assert (one["metric"], one["instance"]) == ("bytes_sent", "eth0")
    assert backend.json(path, **ask, instance="none")["series"] == []


BAD = {
    "metrics": ["", "nonsense"],
    "start": ["soon", "now", "1"],
    "end": ["x", "-0x"],
    "points": ["0", "401", "many"],
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, ts in BAD.items() for t in ts])
def test_a_bad_parameter_is_a_400_that_names_it(backend: Backend, name: str, text: str) -> None:
    backend.accept(report())
    answer = backend.get("/api/servers/web-1/history", **{"metrics": "memory_percent", name: text})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("start: " if text == "now" else f"{name}: ")


def test_every_key_of_a_full_report_is_listed_and_can_be_charted(backend: Backend) -> None:
    body, expected = full_report()
    backend.accept(body)
    listed = backend.json("/api/servers/web-1/series")["series"]
    keys = {Key(one["metric"], one["instance"]) for one in listed}
    assert keys == set(expected) | {Key(name) for name in catalogue.TOTALS}
    assert all(one["unit"] == catalogue.BY_NAME[one["metric"]].unit for one in listed)
    names = list(catalogue.BY_NAME)
    for part in (names[:90], names[90:]):
        answer = backend.json("/api/servers/web-1/history", metrics=",".join(part), end=NOW_MS + 1)
        for series in answer["series"]:
            key = Key(series["metric"], series["instance"])
            if key in expected:
                assert series["mean"] == [expected.pop(key)]
    assert expected == {}


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_says_its_current_values_and_its_last_hour(backend: Backend, group: str) -> None:
    body, expected = full_report(time_ms=NOW_MS - 1000)
    backend.accept(body)
    answer = backend.json(f"/api/servers/web-1/{group}")
    metrics = {m.name: m for m in catalogue.METRICS if m.group in GROUPS[group]}
    assert set(answer["current"]) == set(metrics)
    for name, value in answer["current"].items():
        if metrics[name].per:
            own = {k.instance: v for k, v in expected.items() if k.metric == name}
            assert {k: v for k, v in value.items() if k or k in own} == own
        else:
            assert value == expected[Key(name)]
    shown = {series["metric"] for series in answer["history"]["series"]}
    assert shown == {name for name, metric in metrics.items() if not metric.counter}


def test_a_custom_number_reaches_series_history_and_catalogue(backend: Backend) -> None:
    backend.accept(report(time_ms=NOW_MS - 1000, custom={"queue": 4.5, "jobs": {"mail": 3}}))
    listed = backend.json("/api/servers/web-1/series")["series"]
    keys = {(one["metric"], one["instance"]) for one in listed}
    assert keys == {("custom.queue", ""), ("custom.jobs", "mail")}
    answer = backend.json("/api/servers/web-1/history", metrics="custom.queue,custom.jobs")
    assert [series["mean"] for series in answer["series"]] == [[4.5], [3]]
    lines = {line["name"]: line for line in backend.json("/api/catalogue")["metrics"]}
    assert lines["custom.queue"]["group"] == "custom"


def test_the_catalogue_lists_every_metric_without_nulls(backend: Backend) -> None:
    lines = backend.json("/api/catalogue")["metrics"]
    assert [line["name"] for line in lines] == list(catalogue.BY_NAME)
    assert all(value is not None for line in lines for value in line.values())
    assert {line["name"] for line in lines if "critical" in line} == {
        m.name for m in catalogue.METRICS if m.critical is not None
    }
    total = next(line for line in lines if line["name"] == "cpu_percent_total")
    assert total == {
        "name": "cpu_percent_total",
        "group": "cpu",
        "unit": "percent",
        "label": "CPU",
        "low": 0,
        "high": 100,
        "decimals": catalogue.BY_NAME["cpu_percent_total"].decimals,
        "counter": False,
        "warning": 85,
        "critical": 95,
    }


def test_health_counts_requests_and_samples(backend: Backend) -> None:
    backend.accept([report("a"), report("b")])
    eventually(lambda: backend.json("/api/health")["requests_5m"] >= 1)
    health = backend.json("/api/health")
    assert (health["status"], health["now"], health["servers"]) == ("ok", NOW_MS, 2)
    assert (health["samples_5m"], health["errors_5m"]) == (2, 0)
    lost = {"damaged_pieces": 0, "damaged_bytes": 0, "refused_points": 0}
    storage = {"status": "ok", "durability": "memory", "lost": lost}
    assert health["components"]["storage"] == storage
    assert health["version"]
    assert health["uptime_seconds"] >= 0
