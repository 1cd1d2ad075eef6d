"""Shows what leaves this machine: the bytes of one post, and every file that was read for it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from hostpulse_agent.sender import PATH, gzipped, headers

HIDDEN_KEY = "(the key, not shown)"


def audit_text(server: str, has_key: bool, body: bytes, touched: Iterable[str]) -> str:
    """Return the request as it would be sent, and the files behind it."""
    packed = gzipped(body)
    # Unpacked again, so that what is shown is what the packed bytes hold.
    shown = zlib.decompress(packed, 31).decode("ascii")
    lines = [f"POST {server}{PATH}"]
    lines += [
        f"{name}: {value}" for name, value in headers(HIDDEN_KEY if has_key else None).items()
    ]
    lines += [f"Content-Length: {len(packed)}", "", shown, ""]
    lines += [f"# {len(body)} bytes, {len(packed)} as gzip. Files and directories asked for:"]
    lines += sorted(touched)
    return "\n".join(lines)
