"""What the samples take on disk, in words, and what they will take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from hostpulse.storage import Lost, TierUsage, Usage
from hostpulse.storage.tiers import DAY_MS, HOUR_MS

MOST_SERVERS = 20


def lines(
    usage: Usage, lost: Lost, names: Mapping[tuple[str, str], str], now_ms: int
) -> Iterator[str]:
    """Yield the lines of `hostpulse storage status`; `names` is (tenant, id) -> hostname."""
    yield f"{'tier':<8}{'size':>10}{'values':>16}{'bytes/value':>13}{'since':>12}{'kept':>10}"
    for tier in usage.tiers:
        kept = f"{tier.keep_ms // DAY_MS} d" if tier.keep_ms else ""
        per_value = _per_value(tier.size_bytes, tier.value_count)
        yield (
            f"{tier.name:<8}{size(tier.size_bytes):>10}{count(tier.value_count):>16}"
            f"{per_value:>13}{_day(tier.oldest_ms):>12}{kept:>10}"
        )
    yield from _forecast(usage.tiers, now_ms)
    if usage.problem:
        yield usage.problem
    yield from _lost(lost)
    yield from _servers(usage.servers, names)


def _forecast(tiers: Sequence[TierUsage], now_ms: int) -> Iterator[str]:
    full = [tier.full_bytes(now_ms) for tier in tiers]
    if any(tier.size_bytes and tier.keep_ms for tier in tiers):
        least = "" if None not in full else "at least "
        taken = size(round(sum(one for one in full if one is not None)))
        yield f"At the present fleet it will take {least}{taken} once each tier is full."
        since_ms = now_ms - min(tier.oldest_ms or now_ms for tier in tiers)
        if since_ms < DAY_MS:
            hours = f"{max(since_ms // HOUR_MS, 1)} h"
            yield f"That is reckoned from {hours} of samples and swings until there is a whole day."
    elif any(tier.size_bytes for tier in tiers):
        yield "How much it will take can be told once the first hours are sealed."
    else:
        yield "No samples are stored yet."


def _lost(lost: Lost) -> Iterator[str]:
    if lost.damaged_pieces:
        word = "piece" if lost.damaged_pieces == 1 else "pieces"
        pieces = f"{count(lost.damaged_pieces)} {word}, {size(lost.damaged_bytes)}"
        yield f"Damaged and set aside in quarantine/ until you delete it: {pieces}."
    if lost.refused_points:
        yield f"Refused by the engine for good: {count(lost.refused_points)} points."


def _servers(
    servers: Mapping[tuple[str, str], int], names: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    largest = sorted(servers, key=lambda key: (-servers[key], key))
    if largest:
        yield ""
        yield f"{'size':>10}  {'organisation':<15} server"
    for tenant, server in largest[:MOST_SERVERS]:
        name = names.get((tenant, server), server)
        yield f"{size(servers[tenant, server]):>10}  {tenant:<15} {name}"
    if len(largest) > MOST_SERVERS:
        rest = sum(servers[key] for key in largest[MOST_SERVERS:])
        yield f"{size(rest):>10}  {len(largest) - MOST_SERVERS} others"


def size(size_bytes: int | None) -> str:
    """Return a size as people say it, such as 1.2 GB."""
    if size_bytes is None:
        return "unknown"
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def count(values: int | None) -> str:
    """Return a count with its thousands apart."""
    return "unknown" if values is None else f"{values:,}"


def _per_value(size_bytes: int | None, values: int | None) -> str:
    return f"{size_bytes / values:.2f}" if size_bytes is not None and values else ""


def _day(time_ms: int | None) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d") if time_ms else ""
