"""The refusal of whoever may not do what they ask."""

from __future__ import annotations

from hostpulse.access.principal import NOBODY, Principal


class AccessDenied(Exception):
    """The request is refused; `status` is what HTTP calls it, the message says what to do.

    `by` is who asked, where the guard knows them.
    """

    def __init__(
        self,
        status: int,
        sentence: str,
        retry_after_seconds: float = 0.0,
        by: Principal = NOBODY,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.by = by
