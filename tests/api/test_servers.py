"""The list of servers, one server, and what a client makes of deltas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backend_under_test import INTERVAL_MS, NOW_MS, Backend, iso, report, seed_report
from tests.conftest import ROUNDS
from tests.full_report import full_report

MINUTE_MS = 60_000
FACTS = {
    "id",
    "hostname",
    "interval_seconds",
    "tags",
    "os",
    "kernel",
    "agent_version",
    "boot_time",
    "cpu_count_logical",
    "memory_total",
}


def test_an_empty_list_is_a_list(backend: Backend) -> None:
    counts = dict.fromkeys(("up", "late", "down", "waiting", "paused"), 0)
    empty = {"now": NOW_MS, "total": 0, "delta": False, "counts": counts, "servers": []}
    assert backend.json("/api/servers") == empty


def test_a_row_says_what_a_list_shows(backend: Backend) -> None:
    body = report(
        tags=["prod", "region:fra"],
        agent={"version": "0.1.0", "interval_seconds": 10, "clock_offset_ms": 5000},
        cpu={"cpu_percent_total": 45.2, "cpu_count_logical": 4, "load_average": [2, 1, 1]},
        memory={"memory_percent": 50, "memory_total": 1 << 33, "swap_percent": 3},
        disk={
            "partitions": [
                {"mountpoint": "/", "percent": 40},
                {"mountpoint": "/srv", "percent": 71.5},
                {"mountpoint": "/nfs", "stuck": 1},
            ]
        },
        io={
            "network": {
                "eth0": {"bytes_recv_per_sec": 10, "bytes_sent_per_sec": 20},
                "lo": {"bytes_recv_per_sec": 99},
            }
        },
        system={"os": "Debian", "kernel": "6.1", "uptime_seconds": 3600, "processes_total": 200},
        temperatures={"a": 45.0, "b": 61.5},
    )
    backend.accept(body)
    backend.parts.registrar.save()
    (row,) = backend.json("/api/servers")["servers"]
    assert row.pop("id").startswith("srv_")
    assert row == {
        "number": 1,
        "status": "up",
        "hostname": "web-1",
        "last_seen": NOW_MS,
        "time": NOW_MS + 5000,
        "interval_seconds": 10,
        "tags": ["prod", "region:fra"],
        "os": "Debian",
        "kernel": "6.1",
        "agent_version": "0.1.0",
        "clock_offset_ms": 5000,
        "boot_time": NOW_MS + 5000 - 3_600_000,
        "cpu_count_logical": 4,
        "memory_total": 1 << 33,
        "cpu_percent_total": 45.2,
        "memory_percent": 50,
        "swap_percent": 3,
        "disk_percent": 71.5,
        "disk_mountpoint": "/srv",
        "bytes_recv_per_sec": 10,
        "bytes_sent_per_sec": 20,
        "load_per_core": 0.5,
        "temperature_celsius": 61.5,
        "processes_total": 200,
    }


def test_what_was_not_reported_is_left_out_of_a_row(backend: Backend) -> None:
    backend.accept(report(cpu={}))
    row = backend.json("/api/servers")["servers"][0]
    assert set(row) == {
        "id",
        "status",
        "hostname",
        "number",
        "last_seen",
        "time",
        "interval_seconds",
        "tags",
    }


def test_a_row_of_the_swap_that_is_full_and_the_disk_that_is_empty(backend: Backend) -> None:
    backend.accept(
        report(disk={"partitions": [{"mountpoint": "/", "percent": 0}]}, memory={"swap_percent": 0})
    )
    row = backend.json("/api/servers")["servers"][0]
    assert (row["disk_percent"], row["swap_percent"], row["disk_mountpoint"]) == (0, 0, "/")


@pytest.mark.parametrize(
    ("age", "status"), [(15_000, "up"), (15_001, "late"), (60_000, "late"), (60_001, "down")]
)
def test_the_status_is_by_the_servers_clock_whatever_the_reports_say(
    backend: Backend, age: int, status: str
) -> None:
    for wait in (0, INTERVAL_MS):
        backend.accept(report(time_ms=backend.clock.advance(wait) - 86_400_000))
    backend.clock.advance(age)
    answer = backend.json("/api/servers")
    assert answer["servers"][0]["status"] == status
    assert answer["counts"][status] == 1


def seen(backend: Backend, since: int | None = None) -> tuple[str, int]:
    ask = {} if since is None else {"since": since}
    (row,) = backend.json("/api/servers", **ask)["servers"]
    return row["status"], row["last_seen"]


def test_an_old_report_alone_makes_no_server_up(backend: Backend) -> None:
    old_ms = NOW_MS - 7_200_000
    assert backend.accept(report(time_ms=old_ms))["accepted"] == 1
    assert seen(backend) == ("down", old_ms)
    assert backend.json("/api/servers/web-1/latest")["received_at"] == NOW_MS
    backend.accept(seed_report() | {"hostname": "web-1", "timestamp": iso(old_ms + 1000)})
    assert seen(backend, since=NOW_MS) == ("down", old_ms + 1000)
    backend.accept(report())
    assert seen(backend) == ("up", NOW_MS)


@pytest.mark.parametrize(
    ("interval", "behind_ms", "status"),
    [(5, 60_000, "up"), (5, 60_001, "down"), (100, 300_000, "up"), (100, 300_001, "late")],
)
def test_a_report_is_current_up_to_its_border(
    backend: Backend, interval: int, behind_ms: int, status: str
) -> None:
    agent = {"version": "1", "interval_seconds": interval}
    backend.accept(report(time_ms=NOW_MS - behind_ms, agent=agent))
    assert seen(backend)[0] == status


def test_a_backlog_moves_nothing_whether_it_comes_before_or_after_the_live_report(
    backend: Backend,
) -> None:
    backend.accept(report())
    end_ms = backend.clock.advance(7_200_000)
    missed = [report(time_ms=NOW_MS + i * INTERVAL_MS) for i in range(1, 1200)]
    for one in missed[:20]:
        backend.accept(one)
        backend.clock.advance(100)
    backend.accept(missed[20:600])
    backend.clock.advance(100)
    assert seen(backend) == ("down", NOW_MS + 600 * INTERVAL_MS)
    live_ms = backend.clock()
    backend.accept(report(time_ms=live_ms))
    assert seen(backend) == ("up", live_ms)
    backend.clock.advance(20_000)
    backend.accept(missed[600:])
    assert seen(backend) == ("late", live_ms)
    assert live_ms > end_ms


@pytest.mark.parametrize("waits", [[5000] * 4, [3000, 7000, 5000], [7_200_000, 5000]])
def test_a_plain_agent_whose_clock_is_behind_is_up_from_its_second_report_on(
    backend: Backend, waits: list[int]
) -> None:
    backend.accept(report(time_ms=NOW_MS - 300_000))
    assert seen(backend) == ("down", NOW_MS - 300_000)
    for wait in waits:
        now_ms = backend.clock.advance(wait)
        backend.accept(report(time_ms=now_ms - 300_000))
        assert seen(backend) == ("up", now_ms)


def test_a_spark_holds_the_mean_of_each_minute_and_null_where_there_is_none(
    backend: Backend,
) -> None:
    minute = NOW_MS // MINUTE_MS * MINUTE_MS
    for ago, values in {0: [10, 20], 1: [30], 3: [50, 60, 70]}.items():
        for i, value in enumerate(values):
            time_ms = minute - ago * MINUTE_MS + i * 1000
            backend.accept(report(time_ms=time_ms, cpu={"cpu_percent_total": value}))
    assert backend.json("/api/servers", spark="5m")["servers"][0]["spark"] == [
        None,
        60,
        None,
        30,
        15,
    ]
    assert len(backend.json("/api/servers", spark="30m")["servers"][0]["spark"]) == 30
    assert "spark" not in backend.json("/api/servers")["servers"][0]


def test_a_spark_comes_with_a_delta_only_when_a_minute_began(backend: Backend) -> None:
    backend.accept(report())
    for wait, expected in ((5000, False), (60_000, True)):
        since = backend.clock()
        backend.accept(report(time_ms=backend.clock.advance(wait)))
        (row,) = backend.json("/api/servers", spark="30m", since=since)["servers"]
        assert ("spark" in row) == expected


def merged(known: dict[str, Any], delta: dict[str, Any]) -> dict[str, Any]:
    """Do what a client does: facts stay until told anew, the rest is what came last."""
    rows = dict(known)
    ids = {row["number"]: name for name, row in known.items() if row["number"]}
    for row in delta["servers"]:
        name = row["id"] if "id" in row else ids[row["number"]]
        facts = {k: v for k, v in rows.get(name, {}).items() if k in FACTS}
        rows[name] = facts | row
    return rows


def by_id(answer: dict[str, Any]) -> dict[str, Any]:
    return {row["id"]: row for row in answer["servers"]}


STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "host": st.sampled_from(["a", "b", "c"]),
            "wait": st.sampled_from([0, 1, 5000, 14_999, 61_000]),
            "interval": st.sampled_from([5, 30]),
            "kernel": st.sampled_from(["6.1", "6.2"]),
            "uptime": st.sampled_from([100, 90_000]),
            "cores": st.sampled_from([2, 4]),
            "heat": st.sampled_from([None, 40]),
            "save": st.booleans(),
            "ask": st.booleans(),
        }
    ),
    max_size=12,
)


@settings(max_examples=ROUNDS)
@given(steps=STEPS)
def test_merged_deltas_equal_a_fresh_list(steps: list[dict[str, Any]]) -> None:
    with Backend() as backend:
        first = backend.json("/api/servers")
        known, since = by_id(first), first["now"]
        for step in steps:
            backend.clock.advance(step["wait"])
            body = report(
                step["host"],
                backend.clock(),
                cpu={"cpu_count_logical": step["cores"]},
                agent={"version": "1", "interval_seconds": step["interval"]},
                system={"kernel": step["kernel"], "uptime_seconds": step["uptime"]},
                temperatures={} if step["heat"] is None else {"x": step["heat"]},
            )
            backend.accept(body)
            if step["save"]:
                backend.parts.registrar.save()
            if step["ask"]:
                delta = backend.json("/api/servers", since=since)
                known, since = merged(known, delta), delta["now"]
        backend.clock.advance(1)
        backend.parts.registrar.save()
        delta = backend.json("/api/servers", since=since)
        fresh = backend.json("/api/servers")
        assert delta["delta"]
        assert not fresh["delta"]
        assert (delta["total"], delta["counts"]) == (fresh["total"], fresh["counts"])
        assert merged(known, delta) == by_id(fresh)


def test_a_time_from_before_the_start_gets_the_full_list(backend: Backend) -> None:
    backend.accept(report())
    answer = backend.json("/api/servers", since=backend.clock() - 1)
    assert not answer["delta"]
    assert answer["servers"][0]["id"].startswith("srv_")


def test_a_delta_of_nothing_new_is_empty(backend: Backend) -> None:
    backend.accept([report("a"), report("b")])
    backend.parts.registrar.save()
    backend.clock.advance(1)
    assert backend.json("/api/servers", since=backend.clock())["servers"] == []


def test_a_server_that_fell_silent_is_in_the_delta(backend: Backend) -> None:
    backend.accept(report())
    backend.parts.registrar.save()
    backend.clock.advance(15_000)
    since = backend.clock()
    backend.clock.advance(1)
    assert [row["status"] for row in backend.json("/api/servers", since=since)["servers"]] == [
        "late"
    ]


def test_one_server_is_found_by_id_and_by_hostname(backend: Backend) -> None:
    body, _ = full_report()
    body["system"] |= {"os": "Debian", "architecture": "x86_64", "cpu_model": "Xeon"}
    body["agent"] |= {"boot_id": "b1", "version": "1"}
    body["io"]["network"]["eth0"]["addresses"] = ["10.0.0.5"]
    backend.accept(body)
    row = backend.json("/api/servers/web-1")
    assert row == backend.json(f"/api/servers/{row['id']}")
    assert row["facts"]["addresses"] == ["10.0.0.5"]
    assert row["facts"]["boot_id"] == "b1"
    assert row["facts"]["architecture"] == "x86_64"
    assert "virtualization" not in row["facts"]


def test_the_latest_report_is_as_it_was_received(backend: Backend) -> None:
    body = report() | {"unknown": {"deep": [1, None, "ü"]}}
    backend.accept(body)
    backend.accept(report(time_ms=NOW_MS - 5000))
    latest = backend.json("/api/servers/web-1/latest")
    assert latest.pop("id").startswith("srv_")
    assert latest == {"hostname": "web-1", "received_at": NOW_MS, "time": NOW_MS, "report": body}


def test_a_forgotten_server_is_gone_and_may_come_back(backend: Backend) -> None:
    backend.accept([report("web-1"), report("web-2")])
    old = backend.json("/api/servers/web-1")["id"]
    assert backend.request("DELETE", "/api/servers/web-1").json() == {"status": "success"}
    assert backend.json("/api/servers")["total"] == 1
    for path in (old, "web-1", f"{old}/latest", f"{old}/history?metrics=memory_percent"):
        assert backend.get(f"/api/servers/{path}").status_code == 404
    assert backend.request("DELETE", "/api/servers/web-1").status_code == 404
    backend.clock.advance(INTERVAL_MS)
    backend.accept(report())
    assert backend.json("/api/servers/web-1")["first_seen"] == NOW_MS + INTERVAL_MS


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/latest",
        "/cpu",
        "/memory",
        "/disk",
        "/io",
        "/network",
        "/series",
        "/history?metrics=memory_percent",
    ],
)
def test_an_unknown_server_is_a_404_in_words(backend: Backend, path: str) -> None:
    answer = backend.get(f"/api/servers/nobody{path}")
    assert answer.status_code == 404
    assert "nobody" in answer.json()["error"]


@pytest.mark.parametrize("hostname", ["a b", "ü-🦊", "<script>", "%2f", "..", "a?b#c", "srv_x"])
def test_f25_a_strange_hostname_has_its_pages(backend: Backend, hostname: str) -> None:
    from urllib.parse import quote

    backend.accept(report(hostname))
    row = backend.json("/api/servers")["servers"][0]
    assert row["hostname"] == hostname
    assert backend.json(f"/api/servers/{row['id']}/latest")["hostname"] == hostname
    if hostname != "..":
        assert backend.json(f"/api/servers/{quote(hostname, safe='')}")["id"] == row["id"]
