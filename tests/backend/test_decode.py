"""Decoding: what is good is kept whole, what is bad is dropped and named or refused."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from math import isfinite
from typing import Any

import pytest
from hostpulse import catalogue
from hostpulse.report import Decoded, InvalidReport, Key, Refused

from tests.backend.reading import again, judge, numbers, read
from tests.backend_under_test import NOW_MS, report, seed_report
from tests.full_report import full_report

MEMORY = Key("memory_percent")


def test_the_seeds_example_gives_all_its_numbers() -> None:
    assert numbers(seed_report()) == {
        Key("cpu_percent_total"): 45.2,
        Key("cpu_percent_per_core", "0"): 40,
        Key("cpu_percent_per_core", "1"): 50,
        Key("cpu_percent_per_core", "2"): 43,
        Key("cpu_percent_per_core", "3"): 48,
        Key("cpu_count_logical"): 4,
        Key("load_average", "1m"): 1.5,
        Key("load_average", "5m"): 1.2,
        Key("load_average", "15m"): 1.0,
        Key("memory_total"): 8589934592,
        Key("memory_used"): 4294967296,
        Key("memory_percent"): 50.0,
    }


def test_every_line_of_the_catalogue_can_be_reported() -> None:
    body, expected = full_report()
    assert {key.metric for key in expected} == set(catalogue.BY_NAME)
    assert numbers(body) == expected
    assert read(body).dropped == ()


def test_a_full_report_reads_the_same_once_a_leaf_is_bad() -> None:
    body, expected = full_report()
    body["cpu"]["cpu_percent_total"] = "much"
    del expected[Key("cpu_percent_total")]
    assert numbers(body) == expected
    assert read(body).dropped == ("cpu.cpu_percent_total: must be a number",)


BAD_NUMBERS = {
    "NaN": "must be finite",
    "Infinity": "must be finite",
    "-Infinity": "must be finite",
    "1e999": "must be finite",
    "9" * 5000: "must be finite",
    str(2**70): "is above",
    "-1": "is below",
    "250": "is above",
    "true": "must be a number",
    '"45"': "must be a number",
    "null": "must be a number",
    "[1]": "must be a number",
    "{}": "must be a number",
}


@pytest.mark.parametrize("text", BAD_NUMBERS, ids=lambda text: text[:20])
def test_f27_a_bad_number_is_dropped_and_named_and_the_rest_kept(text: str) -> None:
    body = json.dumps(report(cpu={"cpu_percent_total": "X"}, memory={"memory_percent": 50.0}))
    decoded = read(body.replace('"X"', text))
    (dropped,) = decoded.dropped
    assert dropped.startswith("cpu.cpu_percent_total: ")
    assert BAD_NUMBERS[text] in dropped
    assert dict(numbers(body.replace('"X"', text))) == {MEMORY: 50.0}


@pytest.mark.parametrize("text", BAD_NUMBERS, ids=lambda text: text[:20])
def test_f27_a_bad_custom_number_is_dropped_unless_it_is_in_its_wide_range(text: str) -> None:
    body = json.dumps(report(custom={"x": "X", "good": 1})).replace('"X"', text)
    found = numbers(body)
    assert found.pop(Key("custom.good")) == 1
    assert all(isfinite(value) for value in found.values())
    assert found.get(Key("custom.x")) == (float(text) if text in ("-1", "250") else None)


def test_f27_of_a_key_that_comes_twice_the_last_one_counts() -> None:
    body = json.dumps(report(cpu={"cpu_percent_total": "X"})).replace(
        '"X"', '1, "cpu_percent_total": 2'
    )
    assert numbers(body) == {Key("cpu_percent_total"): 2}
    assert numbers(body.replace("2}", '2, "cpu_count_logical": "x"}')) == {
        Key("cpu_percent_total"): 2
    }


def test_unknown_fields_are_ignored_everywhere() -> None:
    body = report(
        cpu={"cpu_percent_total": 1, "new": [{"deep": 1}]},
        memory={"memory_percent": 50.0, "huge": "x" * 1000},
        news={"a": 1},
    )
    assert read(body).dropped == ()
    assert numbers(body) == {Key("cpu_percent_total"): 1, MEMORY: 50.0}


HOSTNAMES_KEPT = ["../../etc/passwd", "a/b", "CON", "ü-🦊", "\u202eevil", "x" * 253, "<script>"]


@pytest.mark.parametrize("hostname", HOSTNAMES_KEPT)
def test_f25_a_strange_hostname_is_kept_word_for_word(hostname: str) -> None:
    assert read(report(hostname)).hostname == hostname


HOSTNAMES_REFUSED = ["", " ", "a\x00b", "a\r\nSet-Cookie: x", "a\n", "\x7f", "\x85", "x" * 254]


@pytest.mark.parametrize("hostname", [*HOSTNAMES_REFUSED, 5, None, True, ["a"], {"a": 1}, "\udc80"])
def test_f25_a_hostname_that_cannot_be_right_is_refused_by_name(hostname: Any) -> None:
    with pytest.raises(InvalidReport, match=r"^hostname: "):
        read(report(hostname))


@pytest.mark.parametrize("field", ["hostname", "timestamp"])
def test_a_missing_field_that_every_report_needs_is_refused_by_name(field: str) -> None:
    body = report()
    del body[field]
    with pytest.raises(InvalidReport, match=f"^{field}: is missing"):
        read(body)


TIMESTAMPS_REFUSED = [
    "", "yesterday", "2025-13-01T00:00:00", "1999-12-31T23:59:59Z", 5, 1e400, None, True, [], {},
    "\udc80", "2025-11-06T10:00:00Z\n", "２０２５-11-06T10:00:00Z", "0001-01-01T00:00:00+23:59",
]  # fmt: skip


@pytest.mark.parametrize("timestamp", TIMESTAMPS_REFUSED, ids=ascii)
def test_a_timestamp_that_is_no_time_is_refused_by_name(timestamp: Any) -> None:
    with pytest.raises(InvalidReport, match=r"^timestamp: "):
        read({**report(), "timestamp": timestamp})


STAMPS = {
    "2026-11-23T08:43:05Z": 0,
    "2026-11-23T08:43:05": 0,
    "2026-11-23 08:43:05": 0,
    "2026-11-23T08:43:05.678901": 679,
    "2026-11-23T10:43:05+02:00": 0,
    "2026-11-23T03:13:05.5-05:30": 500,
}


@pytest.mark.parametrize("timestamp", STAMPS)
def test_a_time_without_a_zone_is_utc(timestamp: str) -> None:
    assert read({**report(), "timestamp": timestamp}).time_ms == NOW_MS + STAMPS[timestamp]


CONTAINERS = {
    "cpu": 5, "memory": [], "disk": "x", "disk.partitions": {}, "io": True, "io.network": [],
    "io.disk_io": 1, "io.network.eth0": 7, "system": [], "pressure": [], "temperatures": 3,
    "raid": "x", "agent": [], "custom": [1], "cpu.cpu_percent_per_core": 5, "cpu.load_average": {},
}  # fmt: skip


@pytest.mark.parametrize("path", CONTAINERS)
def test_a_container_of_the_wrong_type_refuses_the_report_by_name(path: str) -> None:
    *outer, last = path.split(".")
    body = report(memory={"memory_percent": 5})
    place = body
    for name in outer:
        place = place.setdefault(name, {})
    place[last] = CONTAINERS[path]
    with pytest.raises(InvalidReport, match=f"^{path}: must be "):
        read(body)


def test_a_partition_is_judged_whatever_its_mountpoint_is() -> None:
    for mountpoint in (None, 5, "a\x00", [], {}, "x" * 1025):
        body = report(
            disk={"partitions": [{"mountpoint": mountpoint}, {"mountpoint": "/", "percent": 5}]}
        )
        assert numbers(body) == {Key("disk_percent", "/"): 5}
        assert read(body).dropped[0].startswith("disk.partitions[0].mountpoint: ")


def test_a_mountpoint_that_comes_twice_counts_once() -> None:
    rows = [{"mountpoint": "/", "percent": 5}, {"mountpoint": "/", "percent": 6}]
    decoded = read(report(disk={"partitions": rows}))
    assert numbers(report(disk={"partitions": rows})) == {Key("disk_percent", "/"): 5}
    assert decoded.dropped == ("disk.partitions[1]: names the mountpoint / again",)


@pytest.mark.parametrize("section", ["network", "disk_io"])
def test_a_flat_psutil_dictionary_is_the_whole_server(section: str) -> None:
    field = {"network": "bytes_sent", "disk_io": "read_bytes"}[section]
    assert numbers(report(io={section: {field: 123}})) == {Key(field): 123}


def test_f26_a_lone_surrogate_anywhere_is_dropped_and_never_breaks_the_report() -> None:
    bad = "\udc80"
    body = report(
        memory={"memory_percent": 50.0},
        tags=["prod", bad],
        system={"os": bad, bad: 1},
        disk={"partitions": [{"mountpoint": bad, "percent": 1}]},
        io={"network": {bad: {"bytes_sent": 1}}},
        temperatures={bad: 5},
        custom={bad: 5, "x": {bad: 1}},
    )
    body[bad] = bad
    assert numbers(body) == {MEMORY: 50.0}
    assert len(read(body).dropped) >= 6
    assert read(body).raw


@pytest.mark.parametrize("control", ["\x00", "\r\n", "\x1b[31m", "\x9b"])
@pytest.mark.parametrize("cpu", [5, "x"], ids=["typed", "tolerant"])
def test_a_text_with_a_control_character_is_dropped_on_both_paths(control: str, cpu: Any) -> None:
    decoded = read(
        report(
            cpu={"cpu_percent_total": cpu},
            system={"os": "a" + control, "kernel": "6.1"},
            tags=["prod", "x" + control],
        )
    )
    assert again(decoded).system.os == ""
    assert again(decoded).system.kernel == "6.1"
    assert list(again(decoded).tags) == ["prod"]


def test_an_instance_whose_name_has_a_control_character_is_dropped_and_named() -> None:
    network = {"eth\n": {"bytes_sent": 1}, "eth0": {"bytes_sent": 2}}
    decoded = read(report(io={"network": network}))
    assert set(again(decoded).io.network) == {"eth0"}
    assert len(decoded.dropped) == 1


def test_the_items_of_an_array_are_judged_one_by_one() -> None:
    items = [report("a"), 5, {"hostname": "b"}, report("c", cpu=[]), None, report("d")]
    judged = judge(items)
    assert [item.hostname for item in judged if isinstance(item, Decoded)] == ["a", "d"]
    refused = [item for item in judged if isinstance(item, Refused)]
    assert [item.index for item in refused] == [1, 2, 3, 4]
    assert [item.error.partition(":")[0] for item in refused] == [
        "report", "timestamp", "cpu", "report",
    ]  # fmt: skip


def test_an_item_that_is_not_strict_json_is_still_judged_alone() -> None:
    text = json.dumps([report("a", memory={"memory_percent": "X"}), report("b")])
    judged = judge(text.replace('"X"', "NaN"))
    assert [item.hostname for item in judged if isinstance(item, Decoded)] == ["a", "b"]


NOT_JSON = [
    b"",
    b" ",
    b"{",
    b"[",
    b"nope",
    b"\xff\xfe",
    b'{"hostname":"a"',
    b"[{]",
    b"{}{}",
    b"\x00",
]


@pytest.mark.parametrize("body", NOT_JSON)
def test_f27_what_is_not_json_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(InvalidReport, match=r"^(body|hostname): "):
        judge(body)


@pytest.mark.parametrize("body", [b"5", b"null", b'"x"', b"true"])
def test_what_is_no_report_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(InvalidReport, match="must be a JSON object"):
        judge(body)


def quickly(body: bytes, seconds: float = 1.0) -> None:
    """Decode within this much processor time, whatever comes of it and else runs here."""
    started = time.process_time()
    with suppress(InvalidReport):
        judge(body)
    assert time.process_time() - started < seconds


HEAD = json.dumps(report())[:-1].encode()
MIB = 1 << 20
SLOW_TO_READ = {
    "100,000 brackets": b"[" * 100_000,
    "100,000 brackets in a report": HEAD + b', "x":' + b"[" * 100_000,
    "100,000 whole brackets": HEAD + b', "x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": HEAD + b', "cpu":' + b'{"a":' * 100_000,
    "an open string": HEAD + b', "x": "' + b"a" * MIB,
    "an open string of quotes": HEAD + b', "x": "' + b'\\"' * (MIB // 2 - 200),
    "an open string of backslashes": HEAD + b', "x": "' + b"\\" * (MIB - 300),
    "many strings": HEAD + b', "x": NaN, "y": [' + b'"",' * (MIB // 3 - 200) + b'""]}',
    "a long number": HEAD + b', "x": ' + b"9" * (MIB - 300) + b"}",
    "a long bad number": HEAD + b', "x": NaN, "y": ' + b"9" * (MIB - 400) + b"}",
    "spaces": b" " * MIB,
    "80,000 keys": HEAD + b"," + b",".join(b'"k%d":1' % i for i in range(80_000)) + b"}",
    "bad custom names": HEAD
    + b', "custom":{'
    + b",".join(b'"k%d":true' % i for i in range(70_000))
    + b"}}",
}


@pytest.mark.parametrize("name", SLOW_TO_READ)
@pytest.mark.timeout(20)
def test_f30_a_hostile_body_takes_no_time(name: str) -> None:
    quickly(SLOW_TO_READ[name])


@pytest.mark.parametrize("extra", [{}, {"cpu": {"cpu_percent_total": "x"}}], ids=["good", "bad"])
def test_a_report_of_more_than_a_mebibyte_is_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(InvalidReport, match="larger than"):
        read({**report(), **extra, "padding": "x" * MIB})


def test_f31_custom_numbers_beyond_the_limit_are_dropped_and_counted() -> None:
    body = report(custom={f"n{i}": i for i in range(30)} | {"m": {f"i{i}": i for i in range(30)}})
    assert len(numbers(body, custom_metrics=10)) == 10
    assert len(numbers(body, custom_metrics=40)) == 40
    assert len(numbers(body, custom_metrics=60)) == 60
    assert read(body, custom_metrics=60).dropped == ()
    assert "custom metrics" in read(body, custom_metrics=40).dropped[0]


@pytest.mark.parametrize("section", ["partitions", "network", "disk_io", "temperatures"])
def test_f31_instances_beyond_the_limit_are_dropped_and_counted(section: str) -> None:
    names = [f"x{i:03}" for i in range(300)]
    made: dict[str, Any] = {
        "partitions": {"disk": {"partitions": [{"mountpoint": n, "used": 1} for n in names]}},
        "network": {"io": {"network": {n: {"bytes_sent": 1} for n in names}}},
        "disk_io": {"io": {"disk_io": {n: {"read_bytes": 1} for n in names}}},
        "temperatures": {"temperatures": dict.fromkeys(names, 1)},
    }
    found = numbers(report(**made[section]))
    assert {key.instance for key in found} == set(names[:256])
    assert "more than 256" in read(report(**made[section])).dropped[0]


def test_a_report_with_endless_faults_names_a_few_of_them() -> None:
    body = report(custom={f"n{i}": "x" for i in range(250)}, memory={"memory_percent": 50.0})
    dropped = read(body).dropped
    assert len(dropped) == 51
    assert dropped[-1] == "and more"


def test_a_report_too_old_for_any_clock_is_refused_after_its_correction_too() -> None:
    agent = {"version": "1", "clock_offset_ms": -600_000_000_000}
    body = report(agent=agent, timestamp="2010-01-01T00:00:00Z")
    with pytest.raises(InvalidReport, match=r"^(timestamp|agent.clock_offset_ms): "):
        read(body)


def test_a_section_that_is_null_is_read_the_same_on_both_paths() -> None:
    good = report(cpu=None, memory={"memory_percent": 50.0})
    assert numbers(good) == {MEMORY: 50.0}
    assert numbers({**good, "tags": ["x" * 200]}) == {MEMORY: 50.0}
