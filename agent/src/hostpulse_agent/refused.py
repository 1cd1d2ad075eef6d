"""Sets reports aside that the server will never take, so that they block nothing."""

from __future__ import annotations

from pathlib import Path

from hostpulse_agent.journal import Journal

MAX_FILE_BYTES = 1 << 20
FILE_NAME = "refused.jsonl"


class Refused:
    """Appends refused reports to a file that keeps at most the last two megabytes."""

    def __init__(self, directory: Path | None, journal: Journal) -> None:
        self._path = directory / FILE_NAME if directory is not None else None
        self._journal = journal
        self.reports = 0

    def keep(self, report: bytes, why: str) -> None:
        self.reports += 1
        kept = self._append(report)
        where = f"; it is in {self._path}" if kept else ""
        self._journal.trouble(f"refused {why}", f"the server refused a report: {why}{where}")

    def _append(self, report: bytes) -> bool:
        if self._path is None:
            return False
        try:
            if self._path.exists() and self._path.stat().st_size + len(report) > MAX_FILE_BYTES:
                self._path.replace(self._path.with_suffix(".old"))
            with self._path.open("ab") as file:
                file.write(report + b"\n")
        except OSError:
            return False
        return True
