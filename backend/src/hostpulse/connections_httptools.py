"""The patient form of uvicorn's httptools protocol; apart because httptools may be missing."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hostpulse.connections import _Patience


class PatientHttpToolsProtocol(_Patience, HttpToolsProtocol):  # type: ignore[misc]
    """httptools says itself where headers begin and end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_headers = True

    def on_message_begin(self) -> None:
        self._in_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        super().on_headers_complete()

    def _phase(self) -> str:
        if self._in_headers:
            return "headers"
        return "body" if self.cycle.more_body else ""
