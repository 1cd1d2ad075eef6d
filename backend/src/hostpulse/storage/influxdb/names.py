"""Names of ours inside the engine: any text goes in, comes back, and means nothing else there."""

from __future__ import annotations

import re
from hashlib import sha256
from urllib.parse import unquote

# What ends or bends a name in line protocol or InfluxQL and cannot be escaped in both alike.
_UNSAFE = re.compile("[\x00-\x1f\x7f\"'%\\\\\ud800-\udfff]")
_SEPARATORS = re.compile("([,= ])")
_NOT_PLAIN = re.compile("[^a-z0-9-]")
_LONGEST_PLAIN = 120  # the engine makes a folder of the name of a database


def encode(text: str) -> str:
    """Return the text as tags, fields and InfluxQL may carry it between quotes."""
    return _UNSAFE.sub(lambda found: _hex(found, "%"), text)


def decode(text: str) -> str:
    """Return what was encoded."""
    return unquote(text, errors="surrogatepass")


def in_line(text: str) -> str:
    """Return the text as a tag or a field key of line protocol."""
    return _SEPARATORS.sub(r"\\\1", encode(text))


def quoted(text: str) -> str:
    """Return the text as an InfluxQL string."""
    return f"'{encode(text)}'"


def identifier(text: str) -> str:
    """Return the text as an InfluxQL identifier."""
    return f'"{encode(text)}"'


def database(prefix: str, tenant: str) -> str:
    """Return the name of a tenant's database; it also makes a folder on any file system."""
    plain = _NOT_PLAIN.sub(lambda found: _hex(found, "_"), tenant)
    if len(plain) > _LONGEST_PLAIN:
        plain = "_sha256_" + sha256(tenant.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix}_{plain}"


def _hex(found: re.Match[str], mark: str) -> str:
    return "".join(f"{mark}{byte:02x}" for byte in found[0].encode("utf-8", "surrogatepass"))
