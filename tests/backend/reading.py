"""Shorthands of the tests that read reports without a server."""

from __future__ import annotations

import json
from typing import Any

from hostpulse.report import Decoded, Key, Limits, Refused, Sample, decode, reread
from hostpulse.report.flatten import Plans


def judge(body: bytes | str | dict[str, Any] | list[Any], **limits: int) -> list[Decoded | Refused]:
    """Decode a body whatever its form; every item is judged."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode("utf-8")
    return list(decode(body, Plans(), Limits(**limits)))


def read(body: bytes | str | dict[str, Any], **limits: int) -> Decoded:
    """Decode one report that must be acceptable."""
    (item,) = judge(body, **limits)
    assert isinstance(item, Decoded)
    return item


def numbers(body: bytes | str | dict[str, Any], **limits: int) -> dict[Key, float]:
    """Return what a report's numbers are after decoding, without the backend's own additions."""
    return dict(sample(read(body, **limits)).items())


def sample(decoded: Decoded, server: str = "srv_1") -> Sample:
    """Return the sample of a decoded report."""
    return Sample(server, decoded.time_ms, decoded.plan.layout, decoded.values)


def again(decoded: Decoded) -> Any:
    """Return the typed report that is read again from what was kept of it."""
    return reread(decoded.raw, Limits())
