"""Runs the door on a socket until it is told to stop."""

from __future__ import annotations

import gc
import signal
import socket
import ssl
import sys

import uvicorn

from hostpulse.config import Config
from hostpulse.connections import protocol_class
from hostpulse.door import Door
from hostpulse.parts import Parts

KEEP_ALIVE_SECONDS = 75
SHUTDOWN_SECONDS = 10
_BACKLOG = 2048
_GC_THRESHOLDS = (20_000, 20, 100)


class AddressTaken(Exception):
    """Nothing can listen there now; the message says what to do."""


def listen(config: Config) -> socket.socket:
    """Return a socket that listens where `config` says; raises AddressTaken."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there it would let two programs share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as error:
        listener.close()
        raise AddressTaken(
            f"port: cannot listen on {config.host}:{config.port} ({error.strerror}); stop what "
            "uses it, or choose another with --port."
        ) from error
    listener.listen(_BACKLOG)
    return listener


def server_for(parts: Parts) -> uvicorn.Server:
    """Return the server that answers through the door."""
    config = parts.config
    settings = _Settings(
        Door(parts),
        http=protocol_class(config.header_timeout_seconds, config.body_timeout_seconds),
        ws="none",
        interface="asgi3",
        lifespan="on",
        proxy_headers=bool(config.behind_proxy),
        forwarded_allow_ips=config.behind_proxy or None,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    if parts.certificate is not None:
        settings.context = parts.certificate.context
    return uvicorn.Server(settings)


class _Settings(uvicorn.Config):
    """uvicorn's settings, with a certificate that is renewed while it serves."""

    context: ssl.SSLContext | None = None

    def load(self) -> None:
        super().load()
        self.ssl = self.context


def _stop_with_the_terminal() -> None:
    """Take the end of the terminal, where systems tell of it, for a wish to stop."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None:
        signal.signal(hangup, lambda *_: signal.raise_signal(signal.SIGTERM))


def serve(parts: Parts, listener: socket.socket) -> None:
    """Answer requests until a signal says stop, then finish those under way."""
    # Samples are no cycles: looking for some among millions of them would only cost.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    # uvicorn stops on a signal, and then raises it again: by now there is nothing left to stop.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _stop_with_the_terminal()
    try:
        server_for(parts).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
        parts.close()
