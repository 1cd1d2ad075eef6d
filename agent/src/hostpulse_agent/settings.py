"""The table of settings: each one's name, default, check and help."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable
from urllib.parse import urlsplit

ENVIRONMENT_PREFIX = "HOSTPULSE_AGENT_"
MAX_HOSTNAME_CHARACTERS = 253
MAX_TAGS = 50
MAX_TAG_CHARACTERS = 64


def _text(value: str) -> str:
    return value.strip()


def _absolute(value: str) -> str:
    # It is used from another directory than the one it was given in.
    return str(Path(value.strip()).absolute()) if value.strip() else ""


def _spool(value: str) -> str:
    return "off" if value.strip() == "off" else _absolute(value)


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return int(number) if number == int(number) else number

    return parse


def _flag(value: str) -> bool:
    word = value.strip().lower()
    if word in ("1", "yes", "true", "on"):
        return True
    if word in ("0", "no", "false", "off", ""):
        return False
    raise ValueError("must be yes or no")


def _server(value: str) -> str:
    url = value.strip().rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address like https://monitor.example.com")
    if not url.isprintable() or " " in url:
        raise ValueError("must hold no spaces")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold neither a name and password nor a query")
    return url


def is_same_server(one: str, other: str) -> bool:
    """Tell whether two addresses, as somebody wrote them, are the same."""
    return one.strip().rstrip("/") == other.strip().rstrip("/")


def hostname(value: str) -> str:
    name = value.strip()
    if not name or len(name) > MAX_HOSTNAME_CHARACTERS or not name.isprintable():
        raise ValueError(f"must be 1 to {MAX_HOSTNAME_CHARACTERS} printable characters")
    return name


def _tags(value: str) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(tag for tag in re.split(r"[,\s]+", value) if tag))
    if len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG_CHARACTERS for tag in tags):
        raise ValueError(f"must be at most {MAX_TAGS} words of {MAX_TAG_CHARACTERS} characters")
    if not all(tag.isprintable() for tag in tags):
        raise ValueError("must be printable words, separated by commas")
    return tags


def is_loopback(host: str) -> bool:
    """Tell whether a host of an address is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Setting:
    """One setting; the flag, the variable and the INI key follow from its name."""

    name: str
    default: str
    parse: Callable[[str], Any]
    metavar: str
    help: str

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting("server", "http://127.0.0.1:5000", _server, "URL", "where reports are sent"),
    Setting("interval", "5", _number(1, 300), "SECONDS", "time between two reports, 1 to 300"),
    Setting("key_file", "", _absolute, "FILE", "file that holds the key of this agent"),
    Setting("ca_file", "", _absolute, "FILE", "certificates to trust instead of the system's own"),
    Setting(
        "allow_plaintext", "no", _flag, "YES|NO",
        "send the key over http:// to another machine, readable for all between",
    ),
    Setting("timeout", "10", _number(1, 60), "SECONDS", "how long to wait for an answer"),
    Setting(
        "spool", "", _spool, "DIR",
        "directory that keeps reports while the server is away, or `off` "
        "(default: $STATE_DIRECTORY, else ~/.local/state/hostpulse-agent)",
    ),
    Setting("spool_mib", "64", _number(1, 65536), "MIB", "size of the spool at most"),
    Setting("spool_hours", "24", _number(0.1, 8760), "HOURS", "age of a spooled report at most"),
    Setting("hostname", "", _text, "NAME", "name of this server (default: its own)"),
    Setting("tags", "", _tags, "TAGS", "words or key:value, separated by commas"),
    Setting(
        "custom_file", "", _absolute, "FILE",
        "Python file with a function get_custom_metrics() that returns numbers by name",
    ),
    Setting(
        "custom_dir", "", _absolute, "DIR",
        "directory of .prom and .json files and of programs that print such text",
    ),
    Setting("root", "/", _absolute, "DIR", "where the machine's files are seen, e.g. /host"),
)  # fmt: skip
