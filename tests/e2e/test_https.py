"""HTTPS by the backend itself, with one process and with several."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from tests.backend_under_test import eventually, report
from tests.https_server import NAME, Https, only, serial_of
from tests.known_key import known
from tests.programs import STOP_SECONDS, Program, command, free_port, now_ms

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Https]:
    running = Https(tmp_path_factory.mktemp("https"))
    yield running
    running.kill()


def ask(connection: ssl.SSLSocket) -> bytes:
    """Ask for the health on an open connection; return the first line of the answer."""
    connection.sendall(f"GET /api/health HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
    return connection.recv(65536).partition(b"\r\n")[0]


def test_pages_and_posts_go_over_tls(https: Https) -> None:
    assert "<title>" in https.http.get(https.url, timeout=10).text
    key = known(https.run("key", "create", "--label", "tests"), https.url, https.http)
    sent = {"Authorization": f"Bearer {key}"}
    body = report("web-1", now_ms())
    answer = https.http.post(f"{https.url}/api/metrics", json=body, headers=sent, timeout=10)
    assert answer.json()["accepted"] == 1


def test_it_asks_browsers_to_stay_on_tls_but_not_for_all_of_localhost(https: Https) -> None:
    named = {"Host": socket.gethostname()}
    for path in ("/", "/api/session", "/api/nothing"):
        answer = https.http.get(https.url + path, headers=named, timeout=10)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    answer = https.http.get(https.url, timeout=10)
    assert "Strict-Transport-Security" not in answer.headers


def test_plain_http_gets_no_answer(https: Https) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{https.port}/", timeout=5)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(https: Https, version: ssl.TLSVersion) -> None:
    context = only(version, https.ca_file)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        https.connect(context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_renewed_certificate_is_shown_soon_and_costs_no_connection(
    https: Https, version: ssl.TLSVersion
) -> None:
    context = ssl.create_default_context(cafile=https.ca_file)
    context.minimum_version = context.maximum_version = version
    with https.connect(context) as before:
        assert b"200" in ask(before)
        serial = https.issue(NAME, "127.0.0.1")
        eventually(lambda: https.serial_shown() == serial, 20)
        assert b"200" in ask(before)
        with https.connect(context) as after:
            assert serial_of(after.getpeercert(binary_form=True) or b"") == serial
            assert b"200" in ask(after)
    assert "the certificate was renewed" in https.written()


def test_a_renewal_that_does_not_fit_is_told_and_changes_nothing(https: Https) -> None:
    serial, good = https.serial_shown(), https.key.read_bytes()
    https.key.write_bytes(https.authority.issue_cert(NAME).private_key_pem.bytes())
    eventually(lambda: "is not the key of" in https.written(), 20)
    assert https.serial_shown() == serial
    assert https.http.get(f"{https.url}/api/health", timeout=10).json()["status"] == "degraded"
    https.key.write_bytes(good)
    eventually(lambda: "the renewal of the certificate goes on" in https.written(), 20)
    assert https.http.get(f"{https.url}/api/health", timeout=10).json()["status"] == "ok"


def test_several_workers_speak_tls_and_each_takes_a_renewal(tmp_path: Path, postgres: Any) -> None:
    database = postgres.create_database()
    running = Https(tmp_path, 2, HOSTPULSE_STORAGE=database, HOSTPULSE_CONTROL=database)
    try:
        serial = running.issue(NAME, "127.0.0.1")
        eventually(lambda: [running.serial_shown() for _ in range(12)] == [serial] * 12, 30)
        eventually(lambda: running.written().count("the certificate was renewed") == 2, 20)
    finally:
        running.kill()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_files_that_do_not_fit_are_refused_at_the_start(tmp_path: Path, workers: str) -> None:
    made = trustme.CA().issue_cert(NAME)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made.cert_chain_pems[0].write_to_path(str(cert))
    trustme.CA().issue_cert(NAME).private_key_pem.write_to_path(str(key))
    shared = ("--storage", "influxdb://127.0.0.1:1", "--control", "postgresql://x@127.0.0.1:1/x")
    line = command("hostpulse", "serve", "--port", str(free_port()), "--data-dir", str(tmp_path))
    more = ("--tls-cert", str(cert), "--tls-key", str(key), "--workers", workers)
    program = Program([*line, *more, *(shared if workers == "2" else ())], tmp_path / "log")
    try:
        assert program.process.wait(STOP_SECONDS) == 78
    finally:
        program.kill()
    assert f"tls_key: {key} is not the key of" in program.written()
    assert "Traceback" not in program.written()


# -- the agent ----------------------------------------------------------------


def agent_once(https: Https, key: Path, ca_file: str) -> tuple[int, str]:
    """Send one report; return the exit code and what was written."""
    line = command("hostpulse_agent", "--once", "--server", https.url, "--key-file", str(key))
    hidden = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}
    done = subprocess.run(
        [*line, *(("--ca-file", ca_file) if ca_file else ())],
        env={name: value for name, value in https.env.items() if name not in hidden},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_agent_reports_to_whom_its_authority_vouches_for(https: Https, tmp_path: Path) -> None:
    key = tmp_path / "agent.key"
    token = known(https.run("enrol", "create"), https.url, https.http)
    where = ("--key-file", str(key), "--config", str(tmp_path / "agent.ini"))
    line = command("hostpulse_agent", "enrol", https.url, *where, "--ca-file", https.ca_file)
    subprocess.run([*line, "--token-file", "-"], input=token, env=https.env, text=True, check=True)
    code, said = agent_once(https, key, https.ca_file)
    assert code == 0, said
    assert '"accepted":1' in said.replace(" ", "")


def test_the_agent_sends_nothing_to_whom_nobody_vouches_for(https: Https, tmp_path: Path) -> None:
    key, other = tmp_path / "agent.key", tmp_path / "other-ca.pem"
    key.write_text("a-key-that-is-not-sent")
    trustme.CA().cert_pem.write_to_path(str(other))
    for ca_file in ("", str(other)):
        code, said = agent_once(https, key, ca_file)
        assert code == 1
        assert "certificate verify failed" in said
