"""The files of HTTPS: refused in words, and taken anew when both fit."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from hostpulse.config import ConfigError
from hostpulse.tls import Certificate


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write(authority.issue_cert("localhost"), cert, key)
    return cert, key


def write(made: trustme.LeafCert, cert: Path, key: Path) -> None:
    cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    key.write_bytes(made.private_key_pem.bytes())


def refusal(cert: Path, key: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        Certificate(str(cert), str(key))
    return str(refused.value)


def test_a_missing_file_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = files
    none = tmp_path / "none.pem"
    assert refusal(none, key) == f"tls_cert: cannot read {none} (No such file or directory)."
    assert refusal(cert, none) == f"tls_key: cannot read {none} (No such file or directory)."


def test_a_file_of_something_else_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = files
    other = tmp_path / "other.pem"
    other.write_text("something else\n")
    assert refusal(other, key).startswith(f"tls_cert: {other} holds no certificate")
    assert refusal(cert, other).startswith(f"tls_key: {other} holds no private key")
    assert refusal(key, cert).startswith(f"tls_cert: {key} holds no certificate")


def test_a_key_of_another_certificate_is_refused(
    files: tuple[Path, Path], authority: trustme.CA, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(authority.issue_cert("localhost").private_key_pem.bytes())
    assert refusal(files[0], other).startswith(f"tls_key: {other} is not the key of")


def test_a_certificate_that_is_cut_off_is_refused(files: tuple[Path, Path]) -> None:
    cert, key = files
    cert.write_bytes(cert.read_bytes()[:300])
    assert refusal(cert, key).startswith("tls_cert, tls_key: ")


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(
    files: tuple[Path, Path], tmp_path: Path, needs_program: Callable[..., str]
) -> None:
    cert, key = files
    locked = tmp_path / "locked.pem"
    line = [needs_program("openssl"), "pkcs8", "-topk8", "-in", key, "-out", locked]
    subprocess.run([*line, "-passout", "pass:secret"], check=True, capture_output=True)
    assert "locked with a password" in refusal(cert, locked)


def test_half_a_renewal_keeps_the_old_pair_until_both_fit(
    files: tuple[Path, Path], authority: trustme.CA, tmp_path: Path
) -> None:
    cert, key = files
    certificate = Certificate(str(cert), str(key))
    certificate.renew()
    new_cert, new_key = tmp_path / "new-cert.pem", tmp_path / "new-key.pem"
    write(authority.issue_cert("localhost"), new_cert, new_key)
    new_cert.replace(cert)
    for _ in range(2):
        with pytest.raises(ConfigError, match="is not the key of"):
            certificate.renew()
    key.unlink()
    with pytest.raises(ConfigError, match="cannot read"):
        certificate.renew()
    new_key.replace(key)
    certificate.renew()
