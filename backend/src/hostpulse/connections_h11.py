"""The patient form of uvicorn's h11 protocol; apart because it is loaded without httptools only."""

from __future__ import annotations

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from hostpulse.connections import _Patience


class PatientH11Protocol(_Patience, H11Protocol):
    """For machines without httptools, Windows among them."""

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Bytes that came behind the last request may be the beginning of one that never ends.
        if (owed := self._phase()) != self._waits_for:
            self._wait(owed, self._timeout_of(owed))

    def _phase(self) -> str:
        their = self.conn.their_state
        if their is h11.SEND_BODY:
            return "body"
        if their is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            return "headers"
        return ""
