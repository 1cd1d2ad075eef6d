"""How much one report may hold."""

from __future__ import annotations

from dataclasses import dataclass

MAX_DEPTH = 8
MAX_REPORT_BYTES = 1 << 20
MAX_REPORTS = 1000
MAX_NAME_LENGTH = 128
MAX_PATH_LENGTH = 1024
MAX_HOSTNAME_LENGTH = 253
MAX_INSTANCES = 256
MAX_CORES = 1024
MAX_TAGS = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits an operator may set; the others are constants of `hostpulse.report.limits`."""

    custom_metrics: int = 200
