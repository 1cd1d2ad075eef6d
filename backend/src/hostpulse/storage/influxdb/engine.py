"""HTTP to the engine: writes and queries, and in words what went wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import urllib3

from hostpulse.storage import DiskFull, StorageError
from hostpulse.storage.influxdb.address import Address

CONNECT_SECONDS = 2.0
WRITE_SECONDS = 5.0  # the posts that wait for it are sent away then
READ_SECONDS = 20.0
UPKEEP_SECONDS = 300.0
CHECK_SECONDS = 1.0
_CONNECTIONS = 16
_LONGEST_REASON = 200
_MISSING = re.compile("(database|retention policy) not found|not found: (database|dbrp)")
_NOT_EXECUTED = "not executed"
_DROPPED = re.compile(r"dropped=(\d+)")


class NotThere(StorageError):
    """The database or one of its retention policies does not exist."""


class Series(msgspec.Struct, gc=False):
    """Rows of one measurement and one set of tags; the first column is the time."""

    columns: list[str]
    values: list[list[float | str | None]] = []
    name: str = ""
    tags: dict[str, str] = {}

    @property
    def rows(self) -> list[list[Any]]:
        """The values row by row: text, or a float even where it is whole; None where is none."""
        return self.values


class _Result(msgspec.Struct):
    series: list[Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str = ""
    message: str = ""


class Refused(msgspec.Struct, frozen=True):
    """Points that the engine will never take, and why; the rest of the write is kept."""

    points: int
    reason: str


class Engine:
    """One engine over kept connections; may be used by many threads."""

    def __init__(self, address: Address) -> None:
        self.shown = address.shown
        headers = {"Accept": "application/json"}
        if address.user or address.password:
            login = f"{address.user}:{address.password}"
            headers |= urllib3.make_headers(basic_auth=login.encode().decode("latin-1"))
        kind = urllib3.HTTPSConnectionPool if address.is_tls else urllib3.HTTPConnectionPool
        self._pool = kind(
            address.host, address.port, maxsize=_CONNECTIONS, headers=headers, retries=False
        )

    def write(self, database: str, policy: str, lines: bytes) -> Refused | None:
        """Write lines with times in ms; what was returned as refused is not worth another try."""
        path = f"/write?db={quote(database)}&rp={policy}&precision=ms"
        status, body = self._post(path, lines, "text/plain", WRITE_SECONDS)
        if status in {200, 204}:
            return None
        reason = _reason(body)
        if status in {400, 422} and ("partial write" in reason or "unable to parse" in reason):
            dropped = _DROPPED.search(reason)
            return Refused(max(int(dropped[1]) if dropped else 1, 1), _short(reason))
        raise self._failure(status, reason)

    def query(
        self, statements: Sequence[str], database: str = "", seconds: float = READ_SECONDS
    ) -> list[list[Series]]:
        """Run InfluxQL; return the series of each statement, with times in ms."""
        path = f"/query?epoch=ms&db={quote(database)}"
        form = urlencode({"q": ";".join(statements)}).encode()
        status, body = self._post(path, form, "application/x-www-form-urlencoded", seconds)
        if status != 200:
            raise self._failure(status, _reason(body))
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.DecodeError:
            raise StorageError(f"{self.shown} does not answer like InfluxDB.") from None
        for result in answer.results:
            if result.error == _NOT_EXECUTED and len(statements) > 1:  # it keeps the reason back
                return [self.query([one], database, seconds)[0] for one in statements]
            if result.error:
                raise self._failure(status, result.error)
        if len(answer.results) != len(statements):
            raise StorageError(f"{self.shown} left a question unanswered; its log may say why.")
        return [result.series for result in answer.results]

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _post(self, path: str, body: bytes, kind: str, seconds: float) -> tuple[int, bytes]:
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, seconds), read=seconds)
        headers = {**self._pool.headers, "Content-Type": kind}
        try:
            answer = self._pool.urlopen("POST", path, body, headers, timeout=timeout)
        except urllib3.exceptions.ReadTimeoutError:
            raise StorageError(f"{self.shown} did not answer within {seconds:.0f} s.") from None
        except urllib3.exceptions.SSLError as error:
            reason = _short(str(error))
            raise StorageError(f"{self.shown} cannot be trusted with TLS: {reason}") from None
        except urllib3.exceptions.ProtocolError:
            raise StorageError(
                f"{self.shown} ended the connection without an answer of InfluxDB; look what runs "
                "there, or correct `storage`."
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            reason = type(error).__name__
            raise StorageError(
                f"{self.shown} cannot be reached ({reason}); start it, or correct `storage`."
            ) from None
        return answer.status, answer.data

    def _failure(self, status: int, reason: str) -> StorageError:
        short = _short(reason)
        if _MISSING.search(reason):
            return NotThere(f"{self.shown}: {short}")
        if "no space left on device" in reason:
            return DiskFull(f"{self.shown} has no room left on its disk; make some there.")
        if status in {401, 403} or "not authorized" in reason or "authoriz" in reason:
            return StorageError(
                f"{self.shown} refuses the user or the password of `storage`, or gives that user"
                f" too few rights: {short}"
            )
        return StorageError(f"{self.shown} refuses ({status}): {short}; its log may say why.")


def _reason(body: bytes) -> str:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace")
    return answer.error or answer.message


def _short(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
