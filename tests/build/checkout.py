"""Copies what git would clone of this checkout, and builds distributions from a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked_files() -> list[Path]:
    """Names every file of the checkout that git has or would take, relative to its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = sorted(filter(None, listed.split("\0")))
    return [Path(name) for name in names if (ROOT / name).is_file()]


def copy_to(folder: Path) -> Path:
    """Copies the tracked files, as a clone would hold them."""
    for path in tracked_files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)
    return folder


def lend_node_modules(dashboard: Path) -> None:
    """Saves a download: gives a copied dashboard the packages that this checkout has by lock."""
    shutil.copytree(ROOT / "dashboard/node_modules", dashboard / "node_modules", symlinks=True)
    (dashboard / "node_modules/.package-lock.json").touch()


def build(distribution: Path, kind: str, out: Path) -> Path:
    """Builds `wheel` or `sdist` of a distribution and gives the file."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(out)]
    # Where the machine has no Node.js, `make setup` put it beside this Python.
    path = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
    done = subprocess.run(
        [*command, str(distribution)],
        check=False,
        capture_output=True,
        env={**os.environ, "PATH": path},
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def unpack(sdist: Path, out: Path) -> Path:
    """Unpacks an sdist and gives its one folder."""
    out.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-m", "tarfile", "-e", str(sdist), str(out)], check=True)
    return next(out.iterdir())


def path_without_node(folder: Path) -> str:
    """Makes a PATH that has everything of this machine's but Node.js."""
    folder.mkdir()
    hidden = {"node", "nodejs", "npm", "npx", "corepack"}
    for place in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / program.name
            if program.name not in hidden and not os.path.lexists(link):
                link.symlink_to(program)
    return str(folder)
