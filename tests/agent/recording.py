"""Plays a recorded machine: its files at two moments, its file systems, its addresses."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

from hostpulse_agent.deadline import Deadline
from hostpulse_agent.host import FileSystem, Host
from hostpulse_agent.proc import Tree

RECORDINGS = Path(__file__).parent / "recordings"
NAMES = sorted(path.name for path in RECORDINGS.iterdir())
SECONDS_BETWEEN = 10.0


class QuickDeadline(Deadline):
    """Waits a tenth of a second, so that a test with a dead mount is short."""

    def run(self, calls: Any, seconds: float = 0.1) -> dict[str, object]:
        return super().run(calls, 0.1)


class Machine:
    """A recording laid out in a directory; `advance` brings its second moment."""

    def __init__(self, name: str, place: Path) -> None:
        self._source = RECORDINGS / name
        self._place = place / name
        self._seconds = 100.0
        self.released = threading.Event()
        self._systems: dict[str, Any] = json.loads(
            (self._source / "file_systems.json").read_text("utf-8")
        )
        shutil.copytree(self._source / "first", self._place)
        self.host = Host(
            Tree(str(self._place)),
            monotonic=lambda: self._seconds,
            file_system=self._file_system,
            addresses=lambda: json.loads((self._source / "addresses.json").read_text("utf-8")),
            architecture="x86_64",
            page_bytes=4096,
            deadline=QuickDeadline(),
        )

    def advance(self) -> None:
        second = self._source / "second"
        for path in second.rglob("*"):
            if path.is_file():
                shutil.copy(path, self._place / path.relative_to(second))
        self._seconds += SECONDS_BETWEEN

    def _file_system(self, path: bytes) -> FileSystem:
        point = path[len(os.fsencode(self._place)) :].decode("utf-8", "backslashreplace")
        answer = self._systems.get(point)
        if answer is None:
            raise FileNotFoundError(2, "No such file or directory")
        if answer == "hangs":
            self.released.wait()
            raise OSError(5, "Input/output error")
        if answer == "stale":
            raise OSError(116, "Stale file handle")
        major, minor = answer.pop("device", (None, None))
        if major is not None:
            answer["number"] = os.makedev(major, minor)
        return FileSystem(
            device=answer["number"],
            **{name: value for name, value in answer.items() if name != "number"},
        )
