"""How a report travels: kept connection, gzip, key, certificates."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
import trustme
from hostpulse_agent import sender
from hostpulse_agent.sender import (
    Answer,
    Transport,
    Unreachable,
    full_jitter,
    gzipped,
    retry_after_seconds,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.server import Server, serving

KEY = "canary-key-5d1f"


def transport(url: str, key: str | None = None, ca_file: str = "", timeout: float = 5) -> Transport:
    return Transport(url, lambda: key, ca_file, timeout)


def test_posts_share_one_connection_and_are_gzip_with_the_key() -> None:
    with serving(Server()) as server:
        way = transport(server.url, KEY)
        for _ in range(5):
            assert way.post(gzipped(b'{"timestamp":"t"}')).fields()["status"] == "success"
    assert len({request.connection for request in server.requests}) == 1
    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {KEY}"}
    assert {request.headers["Content-Encoding"] for request in server.requests} == {"gzip"}
    assert {request.headers["Content-Type"] for request in server.requests} == {"application/json"}


def test_without_a_key_there_is_no_authorization() -> None:
    with serving(Server()) as server:
        transport(server.url).post(gzipped(b'{"timestamp":"t"}'))
    assert "Authorization" not in server.requests[0].headers


def test_a_redirect_is_an_answer_and_the_key_goes_nowhere_else() -> None:
    with serving(Server()) as other, serving(Server()) as server:
        server.answers = [(307, {"Location": other.url + "/api/metrics"}, b"")]
        assert transport(server.url, KEY).post(gzipped(b"{}")).status == 307
    assert other.requests == []


@pytest.mark.parametrize("status", [200, 401])
def test_a_new_key_is_used_from_the_next_post_on_whatever_was_answered(status: int) -> None:
    key = "old"
    with serving(Server()) as server:
        way = Transport(server.url, lambda: key, "", 5)
        server.answers = [(status, {}, {"error": "no"})]
        way.post(gzipped(b'{"timestamp":"t"}'))
        way.post(gzipped(b'{"timestamp":"t"}'))
        assert not way.has_new_key()
        key = "new"
        assert way.has_new_key()
        assert way.post(gzipped(b'{"timestamp":"t"}')).status == 200
        assert not way.has_new_key()
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer old", "Bearer old", "Bearer new"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(401, b'{"error": "this key was revoked"}'), "this key was revoked"),
        (Answer(401, b'{"error": "no \\u001b[31m\\nhp_ag_abc_d-e_f9."}'), "no  [31m (a key)."),
        (Answer(403, b'{"error": {"code": 7}}'), "no answer of Hostpulse"),
        (Answer(502, b"<h1>Bad gateway</h1>"), "no answer of Hostpulse"),
        (Answer(301, b""), "it points to another address, and that is not followed"),
        (Answer(400, b'{"error": "' + b"x" * 5000 + b'"}'), "x" * 300),
    ],
)
def test_a_refusal_is_told_in_the_server_s_words_on_one_line_and_without_a_key(
    answer: Answer, said: str
) -> None:
    assert answer.said() == said


def test_the_proxy_of_the_environment_is_used_but_never_for_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(Server()) as proxy, serving(Server()) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        transport(server.url).post(gzipped(b'{"timestamp":"t"}'))
        assert (len(server.requests), len(proxy.requests)) == (1, 0)
        transport("http://monitor.example").post(gzipped(b'{"timestamp":"t"}'))
    assert [request.path for request in proxy.requests] == ["http://monitor.example/api/metrics"]


def test_a_connection_that_the_server_let_go_is_made_anew_at_once() -> None:
    server = Server()
    with serving(server):
        way = transport(server.url)
        for _ in range(3):
            assert way.post(gzipped(b'{"timestamp":"t"}')).status == 200
            # As at the end of a keep-alive time that falls on the moment of a post.
            server.connections[-1].shutdown(socket.SHUT_RDWR)
    assert len({request.connection for request in server.requests}) == 3


@contextmanager
def speaking(*answers: list[bytes]) -> Iterator[tuple[str, list[int]]]:
    """Give one answer after the other, in the given pieces; tell who was asked on which port."""
    ports: list[int] = []
    left = list(answers)

    class Raw(StreamRequestHandler):
        def handle(self) -> None:
            while left:
                length = 0
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                if not line or len(self.rfile.read(length)) != length:
                    return
                ports.append(self.client_address[1])
                for piece in left.pop(0):
                    self.wfile.write(piece)
                    time.sleep(0.02)

    with ThreadingTCPServer(("127.0.0.1", 0), Raw) as listener:
        listener.daemon_threads = True
        threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.server_address[1]}", ports
        left.clear()
        listener.shutdown()


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 503 Later\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


def test_an_answer_that_comes_byte_by_byte_is_whole() -> None:
    late = b"HTTP/1.1 503 Later\r\nretry-after:  7 \r\ncontent-length: 4\r\n\r\nbusy"
    with speaking([PLAIN], [bytes([one]) for one in late], [PLAIN]) as (url, ports):
        way = transport(url)
        assert way.post(b"1") == Answer(200, b"{}")
        assert way.post(b"2") == Answer(503, b"busy", "7")
        assert way.post(b"3") == Answer(200, b"{}")
    assert len(set(ports)) == 1


@pytest.mark.parametrize(
    "odd",
    [
        CHUNKED,
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.0 408 Request Time-out\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}",
        b"nothing of HTTP\r\n\r\n",
    ],
)
def test_an_answer_out_of_the_ordinary_on_a_kept_connection_is_asked_for_again_on_a_new_one(
    odd: bytes,
) -> None:
    with speaking([PLAIN], [odd], [PLAIN], [PLAIN]) as (url, ports):
        way = transport(url)
        for _ in range(3):
            assert way.post(b"1") == Answer(200, b"{}")
    assert len(ports) == 4
    assert ports[0] == ports[1] != ports[2] == ports[3]


def test_a_server_whose_answers_are_never_plain_gets_each_report_once() -> None:
    with speaking([CHUNKED], [CHUNKED], [CHUNKED]) as (url, ports):
        way = transport(url)
        for _ in range(3):
            assert way.post(b"1") == Answer(503, b"{}")
    assert len(ports) == 3


def test_what_a_server_says_before_it_is_asked_is_no_answer() -> None:
    farewell = b"HTTP/1.1 408 Request Time-out\r\nContent-Length: 2\r\n\r\n{}"
    with speaking([PLAIN, farewell], [PLAIN]) as (url, ports):
        way = transport(url)
        assert way.post(b"1") == Answer(200, b"{}")
        time.sleep(0.1)  # the farewell is on its way
        assert way.post(b"2") == Answer(200, b"{}")
    assert len(set(ports)) == 2


def test_a_server_that_falls_silent_on_a_kept_connection_is_given_up_and_left() -> None:
    with speaking([PLAIN], [], [PLAIN]) as (url, ports):
        way = transport(url, timeout=0.3)
        way.post(b"1")
        with pytest.raises(Unreachable, match="timed out"):
            way.post(b"2")
        assert way.post(b"3") == Answer(200, b"{}")
    assert ports[0] == ports[1] != ports[2]


def test_names_and_passwords_of_netrc_are_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(Server()) as server:
        transport(server.url).post(gzipped(b'{"timestamp":"t"}'))
    assert "Authorization" not in server.requests[0].headers


def test_a_server_that_is_not_there_is_unreachable_in_words() -> None:
    with serving(Server()) as server:
        url = server.url
    with pytest.raises(Unreachable, match="refused"):
        transport(url, KEY).post(gzipped(b"{}"))


def test_a_server_that_never_answers_is_given_up() -> None:
    def silent(_: object) -> tuple[int, dict[str, str], bytes]:
        time.sleep(1.5)
        return 200, {}, b"{}"

    with serving(Server(judge=silent)) as server:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="timed out"):
            transport(server.url, timeout=0.3).post(gzipped(b"{}"))
        assert time.monotonic() - began < 1.2


def test_an_endless_answer_is_cut_and_the_connection_not_used_again() -> None:
    with serving(Server(answers=[(200, {}, b"x" * 1_000_000)])) as server:
        way = transport(server.url)
        assert len(way.post(gzipped(b"{}")).body) <= 65537
        way.post(gzipped(b'{"timestamp":"t"}'))
    assert len({request.connection for request in server.requests}) == 2


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_certificate_of_a_trusted_authority_is_accepted(
    authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with serving(Server(), tls=tls(authority, "127.0.0.1")) as server:
        answer = transport(server.url, KEY, str(tmp_path / "ca.pem")).post(
            gzipped(b'{"timestamp":"t"}')
        )
    assert answer.status == 200


def test_posts_over_tls_share_one_connection_too_and_survive_its_end(
    authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with serving(Server(), tls=tls(authority, "127.0.0.1")) as server:
        way = transport(server.url, KEY, str(tmp_path / "ca.pem"))
        for _ in range(4):
            assert way.post(gzipped(b'{"timestamp":"t"}')).status == 200
        server.connections[-1].shutdown(socket.SHUT_RDWR)
        assert way.post(gzipped(b'{"timestamp":"t"}')).status == 200
    assert len({request.connection for request in server.requests[:4]}) == 1
    assert len({request.connection for request in server.requests}) == 2


def test_a_certificate_with_another_name_gets_no_report_and_no_key(
    authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with (
        serving(Server(), tls=tls(authority, "other.example")) as server,
        pytest.raises(Unreachable, match=r"certificate|match"),
    ):
        transport(server.url, KEY, str(tmp_path / "ca.pem")).post(gzipped(b"{}"))
    assert server.requests == []


def test_a_certificate_of_an_unknown_authority_gets_no_report(authority: trustme.CA) -> None:
    with (
        serving(Server(), tls=tls(authority, "127.0.0.1")) as server,
        pytest.raises(Unreachable, match=r"(?i)certificate"),
    ):
        transport(server.url, KEY).post(gzipped(b"{}"))
    assert server.requests == []


def test_a_certificate_that_ended_gets_no_report(authority: trustme.CA, tmp_path: Path) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    past = datetime.now(timezone.utc) - timedelta(days=1)
    authority.issue_cert("127.0.0.1", not_after=past).configure_cert(context)
    with (
        serving(Server(), tls=context) as server,
        pytest.raises(Unreachable, match="expired"),
    ):
        transport(server.url, KEY, str(tmp_path / "ca.pem")).post(gzipped(b"{}"))
    assert server.requests == []


def test_a_server_without_tls_gets_nothing_where_tls_is_asked_for() -> None:
    with serving(Server()) as server:
        way = transport(server.url.replace("http:", "https:"), KEY)
        for _ in range(3):
            with pytest.raises(Unreachable):
                way.post(gzipped(b"{}"))
    assert server.requests == []


def test_without_a_file_of_its_own_it_trusts_whom_the_system_trusts(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "system.pem"))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    with serving(Server(), tls=tls(authority, "127.0.0.1")) as server:
        assert transport(server.url, KEY).post(gzipped(b'{"timestamp":"t"}')).status == 200
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setattr(
        sender, "AUTHORITIES", (str(tmp_path / "none.pem"), str(tmp_path / "system.pem"))
    )
    if ssl.get_default_verify_paths().cafile is None:
        with serving(Server(), tls=tls(authority, "127.0.0.1")) as server:
            assert transport(server.url, KEY).post(gzipped(b'{"timestamp":"t"}')).status == 200


@given(st.binary(max_size=5000))
def test_what_is_packed_is_what_was_given_and_always_the_same_bytes(body: bytes) -> None:
    assert gzip.decompress(gzipped(body)) == body
    assert gzipped(body) == gzipped(body)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("999999", 3600.0),
        ("", None),
        ("soon", None),
        (formatdate(1_000_030, usegmt=True), 30.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(header: str, seconds: float | None) -> None:
    assert retry_after_seconds(header, now=1_000_000.0) == seconds


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_pause_is_between_one_and_sixty_seconds(attempt: int, chance: float) -> None:
    pause = full_jitter(attempt, lambda low, high: low + chance * (high - low))
    assert 1.0 <= pause <= 60.0


@given(st.binary(max_size=200))
def test_any_body_of_an_answer_is_read_without_an_error(body: bytes) -> None:
    assert isinstance(Answer(200, body).fields(), dict)
