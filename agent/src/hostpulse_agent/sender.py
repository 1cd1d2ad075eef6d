"""Posts reports to the server: the only file that knows HTTP."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Callable

from hostpulse_agent import __version__

PATH = "/api/metrics"
GZIP_LEVEL = 1
MAX_ANSWER_BYTES = 65536
MAX_RETRY_AFTER_SECONDS = 3600.0


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


def gzipped(body: bytes) -> bytes:
    """Compress for `Content-Encoding: gzip`; the same bytes give the same result."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)
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
    server and nowhere else.
    """

    def __init__(
        self, server: str, read_key: Callable[[], str | None], ca_file: str, timeout: float
    ) -> None:
        # Loaded here, because --print has no need of it: 10 MB and 0.1 s.
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.exceptions import HTTPError

        self._requests = requests
        self._http_error = HTTPError
        self._url = server + PATH
        self._timeout = (min(timeout, 5.0), timeout)
        self._read_key = read_key
        self._key = read_key()
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        # Proxies and REQUESTS_CA_BUNDLE are looked up once, not for every report.
        settings = requests.Session().merge_environment_settings(
            self._url, {}, True, ca_file or True, None
        )
        self._proxies = settings["proxies"]
        self._verify = settings["verify"] or True

    def post(self, body: bytes) -> Answer:
        """Send one gzip body and return the answer; raise Unreachable when none came."""
        request = self._requests.PreparedRequest()
        request.prepare(method="POST", url=self._url, headers=headers(self._key), data=body)
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=self._timeout,
                verify=self._verify,
                proxies=self._proxies,
            )
            content = response.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
            if len(content) > MAX_ANSWER_BYTES:
                response.raw.close()
            else:
                response.raw.release_conn()
        except (self._requests.RequestException, OSError, self._http_error) as error:
            raise Unreachable(reason(error)) from None
        if response.status_code in (401, 403):
            self._key = self._read_key()  # it may have been replaced meanwhile
        return Answer(response.status_code, content, response.headers.get("Retry-After", ""))

    def close(self) -> None:
        self._adapter.close()


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
