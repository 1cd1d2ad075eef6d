"""Settings: who wins, and what is refused in one sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hostpulse.access.provider import provider_settings
from hostpulse.config import (
    SETTINGS,
    Config,
    ConfigError,
    address,
    data_folder,
    load,
    origins,
    usual_data_folder,
)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hostpulse.toml"
    file.write_text("port = 1\nmax_servers = 2\nmax_body_bytes = 3000\n")
    environment = {"HOSTPULSE_MAX_SERVERS": "20", "HOSTPULSE_MAX_BODY_BYTES": "4000"}
    config = load({"max_body_bytes": "5000", "host": None}, environment, file)
    assert (config.port, config.max_servers, config.max_body_bytes) == (1, 20, 5000)
    assert config.host == "127.0.0.1"


def test_every_setting_has_a_default_that_is_allowed() -> None:
    assert load({}, {}) == Config()


def test_every_setting_says_what_it_is() -> None:
    assert all(setting.metadata["help"].endswith(".") for setting in SETTINGS)


REFUSED = {
    "port": ["0", "65536", "five", "", "5.5", "-1"],
    "workers": ["0", "2", "x"],
    "max_servers": ["0", "-5"],
    "max_body_bytes": ["1023", "1e9x"],
    "header_timeout_seconds": ["0", "-1", "nan", "inf", "soon"],
    "body_timeout_seconds": ["0", "nan", "inf"],
    "log_format": ["xml"],
    "log_level": ["loud"],
    "host": ["0.0.0.0", "::", "10.0.0.1", "example.org", ""],
}


ALONE = {
    "memory": {"storage": "memory://", "control": "postgresql://db/hostpulse"},
    "file": {"storage": "file:", "control": "postgresql://db/hostpulse"},
    "a control store in a file": {"storage": "postgresql://db/hostpulse"},
}


@pytest.mark.parametrize("what", ALONE)
def test_what_cannot_be_shared_allows_one_process(what: str) -> None:
    with pytest.raises(ConfigError, match=r"^workers: .* use --workers 1"):
        load(ALONE[what] | {"workers": 2}, {})
    load(ALONE[what], {})


@pytest.mark.parametrize("storage", ["memory://", "postgresql://db/hostpulse", "influxdb://db"])
def test_a_disk_budget_is_refused_where_nothing_keeps_to_it(storage: str) -> None:
    with pytest.raises(ConfigError, match=r"^disk_budget_mb: only file: .*raw_retention_hours"):
        load({"storage": storage, "disk_budget_mb": 100}, {})
    assert load({"storage": "file:samples", "disk_budget_mb": 100}, {}).disk_budget_mb == 100


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in REFUSED.items() for v in vs])
def test_a_setting_that_cannot_be_right_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: "):
        load({}, {f"HOSTPULSE_{name.upper()}": value})


def test_a_file_with_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "hostpulse.toml"
    file.write_text("prot = 5000\n")
    with pytest.raises(ConfigError, match=r"unknown setting: prot"):
        load({}, {}, file)


@pytest.mark.parametrize("text", ["port = ", "\xff", "port = 'x'", "host = 5", "port = true"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "hostpulse.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError):
        load({}, {}, file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Cannot read"):
        load({}, {}, tmp_path / "none.toml")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    assert load({"host": host}, {}).host == host


OPEN_TO_OTHERS: list[dict[str, Any]] = [
    {"behind_proxy": "127.0.0.1"},
    {"tls_cert": "cert.pem", "tls_key": "key.pem"},
    {"plain_http": True},
]


@pytest.mark.parametrize("how", OPEN_TO_OTHERS)
def test_another_address_needs_sign_in_and_a_word_on_tls(how: dict[str, Any]) -> None:
    assert load({"host": "0.0.0.0", "auth": True, **how}, {}).host == "0.0.0.0"
    with pytest.raises(ConfigError, match=r"^host: .* readable"):
        load({"host": "0.0.0.0", "auth": True}, {})
    with pytest.raises(ConfigError, match=r"^auth: "):
        load({"host": "0.0.0.0", "auth": False, **how}, {})


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ConfigError, match=r"^tls_cert, tls_key: "):
        load({"tls_cert": "cert.pem"}, {})


def test_links_lead_to_the_public_url_or_to_where_it_listens() -> None:
    assert address(Config(public_url="https://monitor.example.com/")) == (
        "https://monitor.example.com"
    )
    assert address(Config(host="0.0.0.0", port=5001)) == "http://localhost:5001"
    assert address(Config(host="192.0.2.7", tls_cert="cert.pem")) == "https://192.0.2.7:5000"


def test_origins_are_separated_by_commas() -> None:
    assert origins(Config(cors_origins=" https://a , https://b,")) == ["https://a", "https://b"]


REFUSED_STARTS = {
    "another address": ["--host", "0.0.0.0"],
    "two workers on memory": ["--workers", "2"],
    "an unknown storage": ["--storage", "tape://"],
    "a certificate without its key": ["--tls-cert", "/nonexistent/cert"],
    "a configuration that is not there": ["--config", "/nonexistent/hostpulse.toml"],
    "a port that is no number": ["--port", "five"],
    "a provider that knows no client": ["--oidc-issuer", "https://id.example.com"],
}


@pytest.mark.parametrize("why", REFUSED_STARTS)
def test_a_wrong_configuration_stops_with_one_sentence_and_exit_code_78(
    why: str, tmp_path: Path
) -> None:
    line = [sys.executable, "-m", "hostpulse", "serve", *REFUSED_STARTS[why]]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HOSTPULSE_")}
    environment["HOSTPULSE_DATA_DIR"] = str(tmp_path)
    ended = subprocess.run(
        line, capture_output=True, text=True, timeout=30, env=environment, check=False
    )
    assert ended.returncode == 78
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("oidc_issuer", "http://id.example.com"),
        ("oidc_issuer", "id.example.com"),
        ("oidc_issuer", "https://"),
        ("oidc_client_id", ""),
        ("oidc_client_secret_file", "/nonexistent/secret"),
        ("oidc_client_secret_file", "/"),
        ("oidc_sign_up", "example.com"),
        ("oidc_sign_up_role", "owner"),
        ("oidc_sign_up_role", "boss"),
    ],
)
def test_a_setting_of_a_provider_that_cannot_be_right_is_refused_by_name(
    name: str, value: str
) -> None:
    right = Config(oidc_issuer="https://id.example.com", oidc_client_id="hostpulse")
    assert provider_settings(right)
    with pytest.raises(ConfigError, match=rf"^{name}: "):
        provider_settings(replace(right, **{name: value}))


def test_help_shows_every_setting() -> None:
    line = [sys.executable, "-m", "hostpulse", "serve", "--help"]
    shown = subprocess.run(line, capture_output=True, text=True, timeout=30, check=True).stdout
    assert all(f"--{setting.name.replace('_', '-')}" in shown for setting in SETTINGS)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"port": "abc"}, "port: use a whole number from 1 to 65535, not 'abc'."),
        ({"workers": "0"}, "workers: use a whole number of at least 1, not '0'."),
        ({"body_timeout_seconds": "-1"}, "body_timeout_seconds: use a number of seconds above 0"),
        ({"cors_origins": "*"}, "cors_origins: name each origin"),
    ],
)
def test_a_refusal_says_what_would_be_right(flags: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(flags, {})


def test_the_data_folder_is_made_for_its_user_alone(tmp_path: Path) -> None:
    folder = data_folder(Config(data_dir=str(tmp_path / "some/where")))
    assert folder == tmp_path / "some/where"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_data_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    assert data_folder(Config(data_dir=str(tmp_path))).stat().st_mode & 0o777 == 0o750


def test_a_data_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=f"^data_dir: cannot make the folder {tmp_path}/file/x "):
        data_folder(Config(data_dir=str(tmp_path / "file/x")))


def test_a_checkout_keeps_its_files_in_backend_data() -> None:
    assert usual_data_folder() == Path(__file__).parents[2] / "backend/data"
