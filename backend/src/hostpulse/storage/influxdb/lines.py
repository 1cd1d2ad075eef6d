"""Samples as line protocol: one line for each family of metrics and instance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec

from hostpulse import catalogue
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage.influxdb.names import in_line

SAMPLES = "sample"
"""The measurement with a point for each sample: how many values it has."""

FAMILIES = tuple(sorted({metric.group for metric in catalogue.METRICS} | {"custom"}))
"""The measurements that hold the values."""

_TEMPLATES = 1024
_NULL = b"null"


def family(metric: str) -> str:
    """Return the measurement that a metric is a field of."""
    known = catalogue.find(metric)
    return known.group if known else "custom"


def pieces(samples: Sequence[Sample], most_bytes: int) -> Iterator[bytes]:
    """Yield line protocol, in order, in pieces that are hardly longer than `most_bytes`."""
    piece: list[bytes] = []
    size = 0
    for sample in samples:
        lines = _lines(sample)
        piece.append(lines)
        size += len(lines)
        if size >= most_bytes:
            yield b"".join(piece)
            piece, size = [], 0
    if piece:
        yield b"".join(piece)


def _lines(sample: Sample) -> bytes:
    written = msgspec.json.encode(sample.values.tolist())[1:-1]
    tokens = written.split(b",") if written else []
    missing: tuple[int, ...] = ()
    if _NULL in written:
        missing = tuple([i for i, token in enumerate(tokens) if token == _NULL])
    template, pick = _template(sample.layout, missing)
    server = in_line(sample.server).encode()
    tag = b",server=" + server if server else b""
    holes: tuple[bytes, ...] = pick((*tokens, tag, b"%d" % sample.time_ms))
    return template % holes


@lru_cache(_TEMPLATES)
def _template(
    layout: Layout, missing: tuple[int, ...]
) -> tuple[bytes, Callable[[tuple[bytes, ...]], Any]]:
    """Return the lines of a layout with holes, and what picks the values that fill them.

    They are made once for the samples of one shape, because a line is mostly names.
    """
    count = len(layout.keys)
    known = [i for i in range(count) if i not in set(missing)]
    lines: dict[tuple[str, str], list[int]] = {}
    for i in known:
        key = layout.keys[i]
        lines.setdefault((family(key.metric), key.instance), []).append(i)
    text = [f"{SAMPLES}%b values={len(known)}i %b\n"]
    picked = [count, count + 1]
    for (measurement, instance), positions in lines.items():
        text.append(_line(measurement, instance, [layout.keys[i] for i in positions]))
        picked += [count, *positions, count + 1]
    return "".join(text).encode(), itemgetter(*picked)


def _line(measurement: str, instance: str, keys: Sequence[Key]) -> str:
    tag = f",instance={_literal(instance)}" if instance else ""
    fields = ",".join(f"{_literal(key.metric)}=%b" for key in keys)
    return f"{measurement}%b{tag} {fields} %b\n"


def _literal(text: str) -> str:
    return in_line(text).replace("%", "%%")
