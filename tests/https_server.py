"""`hostpulse serve` with TLS, under an authority of the test's own."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from tests.backend_under_test import eventually
from tests.programs import Program, command, environment, free_port

NAME = "localhost"


def only(version: ssl.TLSVersion, ca_file: str) -> ssl.SSLContext:
    """Return what makes a client speak one old version of TLS and no other."""
    context = ssl.create_default_context(cafile=ca_file)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = version
    with pytest.warns(DeprecationWarning):
        context.maximum_version = version
    return context


class Https(Program):
    """`hostpulse serve` with a certificate of an authority of this test's own."""

    def __init__(self, folder: Path, workers: int = 1, **settings: str) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca_file)
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.port = free_port()
        self.url = f"https://{NAME}:{self.port}"
        self.serial = self.issue(NAME, "127.0.0.1")
        named = {
            "HOSTPULSE_TLS_CERT": str(self.cert),
            "HOSTPULSE_TLS_KEY": str(self.key),
            "HOSTPULSE_DATA_DIR": str(folder / "data"),
            "HOSTPULSE_WORKERS": str(workers),
            "HOSTPULSE_AUTH": "true",
        }
        self.env = environment(**{**named, **settings}, HOME=str(folder))
        self.http = self.client()
        line = command("hostpulse", "serve", "--port", str(self.port))
        super().__init__(line, folder / "log", self.env)
        try:
            eventually(self.answers, 30)
        except AssertionError:
            self.kill()
            raise

    def issue(self, *names: str, **more: Any) -> int:
        """Put a new certificate in place as certbot does, one file after the other."""
        made = self.authority.issue_cert(*names, **more)
        for target, blobs in (
            (self.cert, made.cert_chain_pems),
            (self.key, [made.private_key_pem]),
        ):
            draft = target.with_suffix(".new")
            draft.write_bytes(b"".join(blob.bytes() for blob in blobs))
            draft.replace(target)
        return serial_of(ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode()))

    def client(self) -> requests.Session:
        """Return a client that trusts this authority, whatever the environment says."""
        client = requests.Session()
        client.trust_env = False
        client.verify = self.ca_file
        return client

    def answers(self) -> bool:
        """Tell whether it answers over TLS."""
        assert self.process.poll() is None, self.written()
        try:
            return self.client().get(f"{self.url}/api/health", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def connect(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """Open a connection of its own."""
        context = context or ssl.create_default_context(cafile=self.ca_file)
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        try:
            return context.wrap_socket(raw, server_hostname=NAME)
        except BaseException:
            raw.close()
            raise

    def serial_shown(self) -> int:
        """Return the serial number of the certificate that a new connection sees."""
        with self.connect() as connection:
            return serial_of(connection.getpeercert(binary_form=True) or b"")

    def run(self, *arguments: str) -> str:
        """Run a command of `hostpulse` with the same settings."""
        done = subprocess.run(
            command("hostpulse", *arguments), env=self.env,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def serial_of(der: bytes) -> int:
    from cryptography import x509

    return x509.load_der_x509_certificate(der).serial_number
