"""Rates made from the counters of plain agents, and the totals of a server."""

from __future__ import annotations

from typing import Any

import pytest
from hostpulse.report import Key
from hostpulse.report.rates import LONGEST_GAP_MS
from hypothesis import given
from hypothesis import strategies as st

from tests.backend_under_test import NOW_MS, Backend, report

SENT = "bytes_sent_per_sec"


def network(sent: float, time_ms: int, **more: Any) -> dict[str, Any]:
    return report(time_ms=time_ms, io={"network": {"eth0": {"bytes_sent": sent}}}, **more)


def newest(backend: Backend) -> dict[Key, float]:
    sample = backend.parts.servers.find("default", "web-1").newest
    assert sample is not None
    return dict(sample.items())


def test_two_counters_make_a_rate(backend: Backend) -> None:
    backend.accept(network(1000, NOW_MS - 5000))
    assert Key(SENT, "eth0") not in newest(backend)
    backend.accept(network(2000, NOW_MS))
    assert newest(backend)[Key(SENT, "eth0")] == 200
    assert newest(backend)[Key(SENT)] == 200


def test_the_reports_of_one_batch_make_rates_too(backend: Backend) -> None:
    backend.accept([network(1000 * i, NOW_MS + 5000 * i) for i in range(3)])
    assert newest(backend)[Key(SENT, "eth0")] == 200


@pytest.mark.parametrize(
    ("before", "after", "pause_ms"),
    [(1000, 999, 5000), (1000, 2000, LONGEST_GAP_MS + 1), (1000, 2000, -5000)],
    ids=["the counter fell", "the pause was long", "time went back"],
)
def test_no_rate_is_made_where_none_can_be_right(
    backend: Backend, before: int, after: int, pause_ms: int
) -> None:
    backend.accept(network(before, NOW_MS))
    backend.accept(network(after, NOW_MS + pause_ms))
    answer = backend.json("/api/servers/web-1/history", metrics=SENT, start="-1h", end="2027-01-01")
    assert answer["series"] == []


def test_a_rate_the_agent_sent_is_not_replaced(backend: Backend) -> None:
    row = {"bytes_sent": 1000, "bytes_sent_per_sec": 7}
    for second in (0, 5):
        body = report(time_ms=NOW_MS + second * 1000, io={"network": {"eth0": row}})
        backend.accept(body)
    assert newest(backend)[Key(SENT, "eth0")] == 7


def test_an_agent_of_ours_knows_its_gaps_itself(backend: Backend) -> None:
    for second in (0, 5):
        backend.accept(network(1000 * second, NOW_MS + second * 1000, agent={"version": "0.1.0"}))
    assert Key(SENT, "eth0") not in newest(backend)


def test_disk_counters_make_busy_share_and_latency(backend: Backend) -> None:
    for i in (0, 1):
        row = {
            "read_count": 100 + 10 * i, "write_count": 100 + 10 * i, "busy_time": 1000 + 2500 * i,
            "read_time": 500 + 30 * i, "write_time": 500 + 50 * i, "read_bytes": 4096 * i,
        }  # fmt: skip
        backend.accept(report(time_ms=NOW_MS + 5000 * i, io={"disk_io": {"sda": row}}))
    found = newest(backend)
    assert found[Key("disk_busy_percent", "sda")] == 50
    assert found[Key("disk_await_ms", "sda")] == 4
    assert found[Key("read_bytes_per_sec", "sda")] == 819.2
    assert found[Key("read_count_per_sec", "sda")] == 2


def test_a_disk_busier_than_time_itself_is_100_percent_busy(backend: Backend) -> None:
    for i in (0, 1):
        row = {"busy_time": 6000 * i}
        backend.accept(report(time_ms=NOW_MS + 5000 * i, io={"disk_io": {"sda": row}}))
    assert newest(backend)[Key("disk_busy_percent", "sda")] == 100


TOTALS = {
    "physical interfaces count": ("network", ["eth0", "wlan0", "ens3"], 3),
    "virtual interfaces repeat them": ("network", ["eth0", "lo", "veth12", "docker0", "br-1"], 1),
    "where all are virtual they count": ("network", ["lo", "veth1"], 2),
    "whole disks count": ("disk_io", ["sda", "sdb", "nvme0n1", "vdc"], 4),
    "partitions repeat them": ("disk_io", ["sda", "sda1", "sda2", "nvme0n1", "nvme0n1p1"], 2),
    "a partition alone counts": ("disk_io", ["xvda1"], 1),
    "layers repeat disks": ("disk_io", ["sda", "loop0", "dm-0", "md0", "zram0"], 1),
}


@pytest.mark.parametrize("law", TOTALS)
def test_of_all_instances_only_those_with_traffic_of_their_own_are_summed(
    backend: Backend, law: str
) -> None:
    section, names, counted = TOTALS[law]
    metric = {"network": SENT, "disk_io": "read_bytes_per_sec"}[section]
    backend.accept(report(io={section: {name: {metric: 10.1} for name in names}}))
    assert newest(backend)[Key(metric)] == round(10.1 * counted, 1)


def test_a_total_leaves_out_what_is_not_known(backend: Backend) -> None:
    rows = {"eth0": {SENT: 5}, "eth1": {"bytes_sent": 5}}
    backend.accept(report(io={"network": rows}))
    assert newest(backend)[Key(SENT)] == 5


def test_a_total_of_nothing_known_is_not_zero(backend: Backend) -> None:
    backend.accept(report(io={"network": {"eth0": {"isup": 1}}}))
    assert newest(backend) == {Key("interface_up", "eth0"): 1}


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(1, 400_000)), min_size=2, max_size=8))
def test_a_rate_is_growth_over_time_or_absent(counters: list[tuple[int, int]]) -> None:
    from hostpulse.report import Sample
    from hostpulse.report.rates import fill

    from tests.backend.reading import read

    previous, now_ms, before, pause = None, NOW_MS, 0, 0
    for count, pause_ms in counters:
        now_ms += pause_ms
        decoded = read(network(count, now_ms))
        fill(decoded.plan.layout, decoded.values, now_ms, previous)
        sample = Sample("s", now_ms, decoded.plan.layout, decoded.values)
        rate = sample.get(Key(SENT, "eth0"))
        if previous is None or count < before or pause_ms > LONGEST_GAP_MS:
            assert rate is None
        else:
            assert rate == round((count - before) / (pause_ms / 1000), 3)
        previous, before, pause = sample, count, pause_ms
    assert pause
