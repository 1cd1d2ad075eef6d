"""What `hostpulse storage status` says of sizes."""

from __future__ import annotations

from hostpulse.storage import Lost, TierUsage, Usage
from hostpulse.storage.tiers import DAY_MS
from hostpulse.storage_report import MOST_SERVERS, lines, size

NOW_MS = 1_795_392_000_000


def test_a_size_is_said_as_people_say_it() -> None:
    sizes = {0: "0 B", 999: "999 B", 1500: "1.5 kB", 2_340_000: "2.3 MB", 10**12: "1.0 TB"}
    assert {number: size(number) for number in sizes} == sizes


def test_the_forecast_is_what_each_tier_takes_when_it_is_full() -> None:
    tiers = [
        TierUsage("raw", 1_000_000, 1_000_000, NOW_MS - 2 * DAY_MS, 8 * DAY_MS),
        TierUsage("1m", 500_000, None, NOW_MS - 60 * DAY_MS, 30 * DAY_MS),
    ]
    said = list(lines(Usage(tiers, {}), Lost(), {}, NOW_MS))
    assert "4.5 MB once each tier is full" in said[-1]
    assert "1.00" in said[1]


def test_a_fleet_that_grew_yesterday_is_forecast_as_it_is_now() -> None:
    month_ago_ms = NOW_MS - 30 * DAY_MS
    tiers = [
        TierUsage("raw", 9_000_000, None, NOW_MS - 8 * DAY_MS, 8 * DAY_MS, 5_000_000),
        TierUsage("1m", 31_000_000, None, month_ago_ms, 30 * DAY_MS, 2_000_000),
    ]
    said = list(lines(Usage(tiers, {}), Lost(), {}, NOW_MS))
    assert "100.0 MB once each tier is full" in said[-1]


def test_a_tier_that_has_nothing_yet_makes_the_forecast_a_least() -> None:
    tiers = [
        TierUsage("raw", 1_000_000, None, NOW_MS - DAY_MS // 12, 8 * DAY_MS, 12_000_000),
        TierUsage("1h", 0, 0, None, 730 * DAY_MS),
    ]
    assert "at least 96.0 MB once" in list(lines(Usage(tiers, {}), Lost(), {}, NOW_MS))[-2]


def test_a_forecast_from_a_few_hours_says_so() -> None:
    def said(age_ms: int) -> str:
        tiers = [TierUsage("raw", 1_000_000, None, NOW_MS - age_ms, 8 * DAY_MS, 12_000_000)]
        return "\n".join(lines(Usage(tiers, {}), Lost(), {}, NOW_MS))

    assert "reckoned from 2 h of samples" in said(DAY_MS // 12)
    assert "reckoned" not in said(DAY_MS)


def test_before_anything_is_sealed_there_is_no_forecast() -> None:
    journal = TierUsage("journal", 60_000_000, 10_000_000, NOW_MS - DAY_MS // 24, None)
    raw = TierUsage("raw", 0, 0, None, 8 * DAY_MS)
    said = list(lines(Usage([journal, raw], {}), Lost(), {}, NOW_MS))
    assert "can be told once" in said[-1]
    assert "60.0 MB" in said[1]


def test_the_largest_servers_are_named_and_the_rest_counted() -> None:
    servers = {("default", f"srv_{i}"): 1000 + i for i in range(MOST_SERVERS + 2)}
    names = {("default", f"srv_{MOST_SERVERS + 1}"): "web-1"}
    said = list(lines(Usage([], servers), Lost(), names, NOW_MS))
    at = said.index(next(line for line in said if line.endswith("web-1")))
    assert said[at - 1].endswith("server")
    assert said[-1].endswith("2 others")
    assert len(said) - at == MOST_SERVERS + 1


def test_a_server_is_named_with_its_organisation() -> None:
    servers = {("acme", "srv_1"): 2000, ("default", "srv_1"): 1000}
    names = {("acme", "srv_1"): "web-1", ("default", "srv_1"): "web-1"}
    said = [line.split() for line in lines(Usage([], servers), Lost(), names, NOW_MS)]
    assert said[-3:] == [
        ["size", "organisation", "server"],
        ["2.0", "kB", "acme", "web-1"],
        ["1.0", "kB", "default", "web-1"],
    ]


def test_where_nothing_is_stored_that_is_said() -> None:
    tiers = [TierUsage("journal", 0, 0, None, None), TierUsage("raw", 0, 0, None, 8 * DAY_MS)]
    assert list(lines(Usage(tiers, {}), Lost(), {}, NOW_MS))[-1] == "No samples are stored yet."


def test_what_was_lost_is_told_and_else_no_word_is_said_of_it() -> None:
    said = "\n".join(lines(Usage([], {}), Lost(3, 1500, 20_000), {}, NOW_MS))
    assert "3 pieces, 1.5 kB" in said
    assert "20,000 points" in said
    assert "pieces" not in "\n".join(lines(Usage([], {}), Lost(), {}, NOW_MS))
