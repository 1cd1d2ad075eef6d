"""Raw sockets: slow, silent, lying and greedy clients, on both HTTP parsers."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hostpulse.connections_h11 import PatientH11Protocol
from hostpulse.connections_httptools import PatientHttpToolsProtocol

from tests.backend_under_test import NOW_MS, Backend, report

PATIENCE = 0.6
TIMES = {"header_timeout_seconds": PATIENCE, "body_timeout_seconds": PATIENCE}
HOST = b"Host: 127.0.0.1\r\n"
HEAD = b"POST /api/metrics HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"


@pytest.fixture(params=[PatientHttpToolsProtocol, PatientH11Protocol], ids=["httptools", "h11"])
def patient(request: pytest.FixtureRequest) -> Iterator[Backend]:
    protocol = type("Patient", (request.param,), TIMES)
    with Backend(protocol=protocol) as running:
        yield running
        assert running.post(report()).status_code == 200, "it is well afterwards"


def until_closed(connection: socket.socket) -> bytes:
    """Read all until the server closes."""
    received = b""
    while True:
        try:
            some = connection.recv(65_536)
        except (ConnectionResetError, TimeoutError):
            return received
        if not some:
            return received
        received += some


def trickle(connection: socket.socket, first: bytes, drop: bytes) -> tuple[bytes, float]:
    """Send `first`, then `drop` again and again; return the answer and when it closed."""
    started = time.monotonic()
    connection.sendall(first)
    connection.settimeout(0.05)
    while time.monotonic() - started < 20 * PATIENCE:
        try:
            connection.sendall(drop)
            if answer := connection.recv(65_536):
                connection.settimeout(5)
                return answer + until_closed(connection), time.monotonic() - started
            break
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            break
    return b"", time.monotonic() - started


def answered(connection: socket.socket) -> bytes:
    """Ask for the health and read the whole answer."""
    connection.sendall(b"GET /api/health HTTP/1.1\r\n" + HOST + b"\r\n")
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(65_536)
    return answer


SLOW = {
    "silence": (b"", b""),
    "a header trickle": (b"POST /api/metrics HTTP/1.1\r\nX: ", b"a"),
    "a trickle of header lines": (b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
    "a body trickle": (HEAD + b"Content-Length: 1000\r\n\r\n", b" "),
    "a chunk trickle": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a body that does not come": (HEAD + b"Content-Length: 1000\r\n\r\n", b""),
    "a body for the other lane": (
        b"GET /api/servers HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\n",
        b" ",
    ),
}


@pytest.mark.parametrize("how", SLOW)
def test_f32_a_slow_client_is_let_go_in_time(patient: Backend, how: str) -> None:
    with patient.connect() as connection:
        answer, seconds = trickle(connection, *SLOW[how])
    assert 0.8 * PATIENCE <= seconds <= 3 * PATIENCE
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_second_request_has_to_hurry_as_well(patient: Backend) -> None:
    with patient.connect() as connection:
        assert answered(connection).startswith(b"HTTP/1.1 200")
        answer, seconds = trickle(connection, b"GET /api/health HTTP/1.1\r\nX: ", b"a")
    assert seconds <= 3 * PATIENCE
    assert b"408" in answer.split(b"\r\n")[0]


def test_a_connection_at_rest_between_requests_is_not_slow(patient: Backend) -> None:
    with patient.connect() as connection:
        for _ in range(2):
            assert answered(connection).startswith(b"HTTP/1.1 200")
            time.sleep(1.5 * PATIENCE)


def test_f32_300_slow_clients_do_not_slow_the_others(patient: Backend) -> None:
    slow = [patient.connect() for _ in range(300)]
    try:
        for i, connection in enumerate(slow):
            connection.sendall(list(SLOW.values())[i % len(SLOW)][0])
        seconds = []
        for i in range(60):
            started = time.perf_counter()
            patient.accept(report(time_ms=NOW_MS + i))
            seconds.append(time.perf_counter() - started)
        assert sorted(seconds)[-2] < 0.25
        for connection in slow:
            connection.settimeout(5)
            assert until_closed(connection).startswith(b"HTTP/1.1 408 ")
    finally:
        for connection in slow:
            connection.close()


def ask(backend: Backend, request: bytes, timeout: float = 5) -> bytes:
    """Send bytes and read until the server closes or says no more."""
    with backend.connect() as connection:
        connection.settimeout(timeout)
        with suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(request)
        return until_closed(connection)


def body_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("length", [2 * (1 << 20), 10**12, 10**18])
def test_f28_a_declared_length_beyond_the_limit_is_refused_unread(
    patient: Backend, length: int
) -> None:
    answer = ask(patient, HEAD + b"Content-Length: %d\r\n\r\n" % length)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert "larger" in body_of(answer)["error"]


def test_f28_an_endless_chunked_body_is_cut_off(patient: Backend) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = ask(patient, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + 20 * chunk)
    assert answer.startswith(b"HTTP/1.1 413 ")


MALFORMED = {
    "a length that is no number": b"Content-Length: abc\r\n\r\n",
    "a negative length": b"Content-Length: -5\r\n\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    "a bad chunk": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a header without a name": b": x\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\r\n\r\n",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_not_http_is_a_400(patient: Backend, what: str) -> None:
    answer = ask(patient, (b"" if "HTTP" in what else HEAD) + MALFORMED[what])
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 "))


def test_f98_a_request_smuggled_behind_two_framings_is_not_answered(patient: Backend) -> None:
    inner = b"0\r\n\r\nGET /api/health HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = ask(patient, HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + inner)
    assert answer.count(b"HTTP/1.1 200") == 0


def test_f28_a_body_shorter_than_its_length_is_not_stored(patient: Backend) -> None:
    body = json.dumps(report("liar")).encode()
    with patient.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body)
    assert patient.get("/api/servers/liar").status_code == 404


def test_a_body_longer_than_its_length_is_cut_there_and_the_rest_has_to_hurry(
    patient: Backend,
) -> None:
    body = json.dumps(report("liar")).encode()
    started = time.monotonic()
    answer = ask(patient, HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) - 1) + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert time.monotonic() - started <= 3 * PATIENCE


def test_requests_in_a_row_are_answered_in_their_order(patient: Backend) -> None:
    body = json.dumps(report("first")).encode()
    post = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    get = b"GET /api/servers/first HTTP/1.1\r\n" + HOST
    answer = ask(patient, post + get + b"\r\n" + get + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.index(b'"status":"success"') < answer.index(b'"id":"srv_')


def test_http_1_0_is_answered(patient: Backend) -> None:
    assert ask(patient, b"GET /api/health HTTP/1.0\r\n" + HOST + b"\r\n").startswith(
        b"HTTP/1.1 200"
    )
    assert ask(patient, b"GET /api/health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("kind", ["one long line", "many lines", "a long path"])
def test_headers_that_are_too_large_are_refused(patient: Backend, kind: str) -> None:
    made = {
        "one long line": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 300_000,
        "many lines": b"GET / HTTP/1.1\r\n"
        + HOST
        + b"".join(b"X%d: y\r\n" % i for i in range(30_000)),
        "a long path": b"GET /" + b"a" * 300_000,
    }[kind]
    assert ask(patient, made)[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"HTTP/1.1 414")


ODD_PATHS = [
    b"/\xff",
    b"/%ff",
    b"/%00",
    b"/api/servers/%F0%9F%A6%8A",
    b"/api/servers/%ed%b2%80",
    b"//",
    b"/api//servers",
    b"/static/%2e%2e/%2e%2e/etc/passwd",
    b"/../etc/passwd",
    b"*",
    b"http://evil.example/",
    b"/api/servers?\xff=%ff",
]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_an_odd_path_is_answered_and_never_with_a_500(patient: Backend, path: bytes) -> None:
    answer = ask(patient, b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert answer[:10] in (b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4")
