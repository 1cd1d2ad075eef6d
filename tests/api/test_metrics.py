"""POST /api/metrics over HTTP."""

from __future__ import annotations

from tests.backend_under_test import NOW_MS, Backend, report, seed_report


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
        "rejected": [{"index": 2, "error": "timestamp: is missing; every report needs it"}],
        "rejected_fields": [],
        "durability": "memory",
        "server_time_ms": NOW_MS,
    }
