"""How many waiting reports to send at once: as many as the server takes without being late."""

from __future__ import annotations

STEP_REPORTS = 10
MOST_REPORTS = 100
SOON_SECONDS, LATE_SECONDS = 0.5, 1.0


class BatchSize:
    """Begins small, because a server that is back meets its whole fleet, and grows in steps.

    While an answer is awaited the next live report waits too, so a late one halves the size.
    """

    def __init__(self) -> None:
        self.reports = STEP_REPORTS

    def answered(self, reports: int, seconds: float) -> None:
        """Learn that so many reports were accepted, so many seconds after they were sent."""
        if seconds > LATE_SECONDS and reports > 1:
            self.was_too_large(reports)
        elif seconds <= SOON_SECONDS and reports >= self.reports:
            self.reports = min(self.reports + STEP_REPORTS, MOST_REPORTS)

    def failed(self) -> None:
        """Learn that no answer came, or that the server could not take it now."""
        self.reports = min(self.reports, STEP_REPORTS)

    def was_too_large(self, reports: int) -> None:
        """Learn that a batch of so many was too large."""
        self.reports = reports // 2
