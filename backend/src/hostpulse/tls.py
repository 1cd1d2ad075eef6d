"""The certificate of HTTPS: read at the start, and anew when it was renewed."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import structlog

from hostpulse.config import ConfigError

Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate and its key; whoever connects gets the newest that fits.

    Each pair of files becomes a context of its own, and a handshake takes one of them whole: a
    renewal half written is never shown to anybody, and connections that are open go on.
    """

    def __init__(self, cert_file: str, key_file: str) -> None:
        self._cert_file, self._key_file = Path(cert_file), Path(key_file)
        self._seen = self._stamp()
        self.context = self._current = load(self._cert_file, self._key_file)
        self.context.sni_callback = self._choose

    def renew(self) -> None:
        """Take the files if they are others than before; raises ConfigError and keeps the old."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._current = load(self._cert_file, self._key_file)
        self._seen = stamp
        log = structlog.get_logger("hostpulse.tls")
        log.info("the certificate was renewed", file=str(self._cert_file))

    def _choose(self, handshake: ssl.SSLObject, _name: str | None, _context: object) -> None:
        handshake.context = self._current

    def _stamp(self) -> Stamp:
        return tuple(_stamp_of(file) for file in (self._cert_file, self._key_file))


def load(cert_file: Path, key_file: Path) -> ssl.SSLContext:
    """Return a context with this certificate; raises ConfigError that names the file."""
    cert, key = _read(cert_file, "tls_cert"), _read(key_file, "tls_key")
    if b"-----BEGIN CERTIFICATE-----" not in cert:
        raise ConfigError(f"tls_cert: {cert_file} holds no certificate in PEM form.")
    if b"PRIVATE KEY-----" not in key:
        raise ConfigError(f"tls_key: {key_file} holds no private key in PEM form.")
    if b"ENCRYPTED" in key:
        raise ConfigError(
            f"tls_key: {key_file} is locked with a password, and nobody is there to type it; "
            "give a key without one that only this user may read."
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert_file, key_file, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                f"tls_key: {key_file} is not the key of the first certificate in {cert_file}; "
                "that one must be this server's own, and those between follow it."
            ) from error
        why = (error.reason or str(error)).lower().replace("_", " ")
        raise ConfigError(
            f"tls_cert, tls_key: {cert_file} and {key_file} cannot be used ({why})."
        ) from error
    return context


def _no_password() -> str:
    return ""  # without this OpenSSL asks the terminal


def _read(file: Path, setting: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{setting}: cannot read {file} ({error.strerror}).") from error


def _stamp_of(file: Path) -> tuple[int, int, int]:
    try:
        found = os.stat(file)  # noqa: PTH116 - follows the links that certbot moves
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_ino, found.st_size
