"""The typed and the tolerant reading of a report say the same, and rounding is done once."""

from __future__ import annotations

import json
from math import isfinite, isnan
from typing import Any

from hostpulse import catalogue
from hostpulse.catalogue import Metric
from hostpulse.report import InvalidReport, Key
from hypothesis import given
from hypothesis import strategies as st

from tests.backend.reading import again, judge, numbers, read
from tests.backend_under_test import report
from tests.full_report import INSTANCES, full_report

LEAVES = [(metric, INSTANCES[metric.per][0]) for metric in catalogue.METRICS]
BAD = st.one_of(
    st.booleans(),
    st.text(max_size=5),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 2**70, -(2**70), 10**400]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(st.sampled_from(LEAVES), BAD)
def test_a_good_report_with_one_bad_leaf_keeps_all_the_rest_and_names_it(
    leaf: tuple[Metric, str], bad: Any
) -> None:
    metric, instance = leaf
    _, expected = full_report()

    def number(of: Metric, at: str) -> Any:
        return bad if (of.name, at) == (metric.name, instance) else expected[Key(of.name, at)]

    body, _ = full_report(number)
    decoded = read(json.dumps(body))
    del expected[Key(metric.name, instance)]
    assert numbers(json.dumps(body)) == expected
    (named,) = decoded.dropped
    assert (metric.field or "coretemp") in named.partition(": ")[0]


@given(st.data())
def test_numbers_in_range_are_kept_to_their_decimals(data: st.DataObject) -> None:
    metric = data.draw(st.sampled_from(catalogue.METRICS))
    value = data.draw(st.floats(max(metric.low, -(2.0**53)), min(metric.high, 2.0**53)))
    body, expected = full_report(
        lambda of, at: value if of is metric else 0 if of.low < 0 else min(1, of.high)
    )
    found = numbers(body)
    assert set(found) == set(expected)
    for key, kept in found.items():
        if key.metric == metric.name:
            assert abs(kept - value) <= 0.5 * 10**-metric.decimals + abs(value) * 1e-15
            assert metric.low <= kept <= metric.high


@given(st.floats(-1e15, 1e15), st.sampled_from(["bytes_sent_per_sec", "custom.x", "load_average"]))
def test_rounding_a_rounded_number_changes_nothing(value: float, metric: str) -> None:
    def once(number: float) -> float:
        if metric == "custom.x":
            return numbers(report(custom={"x": number}))[Key(metric)]
        if metric == "load_average":
            return numbers(report(cpu={"load_average": [abs(number)]}))[Key(metric, "1m")]
        row = {"eth0": {"bytes_sent_per_sec": abs(number)}}
        return numbers(report(io={"network": row}))[Key(metric, "eth0")]

    assert once(once(value)) == once(value)


@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_under_custom_is_kept_exactly(value: int) -> None:
    assert numbers(report(custom={"x": value})) == {Key("custom.x"): value}


def test_a_number_with_a_fraction_keeps_three_decimals() -> None:
    for sent, kept in ((1234.5678, 1234.568), (1.5, 1.5), (4e-7, 0.0), (12e-4, 0.001)):
        row = {"eth0": {"bytes_sent_per_sec": sent}}
        assert numbers(report(io={"network": row})) == {Key("bytes_sent_per_sec", "eth0"): kept}


def test_a_number_without_decimals_is_whole_on_both_paths() -> None:
    assert numbers(report(memory={"memory_total": 5.0})) == {Key("memory_total"): 5}
    assert numbers(report(memory={"memory_total": 5.4})) == {Key("memory_total"): 5}


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    ),
    st.sampled_from(["", "cpu", "memory", "disk", "io", "custom", "tags", "agent", "system"]),
)
def test_any_json_is_stored_or_refused_in_words(document: Any, section: str) -> None:
    body = report(**{section: document}) if section else document
    try:
        items = judge(json.dumps(body))
    except InvalidReport as error:
        assert ": " in str(error)
        return
    for item in items:
        if hasattr(item, "values"):
            assert all(isfinite(v) or isnan(v) for v in item.values)


@given(st.binary(max_size=200))
def test_any_bytes_are_stored_or_refused_in_words(body: bytes) -> None:
    for whole in (body, b'{"hostname":"a","timestamp":"2026-01-01T00:00:00Z",' + body + b"}"):
        try:
            judge(whole)
        except InvalidReport as error:
            assert ": " in str(error)


@given(st.data())
def test_both_readings_of_a_good_report_agree(data: st.DataObject) -> None:
    small = st.integers(0, 100) | st.floats(0, 100)
    name = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
    words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200)
    body = report(
        cpu={
            "cpu_percent_total": data.draw(small),
            "load_average": data.draw(st.lists(small, max_size=3)),
        },
        temperatures=data.draw(st.dictionaries(name, small, max_size=3)),
        custom=data.draw(
            st.dictionaries(name, small | st.dictionaries(name, small, max_size=3), max_size=3)
        ),
        system={"os": data.draw(words)},
        agent={"version": "1", "errors": data.draw(st.lists(words, max_size=80))},
    )
    typed = read(json.dumps(body))
    tolerant = read(json.dumps({**body, "memory": {"memory_total": "x"}}))
    assert len(tolerant.dropped) == 1 + len(typed.dropped)
    first, second = (
        dict(zip(d.plan.layout.keys, d.values, strict=True)) for d in (typed, tolerant)
    )
    assert {k: v for k, v in first.items() if not isnan(v)} == {
        k: v for k, v in second.items() if not isnan(v)
    }
    assert again(typed).agent.errors == again(tolerant).agent.errors
    assert again(typed).system.os == again(tolerant).system.os
