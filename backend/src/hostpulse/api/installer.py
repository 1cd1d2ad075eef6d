"""/install.sh and /agent/<file>: the agent, and the script that installs it, from this server."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from hostpulse.access.principal import Need
from hostpulse.api.answers import BadRequest
from hostpulse.api.asking import asked_address, needing
from hostpulse.config import Config
from hostpulse.parts import Parts

_PACKAGE = Path(__file__).resolve().parent.parent
_BUILT = _PACKAGE / "agent"
_SOURCES = _PACKAGE.parents[2] / "agent"
_SCRIPT = Path(__file__).resolve().parent / "templates" / "install.sh"
_BUILD_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Wheel:
    """The agent in one file."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash that the script compares."""
        return hashlib.sha256(self.content).hexdigest()


class Agent:
    """The agent's wheel: a part of this package, or made of the checkout's sources when asked."""

    def __init__(self, built: Path, sources: Path) -> None:
        self._built = built
        self._sources = sources
        self._lock = Lock()
        self._stamp: tuple[int, int] | None = None
        self._wheel: Wheel | None = None

    def wheel(self) -> Wheel:
        """Return the wheel; raises BadRequest where there is none."""
        with self._lock:
            found = next(self._built.glob("*.whl"), None)
            if found is not None:
                return self._read(found)
            if not (self._sources / "pyproject.toml").is_file():
                raise BadRequest(
                    404,
                    "This server was installed without the agent's wheel; install the hostpulse "
                    "wheel, or the agent by itself as docs/agent.md says.",
                )
            return self._made()

    def _read(self, file: Path) -> Wheel:
        if self._wheel is None:
            self._wheel = Wheel(file.name, file.read_bytes())
        return self._wheel

    def _made(self) -> Wheel:
        files = [file for file in (self._sources / "src").rglob("*") if file.is_file()]
        stamp = len(files), max(file.stat().st_mtime_ns for file in files)
        if self._wheel is None or stamp != self._stamp:
            self._wheel, self._stamp = _make(self._sources), stamp
        return self._wheel


def _make(sources: Path) -> Wheel:
    with tempfile.TemporaryDirectory(prefix="hostpulse-agent-") as folder:
        line = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        made = subprocess.run(
            line, cwd=sources, capture_output=True, check=False, timeout=_BUILD_SECONDS
        )
        file = next(Path(folder).glob("*.whl"), None)
        if made.returncode or file is None:
            raise BadRequest(
                404, "The agent's wheel cannot be made in this checkout; run `make setup` there."
            )
        return Wheel(file.name, file.read_bytes())


def installer_blueprint(parts: Parts) -> Blueprint:
    """Return the routes of the agent's file and its script."""
    pages = Blueprint("installer", __name__)
    views = _Views(parts.config)
    pages.get("/install.sh")(views.show_script)
    pages.get("/agent/<name>")(views.show_wheel)
    return pages


class _Views:
    """Each view is one method."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._agent = Agent(_BUILT, _SOURCES)

    @needing(Need.OPEN)
    def show_script(self) -> Response:
        wheel = self._agent.wheel()
        text = _SCRIPT.read_text("utf-8")
        embedded = {
            "@URL@": asked_address(self._config),
            "@WHEEL@": wheel.name,
            "@SHA256@": wheel.sha256,
        }
        for word, value in embedded.items():
            text = text.replace(word, shlex.quote(value))
        return _uncached(text.encode(), "text/x-shellscript; charset=utf-8")

    @needing(Need.OPEN)
    def show_wheel(self, name: str) -> Response:
        wheel = self._agent.wheel()
        if name != wheel.name:
            raise NotFound
        return _uncached(wheel.content, "application/octet-stream")


def _uncached(body: bytes, kind: str) -> Response:
    response = Response(body, content_type=kind)
    response.headers["Cache-Control"] = "no-store"
    return response
