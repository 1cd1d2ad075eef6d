"""Backends that keep samples carelessly: what the kill loop must catch.

Usage: naive_backend.py FAULT PORT FILE
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import IO

PAUSE_SECONDS = 0.005  # in which a kill is likely


def answer_early(out: IO[bytes], line: bytes) -> None:
    """Answer while the line is in memory still."""
    out.write(line)


def know_none_again(out: IO[bytes], line: bytes) -> None:
    """Keep the line before the answer, whether it is there already or not."""
    out.write(line)
    out.flush()
    time.sleep(PAUSE_SECONDS)


def write_by_halves(out: IO[bytes], line: bytes) -> None:
    """Write the last digit of the value apart; what has none looks whole, too."""
    out.write(b"\n" + line[:-4])
    out.flush()
    time.sleep(PAUSE_SECONDS)
    out.write(line[-4:])
    out.flush()


FAULTS: dict[str, Callable[[IO[bytes], bytes], None]] = {
    "lost": answer_early,
    "doubled": know_none_again,
    "wrong": write_by_halves,
}
"""How to write a line, by what the kill loop finds then."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time_ms = round(datetime.fromisoformat(report["timestamp"]).timestamp() * 1000)
        line = f"{report['hostname']} {time_ms} {report['custom']['load']}\n".encode()
        self.server.keep(line)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(fault: str, port: int, file: Path) -> None:
    server, turn = ThreadingHTTPServer(("127.0.0.1", port), Handler), Lock()
    with file.open("ab") as out:

        def keep(line: bytes) -> None:
            with turn:
                FAULTS[fault](out, line)

        server.keep = keep  # type: ignore[attr-defined]
        server.serve_forever()


def read(file: Path) -> dict[str, list[tuple[int, float]]]:
    """Return what can be read of the file; a line that is torn for all to see is nothing."""
    kept: dict[str, list[tuple[int, float]]] = {}
    for line in file.read_text().splitlines():
        try:
            hostname, time_ms, value = line.split(" ")
            kept.setdefault(hostname, []).append((int(time_ms), float(value)))
        except ValueError:
            continue
    return kept


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
