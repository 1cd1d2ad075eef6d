"""What the samples take in the engine, as it says itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hostpulse.storage import TierUsage, Usage
from hostpulse.storage.influxdb.engine import Engine
from hostpulse.storage.influxdb.lines import SAMPLES
from hostpulse.storage.influxdb.names import decode
from hostpulse.storage.influxdb.state import State
from hostpulse.storage.tiers import Tier


def usage_of(engine: Engine, states: Sequence[State], tiers: Sequence[Tier]) -> Usage:
    """Return what the tiers take; a server has the share of each that its samples are."""
    sizes = _sizes(engine)
    servers: Counter[tuple[str, str]] = Counter()
    tier_usages = []
    for tier in tiers:
        size, values, oldest = 0, 0, []
        for state in states:
            tier_size = sizes[state.database, tier.name]
            counts, first_ms = _counts(engine, state, tier)
            total = sum(counts.values())
            size, values = size + tier_size, values + total
            oldest += first_ms
            for server, count in counts.items():
                servers[state.tenant, server] += tier_size * count // total if total else 0
        value_count = None if tier.step_ms else values
        oldest_ms = min(oldest, default=None)
        tier_usages.append(TierUsage(tier.name, size, value_count, oldest_ms, tier.keep_ms))
    return Usage(tier_usages, dict(servers))


def _sizes(engine: Engine) -> Counter[tuple[str, str]]:
    (found,) = engine.query(["SHOW STATS FOR 'shard'"])
    sizes: Counter[tuple[str, str]] = Counter()
    for series in found:
        place = series.tags["database"], series.tags["retentionPolicy"]
        sizes[place] += int(series.rows[0][series.columns.index("diskBytes")])
    return sizes


def _counts(engine: Engine, state: State, tier: Tier) -> tuple[dict[str, int], list[int]]:
    """Return how much of a tier each server has, and when it begins."""
    field = "count_values" if tier.step_ms else "values"
    points = f'FROM "{tier.name}"."{SAMPLES}"'
    sums, first = engine.query(
        [
            f'SELECT sum("{field}") {points} GROUP BY "server"',
            f'SELECT first("{field}") {points}',
        ],
        state.database,
    )
    counts = {decode(series.tags["server"]): int(series.rows[0][1]) for series in sums}
    return counts, [int(series.rows[0][0]) for series in first]
