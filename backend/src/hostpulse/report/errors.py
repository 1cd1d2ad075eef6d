"""What a report can be refused for."""

from __future__ import annotations


class InvalidReport(ValueError):
    """The report cannot be stored; the message is one sentence that starts with the field."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class TooManyReports(Exception):
    """The body holds more reports than one request may bring."""
