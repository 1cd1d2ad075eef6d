"""Settings: one table, three places, and one sentence when something is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hostpulse_agent.config import ConfigError, load, state_folder
from hostpulse_agent.settings import SETTINGS

DOCS = Path(__file__).parents[2] / "docs/agent.md"


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.ini"
    file.write_text("[agent]\ninterval = 10\ntimeout = 11\ntags = a, b\nhostname = from-file\n")
    environment = {
        "HOSTPULSE_AGENT_CONFIG": str(file),
        "HOSTPULSE_AGENT_INTERVAL": "20",
        "HOSTPULSE_AGENT_TIMEOUT": "21",
    }
    config, _ = load(["--interval", "30"], environment, "")
    assert (config.interval, config.timeout, config.hostname) == (30, 21, "from-file")
    assert config.tags == ("a", "b")


def test_every_setting_can_be_given_in_all_three_places(tmp_path: Path) -> None:
    good = {
        "server": "https://a.example", "interval": "7", "timeout": "8", "spool_mib": "9",
        "spool_hours": "2", "hostname": "h", "tags": "t", "allow_plaintext": "yes",
        "spool": str(tmp_path), "root": "/", "key_file": __file__, "ca_file": __file__,
        "custom_file": __file__, "custom_dir": str(tmp_path),
    }  # fmt: skip
    assert set(good) == {setting.name for setting in SETTINGS}
    for setting in SETTINGS:
        value = good[setting.name]
        file = tmp_path / "agent.ini"
        file.write_text(f"[agent]\n{setting.name} = {value}\n")
        by_flag = load([setting.flag, value], {"HOME": "/"}, "")[0]
        by_variable = load([], {"HOME": "/", setting.variable: value}, "")[0]
        by_file = load(["--config", str(file)], {"HOME": "/"}, "")[0]
        assert by_flag == by_variable == by_file != load([], {}, "")[0] or setting.name == "root"


def test_a_relative_directory_of_programs_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "custom.d").mkdir()
    monkeypatch.chdir(tmp_path)
    config = load(["--custom-dir", "custom.d"], {"HOME": "/"}, "")[0]
    assert config.custom_dir == str(tmp_path / "custom.d")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--interval", "0"], "interval"),
        (["--interval", "301"], "interval"),
        (["--interval", "often"], "interval"),
        (["--interval", "nan"], "interval"),
        (["--server", "monitor.example"], "server"),
        (["--server", "ftp://monitor.example"], "server"),
        (["--server", "https://me:secret@monitor.example"], "server"),
        (["--key-file", "/nowhere/key"], "key_file"),
        (["--ca-file", "/nowhere/ca"], "ca_file"),
        (["--custom-file", "/nowhere/x.py"], "custom_file"),
        (["--custom-dir", "/nowhere"], "custom_dir"),
        (["--config", "/nowhere/agent.ini"], "config"),
        (["--tags", "x" * 65], "tags"),
        (["--hostname", "a\nb"], "hostname"),
        (["--hostname", "x" * 254], "hostname"),
        (["--allow-plaintext", "perhaps"], "allow_plaintext"),
        (["--root", "/nowhere"], "root"),
        (["--no-such-flag"], "no-such-flag"),
        (["--key-file", __file__, "--server", "http://monitor.example"], "allow_plaintext"),
        (["--spool", "/proc/nowhere"], "spool"),
    ],
)
def test_a_wrong_setting_ends_with_one_sentence_that_names_it_and_code_78(
    arguments: list[str], named: str
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hostpulse_agent", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 78
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1
    assert named in ended.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agent]\nintervall = 5\n", "intervall: no such setting .* did you mean interval"),
        ("[server]\nport = 5\n", r"no section \[agent\]"),
        ("interval = 5\n", "no INI file"),
        ("[agent]\ninterval = 5\ninterval = 6\n", "no INI file"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_name(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "agent.ini"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load(["--config", str(file)], {}, "")
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("server", ["http://127.0.0.1:5000", "http://[::1]:5000", "https://a.b"])
def test_a_key_may_go_over_loopback_or_tls(server: str) -> None:
    assert load(["--key-file", __file__, "--server", server], {}, "")[0].server == server


def test_the_spool_is_where_systemd_or_xdg_keeps_state() -> None:
    home = {"HOME": "/home/me"}
    assert state_folder({**home, "STATE_DIRECTORY": "/var/lib/x"}) == "/var/lib/x"
    assert state_folder(home) == "/home/me/.local/state/hostpulse-agent"
    assert state_folder({**home, "XDG_STATE_HOME": "/s"}) == "/s/hostpulse-agent"
    assert state_folder({}) == ""
    assert load([], {}, "")[0].spool == "off"


def test_the_documentation_names_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", DOCS.read_text("utf-8"), re.MULTILINE))
    assert set(rows) == {setting.name for setting in SETTINGS}
    for setting in SETTINGS:
        assert setting.default in rows[setting.name]
