"""An InfluxDB that dies, hangs, refuses or is full costs no acknowledged sample and says so."""

from __future__ import annotations

import signal
import socket
import ssl
import time
from array import array
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import psutil
import pytest
import trustme
from hostpulse.report import Key, Layout, Sample
from hostpulse.storage import (
    Batch,
    DiskFull,
    Lost,
    Options,
    Storage,
    StorageError,
    Wanted,
    Window,
    open_storage,
)

from tests.backend_under_test import Backend, eventually, report
from tests.programs import free_port

NOW_MS = 1_795_423_385_000
CPU, LOAD = Key("cpu_percent_total"), Key("custom.load")
LAYOUT = Layout((CPU, LOAD))
QUICK_SECONDS = 3


def sample(number: int = 0) -> Sample:
    return Sample("srv_1", NOW_MS + number, LAYOUT, array("d", [float(number % 100), 7.0]))


def opened(url: str, folder: Path) -> Storage:
    return open_storage(url, Options(lambda: NOW_MS, folder))


def times(storage: Storage) -> list[int]:
    return [one.time_ms - NOW_MS for one in storage.samples("a", "srv_1", 0, 2**53)]


class Sender(Thread):
    """Appends one sample after another; the same one again until it is acknowledged."""

    def __init__(self, storage: Storage) -> None:
        super().__init__()
        self.acknowledged = 0
        self.refusals = 0
        self._storage = storage
        self._stop_asked = Event()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            try:
                self._storage.append([Batch("a", [sample(self.acknowledged)])])
            except StorageError:
                self.refusals += 1
                self._stop_asked.wait(0.01)
            else:
                self.acknowledged += 1

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


def test_what_was_acknowledged_is_there_after_kill_9(
    influxdb: Any, tmp_path: Path, rounds: int
) -> None:
    storage = opened(influxdb.url("kill"), tmp_path)
    pids = {influxdb.pid}
    sender = Sender(storage)
    sender.start()
    try:
        for _ in range(max(rounds // 5, 2)):
            before = sender.acknowledged
            eventually(lambda before=before: sender.acknowledged > before + 20)
            felt = sender.refusals
            influxdb.kill()
            eventually(lambda felt=felt: sender.refusals > felt)
            influxdb.start()
            assert influxdb.pid not in pids
            pids.add(influxdb.pid)
        before = sender.acknowledged
        eventually(lambda: sender.acknowledged > before)
    finally:
        sender.stop()
    kept = times(storage)
    assert kept[: sender.acknowledged] == list(range(sender.acknowledged))
    assert len(kept) <= sender.acknowledged + 1
    storage.close()


def test_an_engine_that_is_away_is_told_at_once_and_found_again_by_itself(
    influxdb: Any, tmp_path: Path
) -> None:
    url = influxdb.url("away")
    storage = opened(url, tmp_path)
    storage.append([Batch("a", [sample(1)])])
    influxdb.stop()
    began = time.monotonic()
    for ask in (
        lambda: storage.append([Batch("a", [sample(2)])]),
        lambda: storage.append([Batch("new", [sample(2)])]),
        lambda: storage.history("a", "srv_1", Wanted((CPU.metric,)), Window(0, NOW_MS)),
        lambda: storage.series("a", "srv_1"),
        lambda: list(storage.samples("a", "srv_1", 0, 2**53)),
        lambda: storage.forget("a", "srv_1"),
        storage.maintain,
        storage.usage,
        storage.check,
    ):
        with pytest.raises(StorageError, match=r"cannot be reached .*; start it, or") as told:
            ask()
        assert not knows_password(url, str(told.value))
    assert time.monotonic() - began < QUICK_SECONDS
    influxdb.start()
    storage.check()
    storage.append([Batch("a", [sample(3)])])
    assert times(storage) == [1, 3]
    storage.close()


def knows_password(url: str, text: str) -> bool:
    password = urlsplit(url).password or ""
    assert password
    return any(secret in text for secret in (password, unquote(password), "Basic "))


def test_agents_are_told_to_come_again_while_the_engine_is_away(influxdb: Any) -> None:
    with Backend(storage=influxdb.url("door")) as backend:
        first = report(time_ms=NOW_MS)
        receipt = backend.accept(first)
        assert (receipt["durability"], receipt["duplicates"]) == ("engine", None)
        influxdb.stop()
        refused = backend.post(report(time_ms=NOW_MS + 5000))
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "InfluxDB at" in refused.text
        influxdb.start()
        backend.accept(report(time_ms=NOW_MS + 5000))
        window = {"start": NOW_MS - 60_000, "end": NOW_MS + 60_000}
        path = "/api/servers/web-1/history"
        history = backend.json(path, metrics="cpu_percent_total", **window)
        assert {NOW_MS, NOW_MS + 5000} <= set(history["times"])


def test_an_engine_that_hangs_is_given_up_in_time_and_used_again(
    influxdb: Any, tmp_path: Path
) -> None:
    storage = opened(influxdb.url("hang"), tmp_path)
    storage.append([Batch("a", [sample(1)])])
    process = psutil.Process(influxdb.pid)
    process.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: process.status() == psutil.STATUS_STOPPED)
        for ask, seconds in (
            (storage.check, 2),
            (lambda: storage.append([Batch("a", [sample(2)])]), 6),
        ):
            began = time.monotonic()
            with pytest.raises(StorageError, match="did not answer within"):
                ask()
            assert time.monotonic() - began < seconds
    finally:
        process.send_signal(signal.SIGCONT)
    storage.append([Batch("a", [sample(2)])])
    assert times(storage) == [1, 2]
    storage.close()


def test_points_that_the_engine_refuses_are_counted_and_the_rest_is_kept(
    influxdb: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = influxdb.url("conflict")
    storage: Any = opened(url, tmp_path)
    storage.append([Batch("a", [sample(0)])])
    (database,) = influxdb.databases(url.rpartition("/")[2])
    # Somebody else has made a field of the next shard text.
    day_ms = 86_400_000
    influxdb.write(f'custom,server=x custom.load="text" {NOW_MS - day_ms}', database)
    refused = [
        Sample("srv_1", NOW_MS - day_ms + number, LAYOUT, array("d", [5.0, 7.0]))
        for number in range(3)
    ]
    (done,) = storage.append([Batch("a", refused)])
    assert (done.accepted, done.too_old, storage.lost()) == (3, 0, Lost(refused_points=3))
    assert storage.append([Batch("a", refused[:1])])[0].accepted == 1
    assert storage.lost().refused_points == 4
    kept = list(storage.samples("a", "srv_1", NOW_MS - day_ms, NOW_MS))
    assert [dict(one.items()) for one in kept] == [{CPU: 5.0}] * 3
    written = capfd.readouterr()
    assert (written.out + written.err).count("refused points for good") == 1
    storage.maintain()
    storage.close()
    again = opened(url, tmp_path)  # another process, or the next one
    again.maintain()
    reader = open_storage(url, Options(lambda: NOW_MS, tmp_path, read_only=True))
    assert again.lost() == reader.lost() == Lost(refused_points=4)
    again.close()
    reader.close()


class Answering(BaseHTTPRequestHandler):
    """Answers writes as the test says, after an engine's answers to what comes before."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = 200, b'{"results":[{"statement_id":0}]}'
        if "rp=raw" in self.path:
            self.server.asked += 1  # type: ignore[attr-defined]
            status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stub() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    server.asked, server.answer = 0, (204, b"")
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("answer", "words", "kind"),
    [
        ((429, b"too many"), r"refuses \(429\): too many", StorageError),
        ((500, b'{"error":"timeout"}'), r"refuses \(500\): timeout", StorageError),
        ((503, b""), r"refuses \(503\)", StorageError),
        ((502, b"<html>gateway</html>" * 99), r"refuses \(502\)", StorageError),
        ((400, b'{"error":"something else"}'), r"refuses \(400\)", StorageError),
        ((401, b'{"error":"authorization failed"}'), "user or the password", StorageError),
        ((403, b'{"error":"forbidden"}'), "too few rights", StorageError),
        ((413, b'{"error":"Request Entity Too Large"}'), r"refuses \(413\)", StorageError),
        ((500, b'{"error":"write /x: no space left on device"}'), "no room left", DiskFull),
    ],
)
def test_a_write_that_is_refused_acknowledges_nothing_and_the_next_one_may_go_well(
    stub: Any, tmp_path: Path, answer: tuple[int, bytes], words: str, kind: type
) -> None:
    url = f"influxdb://user:s3cret@127.0.0.1:{stub.server_port}/x"
    storage = opened(url, tmp_path)
    stub.answer = answer
    with pytest.raises(kind, match=words) as told:
        storage.append([Batch("a", [sample()])])
    assert stub.asked == 1
    assert not knows_password(url, str(told.value))
    assert len(str(told.value)) < 400
    stub.answer = 204, b""
    assert storage.append([Batch("a", [sample()])])[0].accepted == 1
    assert stub.asked == 2
    storage.close()


def test_a_peer_that_is_no_influxdb_is_told(stub: Any, tmp_path: Path) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    for port, words in (
        (free_port(), "cannot be reached"),
        (silent.getsockname()[1], "did not answer"),
    ):
        storage = opened(f"influxdb://user:s3cret@127.0.0.1:{port}/x", tmp_path)
        began = time.monotonic()
        with pytest.raises(StorageError, match=words):
            storage.check()
        assert time.monotonic() - began < 2
        storage.close()
    silent.close()


def test_a_peer_of_another_protocol_is_told_apart_from_nobody(tmp_path: Path) -> None:
    def hang_up() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65_536)
            peer.sendall(b"E\0\0\0\x10SFATAL\0\0")  # so PostgreSQL refuses what is no word to it

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=hang_up, daemon=True).start()
        storage = opened(f"influxdb://127.0.0.1:{listener.getsockname()[1]}/x", tmp_path)
        with pytest.raises(StorageError, match="without an answer of InfluxDB; look what runs"):
            storage.check()
        storage.close()


def test_a_certificate_that_the_system_does_not_trust_is_refused(
    stub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    stub.socket = context.wrap_socket(stub.socket, server_side=True)
    storage = opened(f"influxdb://user:s3cret@localhost:{stub.server_port}/x?tls=on", tmp_path)
    with pytest.raises(StorageError, match=r"cannot be trusted with TLS: .*certificate"):
        storage.check()
    storage.close()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    storage = opened(f"influxdb://user:s3cret@localhost:{stub.server_port}/x?tls=on", tmp_path)
    storage.check()
    assert storage.append([Batch("a", [sample()])])[0].accepted == 1
    storage.close()


def test_a_wrong_password_is_told_without_the_right_or_the_wrong_one(
    influxdb: Any, tmp_path: Path
) -> None:
    url = influxdb.url("who", login="hostpulse:wr0ng")
    storage = opened(url, tmp_path)
    for ask in (storage.check, lambda: storage.append([Batch("a", [sample()])])):
        with pytest.raises(StorageError, match="user or the password") as told:
            ask()
        assert not knows_password(url, str(told.value))
    storage.close()
