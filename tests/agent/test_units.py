"""The units of systemd: right by systemd's own judgement, and closed as far as numbers allow."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

UNITS = Path(__file__).parents[2] / "deploy/systemd"
AGENT, SERVER = "hostpulse-agent.service", "hostpulse.service"
# What systemd calls 2.0 and less is "OK"; common exporters stand at 8 to 9 ("UNSAFE").
MOST_EXPOSED = 1.6


def settings(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text("utf-8").splitlines():
        name, separator, value = line.partition("=")
        if separator and not name.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", [AGENT, SERVER])
def test_systemd_finds_no_mistake_in_the_unit(
    unit: str, tmp_path: Path, needs_program: Callable[..., str]
) -> None:
    analyze = needs_program("systemd-analyze")
    text = re.sub(
        r"^ExecStart=\S+", f"ExecStart={sys.executable}", (UNITS / unit).read_text(), flags=re.M
    )
    assert sys.executable in text
    (tmp_path / unit).write_text(text)
    verified = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / unit)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    own = [line for line in verified.stderr.splitlines() if unit in line]
    assert own == []
    (tmp_path / unit).write_text(text + "\n[Service]\nNoSuchSetting=1\nProtectSystem=perhaps\n")
    spoiled = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / unit)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "NoSuchSetting" in spoiled.stderr


@pytest.mark.parametrize("unit", [AGENT, SERVER])
def test_systemd_s_own_score_of_the_unit_is_low(
    unit: str, needs_program: Callable[..., str]
) -> None:
    analyze = needs_program("systemd-analyze")
    judged = subprocess.run(
        [analyze, "security", "--offline=yes", "--no-pager", str(UNITS / unit)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    score = re.search(r"exposure level for .*: ([\d.]+)", judged.stdout)
    assert score is not None, judged.stderr
    assert float(score[1]) <= MOST_EXPOSED


def test_the_agent_s_unit_hides_nothing_that_is_measured() -> None:
    unit = settings(AGENT)
    assert unit["ProtectHome"] == ["read-only"]
    assert unit["ProtectProc"] == ["default"]
    assert "ProcSubset" not in unit
    assert "PrivateNetwork" not in unit


def test_a_wrong_setting_does_not_restart_the_agent_for_ever() -> None:
    unit = settings(AGENT)
    assert unit["RestartPreventExitStatus"] == ["78"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["Type"] == ["notify"]


def test_no_key_stands_on_a_command_line() -> None:
    for unit in (AGENT, SERVER):
        assert not re.search(r"key", settings(unit)["ExecStart"][0])
    assert settings(AGENT)["Environment"] == ["HOSTPULSE_AGENT_KEY_FILE=%d/api_key"]
