"""Tells systemd that the agent is ready and alive."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping


class Systemd:
    """Speaks to the socket that systemd names; silent where there is none."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        # Taken out, so that no program started from here speaks in our name.
        self._address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        for_us = environment.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.ping_seconds: float | None = None
        if self._address and for_us and microseconds.isdigit():
            self.ping_seconds = int(microseconds) / 1e6 / 2

    def ready(self, status: str) -> None:
        self._tell(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        if self.ping_seconds is not None:
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.sendto(state.encode(), address)
        except OSError:
            # systemd restarts an agent that it cannot hear; there is nothing better to do here.
            return
