"""The URL of the storage, taken apart; a refusal never repeats a part that may be a password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from hostpulse.storage import StorageError

_FORM = "influxdb://user:password@host:8086/prefix?tls=on"
_PREFIX = re.compile("[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the engine is, who we are there, and how the names of our databases begin."""

    host: str
    port: int = 8086
    is_tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    prefix: str = "hostpulse"

    @property
    def shown(self) -> str:
        """Host and port, as messages name the engine."""
        return f"InfluxDB at {self.host}:{self.port}"


def read_address(url: str) -> Address:
    """Take the URL apart; raises StorageError for one that is not understood."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 8086
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise _refusal("host, port or options cannot be read") from None
    if not host:
        raise _refusal("the host is missing")
    if parts.fragment:
        raise _refusal("there is a # in it")
    prefix = parts.path.strip("/") or "hostpulse"
    if not _PREFIX.fullmatch(prefix):
        raise _refusal("the prefix may have letters, digits and - only, 64 at most")
    if set(options) - {"tls"} or options.get("tls", "off") not in {"on", "off"}:
        raise _refusal("the only option is tls, on or off")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Address(host, port, options.get("tls") == "on", user, password, prefix)


def _refusal(reason: str) -> StorageError:
    return StorageError(
        f"storage: {reason}; it is written {_FORM}, with each of / ? # @ : % in the user or the"
        " password as its percent code (%2F %3F %23 %40 %3A %25)"
    )
