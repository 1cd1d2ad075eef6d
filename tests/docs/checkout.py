"""The examples of docs/extending.md, carried out on a copy of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COPIED = ("agent/src", "backend/src", "dashboard", "tests/conformance")
LEFT_OUT = shutil.ignore_patterns("node_modules", "dist", "__pycache__", "*.egg-info")


@dataclass(frozen=True)
class Example:
    """A block of code of a page; `name` is the file it stands for, or ''."""

    language: str
    name: str
    text: str


def examples(page: str) -> list[Example]:
    """Return the code blocks of a page of docs/."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return [Example(*(part or "" for part in found)) for found in FENCE.findall(text)]


def apply(diff: str, root: Path) -> None:
    """Change one file as a diff says; its lines must be there exactly once."""
    head, _, body = diff.partition("\n")
    path = root / head.removeprefix("--- ")
    lines = [(line[:1], line[1:] + "\n") for line in body.splitlines()]
    old = "".join(text for sign, text in lines if sign != "+")
    new = "".join(text for sign, text in lines if sign != "-")
    content = path.read_text("utf-8")
    assert content.count(old) == 1, f"{path.name} does not hold these lines once:\n{old}"
    path.write_text(content.replace(old, new), "utf-8")


class Checkout:
    """A copy of the sources, with the examples in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in COPIED:
            shutil.copytree(ROOT / folder, root / folder, ignore=LEFT_OUT)
        for shared in (ROOT / "tests").glob("*.py"):
            shutil.copy(shared, root / "tests")
        for example in examples("extending.md"):
            if example.language == "diff":
                apply(example.text, root)
            elif example.name:
                self._write(example)

    def _write(self, example: Example) -> None:
        path = self.root / example.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, "utf-8")
        if example.text.startswith("#!"):
            path.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables with which Python finds the copies first, and keeps data there."""
        paths = [str(self.root / part) for part in ("agent/src", "backend/src")]
        own = {"PYTHONPATH": os.pathsep.join(paths), "HOSTPULSE_DATA_DIR": str(self.root / "data")}
        return {**os.environ, **own}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Python of the tests with the copies."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        """Run it to its end, which must be a good one; return what it printed."""
        with self.start(*arguments) as process:
            printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0, printed
        return printed
