"""The positions that a shape of report gets."""

from __future__ import annotations

import json
from typing import Any

from hostpulse.report import Decoded, Key, Limits, Sample, decode
from hostpulse.report.flatten import Plans

BUSY = Key("disk_busy_percent", "sda")


def disk(**numbers: float) -> dict[str, Any]:
    return {
        "hostname": "web-1",
        "timestamp": "2026-11-23T08:43:05Z",
        "agent": {"version": "1.0"},
        "io": {"disk_io": {"sda": {"read_bytes": 10, **numbers}}},
    }


def read(plans: Plans, report: dict[str, Any]) -> Decoded:
    (item,) = decode(json.dumps(report).encode(), plans, Limits())
    assert isinstance(item, Decoded)
    return item


def sample(decoded: Decoded) -> dict[Key, float]:
    made = Sample("srv_1", decoded.time_ms, decoded.plan.layout, decoded.values)
    return dict(made.items())


def test_a_number_that_no_report_had_takes_no_room() -> None:
    decoded = read(Plans(), disk())
    assert BUSY not in decoded.plan.layout.index
    assert len(decoded.values) == len(decoded.plan.layout.keys)


def test_a_number_that_comes_later_is_kept_from_then_on() -> None:
    plans = Plans()
    before = read(plans, disk())
    during = read(plans, disk(busy_percent=12.5))
    after = read(plans, disk())
    assert sample(during)[BUSY] == 12.5
    assert after.plan is during.plan
    assert BUSY not in sample(before)
    assert BUSY not in sample(after)
    assert sample(before) == sample(after)


def test_a_shape_that_has_shown_all_its_numbers_keeps_its_plan() -> None:
    plans = Plans()
    first = read(plans, disk(busy_percent=1.0))
    assert all(read(plans, disk(busy_percent=b)).plan is first.plan for b in (0, 2.5, 99))
