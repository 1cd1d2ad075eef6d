"""POST /api/metrics over HTTP."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from typing import Any

import pytest

from tests.backend_under_test import NOW_MS, Backend, iso, report, seed_report

MIB = 1 << 20


def history(backend: Backend, **window: int) -> dict[int, float]:
    """Return time -> CPU of what is stored."""
    window = {"start": NOW_MS - 3_600_000, "end": NOW_MS + 3_600_000} | window
    answer = backend.json("/api/servers/web-1/history", metrics="cpu_percent_total", **window)
    (series,) = answer["series"]
    pairs = zip(answer["times"], series["mean"], strict=True)
    return {time: value for time, value in pairs if value is not None}


def test_the_seeds_own_example_gets_the_seeds_answer(backend: Backend) -> None:
    answer = backend.accept(seed_report())
    assert (answer["status"], answer["hostname"]) == ("success", "server-name")


def test_the_answer_says_what_became_of_each_report(backend: Backend) -> None:
    backend.accept(report())
    again = backend.accept([report(), report(time_ms=NOW_MS + 5000), {"hostname": "web-1"}])
    assert again == {
        "status": "success",
        "hostname": "web-1",
        "accepted": 1,
        "duplicates": 1,
        "expired": 0,
        "too_old": 0,
        "rejected": [{"index": 2, "error": "timestamp: is missing; every report needs it"}],
        "rejected_fields": [],
        "durability": "memory",
        "server_time_ms": NOW_MS,
    }


def test_bad_leaves_are_named_in_the_answer_and_the_rest_is_stored(backend: Backend) -> None:
    answer = backend.accept(report(cpu={"cpu_percent_total": 45, "cpu_percent_user": 250}))
    assert answer["rejected_fields"] == ["cpu.cpu_percent_user: 250 is above 100"]
    assert history(backend) == {NOW_MS: 45}


def test_of_an_array_where_nothing_is_acceptable_the_refusal_names_the_field(
    backend: Backend,
) -> None:
    for body in ([{}], [], [report(cpu=5), {}], report("a\x00")):
        answer = backend.post(body)
        assert answer.status_code == 400
        assert answer.json()["status"] == "error"
        assert ": " in answer.json()["error"]
    assert backend.json("/api/servers")["total"] == 0


def test_a_stamp_is_corrected_by_the_clock_offset(backend: Backend) -> None:
    backend.accept(report(agent={"clock_offset_ms": -7_200_000}, time_ms=NOW_MS + 7_200_000))
    assert backend.json("/api/servers/web-1")["time"] == NOW_MS


def test_a_report_from_the_future_is_stored_at_receipt_and_flagged(backend: Backend) -> None:
    backend.accept(report(time_ms=NOW_MS + 600_001))
    row = backend.json("/api/servers/web-1")
    assert (row["time"], row["flags"]) == (NOW_MS, ["clock_ahead"])


def test_a_report_less_than_ten_minutes_ahead_is_stored_at_its_time(backend: Backend) -> None:
    backend.accept(report(time_ms=NOW_MS + 600_000))
    row = backend.json("/api/servers/web-1")
    assert row["time"] == NOW_MS + 600_000
    assert "flags" not in row


def test_a_replay_of_old_reports_does_not_make_a_server_up(backend: Backend) -> None:
    reports = [report(time_ms=NOW_MS + i * 5000) for i in range(3)]
    backend.accept(reports)
    backend.clock.advance(3_600_000)
    assert backend.accept(reports)["duplicates"] == 3
    backend.accept(report(time_ms=NOW_MS - 5000))
    row = backend.json("/api/servers/web-1")
    assert (row["status"], row["last_seen"]) == ("down", NOW_MS)


def test_more_than_a_thousand_reports_push_out_the_oldest_by_time(backend: Backend) -> None:
    oldest_ms = NOW_MS - 1_000_000
    times = [oldest_ms + i * 1000 for i in range(1000)]
    for start in range(0, 1000, 250):
        backend.accept([report(time_ms=time) for time in times[start : start + 250]])
    answer = backend.accept([report(time_ms=oldest_ms - 1), report(time_ms=NOW_MS)])
    assert (answer["accepted"], answer["expired"]) == (1, 1)
    assert list(history(backend, start=oldest_ms - 5000, end=oldest_ms + 1001)) == [times[1]]


def zipped(body: Any) -> bytes:
    return gzip.compress(json.dumps(body).encode(), mtime=0)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP"])
def test_a_zipped_report_is_read(backend: Backend, encoding: str) -> None:
    assert backend.post_bytes(zipped(report()), Content_Encoding=encoding).status_code == 200


GZIP = zipped(report())
BOMB = gzip.compress(bytes(100 * MIB))
UNREADABLE = {
    "truncated": (GZIP[:-5], "gzip", 400),
    "trailing": (GZIP + b"x", "gzip", 400),
    "nested": (gzip.compress(GZIP), "gzip", 400),
    "twice": (gzip.compress(GZIP), "gzip, gzip", 415),
    "not gzip at all": (json.dumps(report()).encode(), "gzip", 400),
    "a wrong checksum": (GZIP[:-8] + bytes(4) + GZIP[-4:], "gzip", 400),
    "empty": (b"", "gzip", 400),
    "deflate": (zlib.compress(json.dumps(report()).encode()), "deflate", 415),
    "br": (b"\x0b\x02\x80{}\x03", "br", 415),
    "a bomb": (BOMB, "gzip", 413),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_f29_a_body_that_cannot_be_unzipped_is_refused_in_words(
    backend: Backend, name: str
) -> None:
    body, encoding, status = UNREADABLE[name]
    started = time.perf_counter()
    answer = backend.post_bytes(body, Content_Encoding=encoding)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "json"]
)
def test_what_a_form_of_another_page_could_send_is_refused(backend: Backend, kind: str) -> None:
    answer = backend.post_bytes(json.dumps(report()).encode(), Content_Type=kind)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]
    assert backend.json("/api/servers")["total"] == 0


def test_a_charset_beside_the_content_type_is_fine(backend: Backend) -> None:
    kind = "Application/JSON; charset=utf-8"
    assert backend.post_bytes(json.dumps(report()).encode(), Content_Type=kind).status_code == 200


def test_f28_a_body_of_the_largest_size_is_read_and_one_byte_more_is_not(backend: Backend) -> None:
    body = json.dumps(report()).encode()
    fits = body + b" " * (MIB - len(body))
    assert backend.post_bytes(fits).status_code == 200
    assert backend.post_bytes(fits + b" ").status_code == 413


def chunks(body: bytes) -> Any:
    return (body[i : i + 65_536] for i in range(0, len(body), 65_536))


def test_f28_a_chunked_body_is_read_up_to_the_largest_size(backend: Backend) -> None:
    body = json.dumps(report()).encode()
    assert backend.post_bytes(chunks(body + b" " * MIB)).status_code == 413  # type: ignore[arg-type]
    assert backend.post_bytes(chunks(body)).status_code == 200  # type: ignore[arg-type]


HOSTILE = {
    "a lone surrogate in a tag": {"tags": ["\udc80"]},
    "a lone surrogate in an unknown field": {
        "x\udc80": "\udc80",
        "cpu": {"cpu_percent_total": "x"},
    },
    "a lone surrogate as the time": {"timestamp": "\udc80"},
    "a list as a mountpoint": {"disk": {"partitions": [{"mountpoint": []}]}},
    "an endless uptime": {"system": {"uptime_seconds": 2**63 - 1}},
    "an endless interval": {"agent": {"version": "1", "interval_seconds": 1e18}},
    "an interval of nothing": {"agent": {"version": "1", "interval_seconds": 1e-9}},
    "an endless offset": {"agent": {"version": "1", "clock_offset_ms": -(2**63) + 1}},
    "an offset into the future": {"agent": {"version": "1", "clock_offset_ms": 2**63 - 1}},
    "the largest numbers": {
        "memory": {"memory_total": 2**63 - 1},
        "cpu": {"cpu_count_logical": 2**63 - 1},
    },
    "deep unknown fields": {"x": json.loads("[" * 90 + "]" * 90)},
    "the end of time": {"timestamp": "9999-12-31T23:59:59.999999Z"},
}
READERS = (
    "",
    "/web-1",
    "/web-1/latest",
    "/web-1/cpu",
    "/web-1/memory",
    "/web-1/disk",
    "/web-1/io",
    "/web-1/network",
    "/web-1/series",
    "/web-1/history?metrics=cpu_percent_total",
    "?spark=30m",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_f27_no_report_can_break_an_answer(backend: Backend, name: str) -> None:
    backend.accept(report(time_ms=NOW_MS - 5000))
    posted = backend.post({**report(), **HOSTILE[name]})
    assert posted.status_code in (200, 400), posted.text
    backend.accept(report(time_ms=NOW_MS + 5000, cpu={"cpu_percent_total": 1}))
    backend.post({**report(time_ms=NOW_MS + 10_000), **HOSTILE[name]})
    broken = [path for path in READERS if backend.get("/api/servers" + path).status_code != 200]
    assert broken == []


@pytest.mark.parametrize("name", HOSTILE)
def test_no_first_report_can_break_an_answer(backend: Backend, name: str) -> None:
    posted = backend.post({**report(), **HOSTILE[name]})
    if posted.status_code == 200:
        broken = [path for path in READERS if backend.get("/api/servers" + path).status_code != 200]
        assert broken == []


def test_an_interval_outside_1_to_300_seconds_is_dropped(backend: Backend) -> None:
    for interval in (0.001, 1e6):
        answer = backend.accept(
            report(f"web-{interval}", agent={"version": "1", "interval_seconds": interval})
        )
        assert "agent.interval_seconds" in "".join(answer["rejected_fields"])


@pytest.mark.timeout(60)
def test_an_array_of_nonsense_is_refused_quickly_and_shortly(backend: Backend) -> None:
    for body in (b"[" + b"1," * (MIB // 2 - 2) + b"1]", b"[" + b"{}," * (MIB // 3 - 2) + b"{}]"):
        good = json.dumps(report()).encode()
        started = time.perf_counter()
        answer = backend.post_bytes(
            b"[" + good + b"," + body[1:][: MIB - 300].rsplit(b",", 1)[0] + b"]"
        )
        assert answer.status_code in (200, 400, 413)
        assert len(answer.content) < 100_000
        assert time.perf_counter() - started < 2


def test_the_durability_is_that_of_the_storage(backend: Backend) -> None:
    assert backend.accept(report())["durability"] == "memory"
    assert backend.json("/api/health")["components"]["storage"]["durability"] == "memory"


def test_f31_a_new_server_beyond_the_limit_is_refused_and_the_known_ones_are_not() -> None:
    with Backend(max_servers=2) as backend:
        backend.accept([report("a"), report("b")])
        refused = backend.post(report("c"))
        assert refused.status_code == 403
        assert "max_servers" in refused.json()["error"]
        answer = backend.accept([report("c"), report("a", NOW_MS + 1)])
        assert (answer["accepted"], answer["rejected"][0]["index"]) == (1, 0)


def test_a_stamp_without_a_zone_is_utc(backend: Backend) -> None:
    backend.accept({**report(), "timestamp": iso(NOW_MS).removesuffix("Z")})
    assert backend.json("/api/servers/web-1")["time"] == NOW_MS
