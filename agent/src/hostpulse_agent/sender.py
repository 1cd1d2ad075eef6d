"""Posts reports to the server: the only file that knows HTTP."""

from __future__ import annotations

import json
import os
import random
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Callable
from urllib.parse import urlsplit

from hostpulse_agent import __version__
from hostpulse_agent.key import without_keys
from hostpulse_agent.settings import is_loopback

PATH = "/api/metrics"
GZIP_LEVEL = 6
# A window of 4 KB is made faster than it is missed in a body of a few.
SMALL_BYTES = 16384
SMALL_WINDOW, FULL_WINDOW = 16 + 12, 16 + 15
SMALL_MEMORY, FULL_MEMORY = 6, 8
MAX_ANSWER_BYTES = 65536
STATUS = re.compile(r"HTTP/1\.1 ([2-5]\d\d)(?: |$)")
LENGTH = re.compile(r"[0-9]{1,4}")
MAX_RETRY_AFTER_SECONDS = 3600.0
MAX_SAID_CHARACTERS = 300
AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # Alpine
)


class Unreachable(Exception):
    """No answer came back; the text says why in one sentence."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes = b""
    retry_after: str = ""

    def fields(self) -> dict[str, object]:
        """Return the JSON object in the body; empty when it holds none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def said(self) -> str:
        """Return in the server's own words why it refuses."""
        error = self.fields().get("error")
        if isinstance(error, str) and error:
            return one_line(error)
        if 300 <= self.status < 400:
            return "it points to another address, and that is not followed"
        return "no answer of Hostpulse"


def one_line(text: str) -> str:
    """Return somebody else's text as one printable line of bearable length without a key."""
    line = "".join(one if one.isprintable() else " " for one in text)
    return without_keys(line)[:MAX_SAID_CHARACTERS]


def gzipped(body: bytes) -> bytes:
    """Compress for `Content-Encoding: gzip`; the same bytes give the same result."""
    is_small = len(body) <= SMALL_BYTES
    window = SMALL_WINDOW if is_small else FULL_WINDOW
    memory = SMALL_MEMORY if is_small else FULL_MEMORY
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, window, memory)
    return packer.compress(body) + packer.flush()


def body_of(reports: Sequence[bytes]) -> bytes:
    """Join reports to what is posted: one alone, several as an array."""
    return reports[0] if len(reports) == 1 else b"[" + b",".join(reports) + b"]"


def retry_after_seconds(header: str, now: float) -> float | None:
    """Read a Retry-After header, a number of seconds or a date; None when it is neither."""
    try:
        seconds = float(int(header))
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - now
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


class Transport:
    """One kept connection to one server.

    Certificates are always checked, redirects are not followed, and the key goes to the given
    server and nowhere else. requests finds the proxy and the certificates, once, and urllib3
    opens the connection; either's way to post costs a good part of collecting the whole report.
    """

    def __init__(
        self, server: str, read_key: Callable[[], str | None], ca_file: str, timeout: float
    ) -> None:
        # Loaded here, because --print has no need of it: 10 MB and 0.1 s.
        from urllib3.exceptions import HTTPError, ProtocolError

        self._broken, self._failed = ProtocolError, (HTTPError, OSError)
        self._timeout = _patience(timeout)
        self._read_key = read_key
        self._key = read_key()
        self._headers = headers(self._key)
        self._pool, self._target = _pool(server + PATH, ca_file)
        self._kept: _KeptConnection | None = None

    def post(self, body: bytes) -> Answer:
        """Send one gzip body and return the answer; raise Unreachable when none came."""
        if self.has_new_key():
            self._key = self._read_key()
            self._headers = headers(self._key)
            self._kept = None
        try:
            try:
                return self._exchange(body)
            except (self._broken, ConnectionError):
                # The server let the kept connection go at this very moment; a report that arrives
                # twice changes nothing there.
                return self._exchange(body)
        except self._failed as error:
            raise Unreachable(reason(error)) from None

    def has_new_key(self) -> bool:
        """Tell whether the key is another one than that of the last post."""
        return self._read_key() != self._key

    def _exchange(self, body: bytes) -> Answer:
        kept, self._kept = self._kept, None
        if kept is None or kept.is_dropped():
            return self._exchange_by_pool(body)
        answer = kept.exchange(body)
        self._kept = kept
        return answer

    def _exchange_by_pool(self, body: bytes) -> Answer:
        """Post by urllib3, on a new connection if there is none, and learn how it is answered."""
        response = _opened(self._pool, self._target, body, self._headers, self._timeout)
        connection = response.connection
        content = response.read(MAX_ANSWER_BYTES + 1)
        if len(content) > MAX_ANSWER_BYTES:
            response.close()
        else:
            response.release_conn()
            if self._pool.proxy is None and _is_plain(response.version, response.headers):
                self._kept = _KeptConnection(connection, self._target, self._headers)
        return Answer(response.status, content, response.headers.get("Retry-After", ""))


def ask(url: str, key: str, content: Mapping[str, str], ca_file: str, timeout: float) -> Answer:
    """Post one question as JSON under the same rules as reports; raise Unreachable."""
    from urllib3.exceptions import HTTPError

    pool, target = _pool(url, ca_file)
    fields = headers(key)
    del fields["Content-Encoding"]
    try:
        response = _opened(pool, target, json.dumps(content).encode(), fields, _patience(timeout))
        content_read = response.read(MAX_ANSWER_BYTES)
    except (HTTPError, OSError) as error:
        raise Unreachable(reason(error)) from None
    finally:
        pool.close()
    return Answer(response.status, content_read)


def _patience(timeout: float) -> Any:
    from urllib3 import Timeout

    return Timeout(connect=min(timeout, 5.0), read=timeout)


def _opened(pool: Any, target: str, body: bytes, fields: Mapping[str, str], timeout: Any) -> Any:
    """Post by urllib3 and return its response, of which the head is read."""
    return pool.urlopen(
        "POST",
        target,
        body=body,
        headers=fields,
        redirect=False,
        retries=False,
        assert_same_host=False,
        preload_content=False,
        timeout=timeout,
    )


def _is_plain(version: int, fields: Mapping[str, str]) -> bool:
    """Tell whether an answer says its length in advance and leaves the connection open."""
    return (
        version == 11
        and "Content-Length" in fields
        and "Transfer-Encoding" not in fields
        and fields.get("Connection", "").lower() != "close"
    )


class _KeptConnection:
    """A connection that urllib3 has opened and checked, to a server whose answers are plain.

    Everything out of the ordinary is a ConnectionError and closes it: urllib3 opens the next one.
    """

    def __init__(self, connection: Any, target: str, fields: Mapping[str, str]) -> None:
        from urllib3.util import is_connection_dropped

        self._is_dropped = is_connection_dropped
        host, port = connection.host.partition("%")[0], connection.port
        host = f"[{host}]" if ":" in host else host
        host = host if port == connection.default_port else f"{host}:{port}"
        lines = [f"POST {target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        self._head = "\r\n".join([*lines, "Content-Length: "]).encode("ascii")
        self._connection = connection

    def is_dropped(self) -> bool:
        """Tell whether the server has closed it, or has said something unasked."""
        return self._is_dropped(self._connection)

    def exchange(self, body: bytes) -> Answer:
        """Send one body and return the answer; an OSError closes the connection."""
        try:
            self._connection.sock.sendall(self._head + b"%d\r\n\r\n" % len(body) + body)
            return self._answer()
        except OSError:
            self._connection.close()
            raise

    def _answer(self) -> Answer:
        head, content = self._until_head()
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields[name.title()] = value.strip()
        status = STATUS.match(first)
        length = fields.get("Content-Length", "")
        if not (status and _is_plain(11, fields) and LENGTH.fullmatch(length)):
            raise ConnectionError("the answer is none of the plain ones")
        while len(content) < int(length):
            content += self._some()
        if len(content) > int(length):
            raise ConnectionError("the answer is longer than it says")
        return Answer(int(status[1]), content, fields.get("Retry-After", ""))

    def _until_head(self) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received and len(received) < MAX_ANSWER_BYTES:
            received += self._some()
        head, _, content = received.partition(b"\r\n\r\n")
        return head, content

    def _some(self) -> bytes:
        found: bytes = self._connection.sock.recv(MAX_ANSWER_BYTES)
        if not found:
            raise ConnectionResetError("the server closed the connection")
        return found


def _system_authorities() -> str:
    """Return the file of certificates that this machine trusts; requests would bring its own."""
    import ssl

    own = ssl.get_default_verify_paths().cafile  # SSL_CERT_FILE, if that is set
    return next((path for path in (own, *AUTHORITIES) if path and os.access(path, os.R_OK)), "")


def _pool(url: str, ca_file: str) -> tuple[Any, str]:
    """Return what holds the connection, and what to ask it for: a proxy wants the whole address."""
    import requests
    from requests.adapters import HTTPAdapter

    settings = requests.Session().merge_environment_settings(url, {}, True, ca_file or True, None)
    # A proxy would look for loopback on its own machine.
    proxies = {} if is_loopback(urlsplit(url).hostname or "") else settings["proxies"]
    verify = settings["verify"]
    if verify is True or not verify:
        verify = _system_authorities() or True
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
    request = requests.PreparedRequest()
    request.prepare(method="POST", url=url)
    if hasattr(adapter, "get_connection_with_tls_context"):
        pool: Any = adapter.get_connection_with_tls_context(request, verify, proxies)
    else:  # before requests 2.32, as old Pythons have it
        pool = adapter.get_connection(request.url or url, proxies)
    adapter.cert_verify(pool, request.url or url, verify, None)  # type: ignore[no-untyped-call]
    return pool, adapter.request_url(request, proxies)


def headers(key: str | None) -> dict[str, str]:
    """Return the headers of a post; the key goes into Authorization."""
    found = {
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        "Accept-Encoding": "identity",
        "User-Agent": f"hostpulse-agent/{__version__}",
    }
    if key:
        found["Authorization"] = f"Bearer {key}"
    return found


def reason(error: BaseException) -> str:
    """Return the innermost cause of a failed request, which says most."""
    cause: BaseException | None = error
    while cause is not None:
        error = cause
        inner = getattr(cause, "reason", None)
        arguments = [one for one in cause.args if isinstance(one, BaseException)]
        cause = inner if isinstance(inner, BaseException) else arguments[0] if arguments else None
    return f"{type(error).__name__}: {error}"


def full_jitter(attempt: int, random_between: Callable[[float, float], float]) -> float:
    """Return how long to wait after the n-th failure in a row: 1 to at most 60 s, at random."""
    return random_between(1.0, min(60.0, 2.0 ** min(attempt, 6)))


def default_random(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - spreads load, guards nothing
