"""JSON from the agents on one side, numbers on the other: decode a body into reports."""

from hostpulse.report.decode import Decoded, Refused, decode, is_array, reread
from hostpulse.report.errors import InvalidReport, TooManyReports
from hostpulse.report.facts import Facts
from hostpulse.report.limits import Limits
from hostpulse.report.sample import Key, Layout, Sample

__all__ = [
    "Decoded",
    "Facts",
    "InvalidReport",
    "Key",
    "Layout",
    "Limits",
    "Refused",
    "Sample",
    "TooManyReports",
    "decode",
    "is_array",
    "reread",
]
