"""A machine with only Python, pip and make gets working commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.build import checkout

pytestmark = pytest.mark.timeout(600)

ENVIRONMENT_KEPT = ("CURL_CA_BUNDLE", "HTTPS_PROXY", "NODE_EXTRA_CA_CERTS", "NO_PROXY")
ENVIRONMENT_KEPT_PREFIXES = ("PIP_", "SSL_", "npm_config_", "NPM_CONFIG_")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with neither Node.js nor ensurepip."""
    no_ensurepip = tmp_path / "no-ensurepip/ensurepip"
    no_ensurepip.mkdir(parents=True)
    (no_ensurepip / "__init__.py").write_text("raise ImportError('not on this machine')\n")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ENVIRONMENT_KEPT or name.startswith(ENVIRONMENT_KEPT_PREFIXES)
    }
    path = checkout.path_without_node(tmp_path / "bin")
    assert shutil.which("npm", path=path) is None
    home = tmp_path / "home"
    home.mkdir()
    return {**kept, "HOME": str(home), "PATH": path, "PYTHONPATH": str(no_ensurepip.parent)}


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def assert_both_commands_work(folder: Path, environment: dict[str, str]) -> None:
    for command in ("hostpulse", "hostpulse-agent"):
        assert "usage" in run([str(folder / command), "--help"], Path("/"), environment).lower()


def base_python() -> str:
    """The interpreter that this virtual environment was made with: it has pip."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")


def test_make_setup_leaves_both_commands_and_then_has_nothing_to_do(
    tmp_path: Path, bare: dict[str, str]
) -> None:
    clone = checkout.copy_to(tmp_path / "clone")
    setup = ["make", "setup", f"PYTHON={base_python()}"]
    run(setup, clone, bare)
    assert_both_commands_work(clone / ".venv/bin", bare)
    assert (clone / "dashboard/vendor/chart.js").is_file()
    assert "Nothing to be done" in run(setup, clone, bare)


def test_pip_install_of_both_folders_gives_working_commands(
    tmp_path: Path, bare: dict[str, str]
) -> None:
    clone = checkout.copy_to(tmp_path / "clone")
    run([base_python(), "-m", "venv", "--without-pip", str(tmp_path / "venv")], clone, bare)
    python = str(tmp_path / "venv/bin/python")
    pip = [base_python(), "-m", "pip", "--python", python]
    run([*pip, "install", "./agent", "./backend"], clone, bare)
    assert_both_commands_work(tmp_path / "venv/bin", bare)
    held = "import importlib.resources as r; print(r.files('hostpulse') / 'dashboard')"
    dashboard = Path(run([python, "-c", held], Path("/"), bare).strip())
    assert (dashboard / "index.html").is_file()
    assert dashboard.is_relative_to(tmp_path / "venv")
