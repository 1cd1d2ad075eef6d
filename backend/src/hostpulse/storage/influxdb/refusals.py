"""How many points the engine will never take; it keeps the number itself, so that all can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from secrets import token_hex

import structlog

from hostpulse.storage.influxdb.engine import Engine, NotThere, Refused

_log = structlog.get_logger("hostpulse.storage")


class Refusals:
    """Counts what this process was refused, and knows what others were when it looked last."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._name = token_hex(8)
        self._points: Counter[str] = Counter()  # by database
        self._saved: Counter[str] = Counter()
        self._others = 0

    @property
    def points(self) -> int:
        """How many points of all tenants were refused."""
        return self._others + self._points.total()

    def note(self, database: str, refused: Refused | None) -> None:
        """Count the points of one write; the first are told to the log."""
        if refused is None:
            return
        if not self._points:
            _log.warning("the engine refused points for good", reason=refused.reason)
        self._points[database] += refused.points

    def save(self) -> None:
        """Write down what was not written down yet; raises StorageError."""
        for database, points in list(self._points.items()):
            if self._saved[database] != points:
                line = f"refused,by={self._name} points={points}i 0"
                try:
                    self._engine.write(database, "state", line.encode())
                except NotThere:  # somebody dropped it
                    continue
                self._saved[database] = points

    def learn(self, databases: Iterable[str]) -> None:
        """Look what other processes were refused; raises StorageError."""
        of_others = f"""WHERE "by" != '{self._name}'"""
        query = f'SELECT sum("points") FROM "state"."refused" {of_others}'  # noqa: S608
        found = [self._engine.query([query], database)[0] for database in databases]
        self._others = sum(int(series.rows[0][1]) for answer in found for series in answer)
