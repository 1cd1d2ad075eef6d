"""What everything about people works with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hostpulse.access.secret import Random
from hostpulse.control.store import ControlStore


class Means(NamedTuple):
    """Where things are kept, the time in epoch ms, and randomness."""

    store: ControlStore
    clock_ms: Callable[[], int]
    random_bytes: Random
