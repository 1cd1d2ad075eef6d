"""A backend that answers before it has written: what the kill loop must catch.

Usage: naive_backend.py PORT FILE
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.out.write(body + b"\n")  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(port: int, file: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    with file.open("ab") as server.out:  # type: ignore[attr-defined]
        server.serve_forever()


def read(file: Path) -> dict[str, list[tuple[int, float]]]:
    """Return what can be read of the file; a torn line is nothing."""
    from datetime import datetime

    kept: dict[str, list[tuple[int, float]]] = {}
    for line in file.read_bytes().split(b"\n"):
        try:
            report = json.loads(line)
        except ValueError:
            continue
        time_ms = round(datetime.fromisoformat(report["timestamp"]).timestamp() * 1000)
        kept.setdefault(report["hostname"], []).append((time_ms, report["custom"]["load"]))
    return kept


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
