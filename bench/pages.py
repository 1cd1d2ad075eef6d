"""What the pages of the wheel weigh and how many requests they take."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from process import SCRIPTS, BenchError
from table import Result, table

_DASHBOARD = Path(__file__).parents[1] / "dashboard"
_LEVEL = 5  # what the server uses


def measure() -> Result:
    """Build what the wheel holds of the dashboard and weigh it."""
    result = Result("Pages: requests and weight before the first data")
    with tempfile.TemporaryDirectory(prefix="hostpulse-bench-") as folder:
        bundled = Path(folder) / "dashboard"
        _bundle(bundled)
        first = _loaded_at_once(bundled)
        charts = sorted(bundled.glob("charts-*.js"))
        rows = [_weigh("Servers page", first), _weigh("Server page", first + charts)]
    head = [
        "",
        "requests",
        "JS kB gzip",
        "CSS kB gzip",
        "HTML kB gzip",
        "all kB gzip",
        "all kB plain",
    ]
    result.parts.append(table(head, rows))
    return result


def _bundle(folder: Path) -> None:
    path = os.pathsep.join([os.environ.get("PATH", ""), str(SCRIPTS)])
    node = shutil.which("node", path=path)
    if node is None or not (_DASHBOARD / "node_modules").is_dir():
        raise BenchError("The dashboard cannot be built: say make setup, then make bench again.")
    command = [node, "build.mjs", "bundle", str(folder)]
    done = subprocess.run(command, cwd=_DASHBOARD, check=False, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"The dashboard could not be built:\n{done.stderr}")


def _loaded_at_once(bundled: Path) -> list[Path]:
    """Name the page and the scripts and styles it loads, one request each."""
    page = bundled / "index.html"
    named = re.findall(r'(?:src|href)="/static/([^"]+)"', page.read_text())
    return [page, *(bundled / name for name in dict.fromkeys(named))]


def _weigh(name: str, files: list[Path]) -> list[str]:
    zipped = {file: len(gzip.compress(file.read_bytes(), _LEVEL, mtime=0)) for file in files}
    kinds = [
        sum(size for file, size in zipped.items() if file.suffix == kind)
        for kind in (".js", ".css", ".html")
    ]
    plain = sum(file.stat().st_size for file in files)
    return [
        name,
        str(len(files)),
        *(f"{size / 1e3:.1f}" for size in (*kinds, sum(zipped.values()), plain)),
    ]
