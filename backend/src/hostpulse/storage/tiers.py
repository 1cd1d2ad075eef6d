"""How long samples and their roll-ups are kept, and which of them answers a window; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hostpulse.storage.series import Window

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Tier:
    """Points of one length (0: samples as they came) and how long they are kept."""

    name: str
    step_ms: int
    keep_ms: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each tier is kept; `raw_ms` None leaves it to the storage."""

    raw_ms: int | None = None
    minute_ms: int = 30 * DAY_MS
    hour_ms: int = 730 * DAY_MS

    def tiers(self, raw_default_ms: int) -> tuple[Tier, Tier, Tier]:
        """Return the tiers, the finest first."""
        raw_ms = raw_default_ms if self.raw_ms is None else self.raw_ms
        return (
            Tier("raw", 0, raw_ms),
            Tier("1m", MINUTE_MS, self.minute_ms),
            Tier("1h", HOUR_MS, self.hour_ms),
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The tier to read and the window with its bucket set.

    `raw_may_do` says that samples as stored answer the window if it holds few enough of them.
    """

    tier: Tier
    window: Window
    raw_may_do: bool


def choose(window: Window, tiers: Sequence[Tier], now_ms: int) -> Choice:
    """Return how to answer `window`: in the finest step that fits, read from the coarsest tier.

    A roll-up says what the samples would, so reading more points than needed is waste.
    """
    covering = [tier for tier in tiers if window.start_ms >= now_ms - tier.keep_ms] or tiers[-1:]
    step_ms = max(window.step_ms, covering[0].step_ms)
    fitting = [tier for tier in covering if not tier.step_ms or step_ms % tier.step_ms == 0]
    tier = max(fitting or covering[:1], key=lambda tier: tier.step_ms)
    raw_may_do = covering[0].step_ms == 0 and not window.bucket_ms
    return Choice(tier, replace(window, bucket_ms=step_ms), raw_may_do)


def newest_whole(oldest_ms: int, newest_ms: int) -> tuple[int, int] | None:
    """Return start and length of the newest day that is whole between the two, else of the hour."""
    for length_ms in (DAY_MS, HOUR_MS):
        start_ms = newest_ms - newest_ms % length_ms - length_ms
        if start_ms >= oldest_ms:
            return start_ms, length_ms
    return None
