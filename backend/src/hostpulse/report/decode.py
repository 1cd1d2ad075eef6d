"""A request body in, judged reports out: typed first, tolerantly only where that fails."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from math import isnan
from typing import Any, NamedTuple

import msgspec

from hostpulse.report import tolerant
from hostpulse.report.errors import InvalidReport, TooManyReports
from hostpulse.report.facts import Facts
from hostpulse.report.flatten import Plan, Plans
from hostpulse.report.limits import MAX_REPORT_BYTES, MAX_REPORTS, Limits
from hostpulse.report.shape import DECODER

_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_EARLIEST_MS = 946_684_800_000  # 2000-01-01
# Only numbers written with more than three decimals, or as 1e-7, can need rounding. These patterns
# begin with a byte that is rare in a report, which makes them a fraction of the rounding's cost.
_FINE = re.compile(rb"\.[0-9][0-9][0-9][0-9]")
_TINY = re.compile(rb"-(?<=[0-9][eE]-)")
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Decoded(msgspec.Struct, frozen=True):
    """A report that can be stored: whose it is, its numbers, and what was dropped from it.

    `time_ms` is its timestamp, corrected by what the agent knows of its clock. The typed report is
    not kept: it is many small objects, and the next one is made faster in the room they leave.
    """

    hostname: str
    time_ms: int
    plan: Plan
    values: array[float]
    raw: bytes
    facts: Facts
    dropped: tuple[str, ...] = ()

    @property
    def makes_own_rates(self) -> bool:
        """An agent of ours knows its resets and gaps; a plain one sends counters alone."""
        return bool(self.facts.agent_version)


class Refused(msgspec.Struct, frozen=True):
    """An item of a body that cannot be stored, and why."""

    index: int
    error: str


class _Text(NamedTuple):
    """What the bytes of JSON tell at a glance, before they are read."""

    may_have_controls: bool
    is_fine: bool

    @classmethod
    def of(cls, raw: bytes) -> _Text:
        # No control character gets into JSON without one of these; few reports have any.
        may_have_controls = b"\\" in raw or b"\x7f" in raw or b"\xc2" in raw
        return cls(may_have_controls, bool(_FINE.search(raw) or _TINY.search(raw)))


_PLAIN = _Text(False, False)


def decode(body: bytes, plans: Plans, limits: Limits) -> Iterator[Decoded | Refused]:
    """Yield each report of `body` (one report, or an array of them) as it is judged.

    Raises InvalidReport where the body as a whole is not JSON, or is one report that is refused,
    and TooManyReports.
    """
    text = _Text.of(body)
    if not is_array(body):
        yield _decode_one(body, text, plans, limits)
        return
    for index, item in enumerate(_items(body)):
        try:
            yield _decode_item(item, text, plans, limits)
        except InvalidReport as error:
            yield Refused(index, str(error))


def is_array(body: bytes) -> bool:
    """Tell whether a body is an array of reports rather than one report."""
    return body[:1] == b"[" or body.lstrip()[:1] == b"["


def _items(body: bytes) -> list[Any]:
    try:
        items = _ITEMS.decode(body)
    except _UNDECODABLE:
        items = tolerant.loads(body, extra_depth=1)
    if len(items) > MAX_REPORTS:
        raise TooManyReports(f"The body has more than {MAX_REPORTS} reports; send fewer at once.")
    return items


def _decode_item(item: Any, whole: _Text, plans: Plans, limits: Limits) -> Decoded:
    """Decode an item of an array; where the whole array is plain, no item is looked at alone."""
    if not isinstance(item, msgspec.Raw):
        return _decode_tolerantly(item, plans, limits)
    raw = bytes(item)
    return _decode_one(raw, whole if whole == _PLAIN else _Text.of(raw), plans, limits)


def _decode_one(raw: bytes, text: _Text, plans: Plans, limits: Limits) -> Decoded:
    if len(raw) > MAX_REPORT_BYTES:
        raise InvalidReport("report", f"is larger than {MAX_REPORT_BYTES} bytes; send less")
    report = None if text.may_have_controls else _typed(raw, limits)
    if report is None:
        return _decode_tolerantly(tolerant.loads(raw), plans, limits)
    try:
        plan, values = plans.flatten(report)
    except InvalidReport:
        return _decode_tolerantly(tolerant.loads(raw), plans, limits)
    if text.is_fine:
        plan.round(values)
    return _finish(report, plan, values, raw)


def _typed(raw: bytes, limits: Limits) -> Any:
    """Return the typed report, or None if it takes a tolerant reading."""
    try:
        report = DECODER.decode(raw)
    except _UNDECODABLE:
        return None
    fits = not report.custom or _custom_count(report) <= limits.custom_metrics
    return report if fits else None


def _custom_count(report: Any) -> int:
    return sum(len(v) if type(v) is dict else 1 for v in report.custom.values())


def _decode_tolerantly(document: Any, plans: Plans, limits: Limits) -> Decoded:
    report, dropped = tolerant.clean(document, limits)
    raw = msgspec.json.encode(tolerant.presentable(document))
    plan, values = plans.flatten(report)
    plan.round(values)
    return _finish(report, plan, values, raw, dropped)


def _finish(
    report: Any, plan: Plan, values: array[float], raw: bytes, dropped: tuple[str, ...] = ()
) -> Decoded:
    if not report.hostname.isprintable() or not report.hostname.strip():
        tolerant.check_hostname(report.hostname)
    time_ms = _stamp_ms(report.timestamp) + _clock_offset_ms(report)
    if time_ms < _EARLIEST_MS:
        raise InvalidReport("timestamp", "is before the year 2000; set the server's clock")
    return Decoded(report.hostname, time_ms, plan, values, raw, Facts.of(report), dropped)


def _stamp_ms(timestamp: datetime) -> int:
    if timestamp.tzinfo is None:
        timestamp = timestamp.replace(tzinfo=UTC)
    return round(timestamp.timestamp() * 1000)


def _clock_offset_ms(report: Any) -> int:
    """What the agent found its clock to be behind the server's; 0 if it did not say."""
    offset = report.agent.clock_offset_ms if report.agent else 0
    return 0 if isnan(offset) else int(offset)


def reread(raw: bytes, limits: Limits) -> Any:
    """Return the typed report that a `Decoded.raw` was made from."""
    report = None if _Text.of(raw).may_have_controls else _typed(raw, limits)
    return report or tolerant.clean(tolerant.loads(raw), limits)[0]
