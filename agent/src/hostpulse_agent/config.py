"""Reads the settings from flags, variables and an INI file, and refuses wrong ones in words."""

from __future__ import annotations

import argparse
import configparser
import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hostpulse_agent.settings import (
    ENVIRONMENT_PREFIX,
    SETTINGS,
    Setting,
    hostname,
    is_loopback,
    is_same_server,
)

INI_SECTION = "agent"
INI_NAME = "agent.ini"
OFF = "off"


class ConfigError(Exception):
    """A setting is wrong; the text is one sentence that names it."""


@dataclass(frozen=True)
class Config:
    """The settings, checked."""

    server: str
    interval: float
    key_file: str
    ca_file: str
    allow_plaintext: bool
    timeout: float
    spool: str
    spool_mib: float
    spool_hours: float
    hostname: str
    tags: tuple[str, ...]
    custom_file: str
    custom_dir: str
    root: str


@dataclass(frozen=True)
class Value:
    """A setting as written, and where it was written."""

    text: str
    origin: str


def new_parser(program: str, description: str) -> argparse.ArgumentParser:
    """Return a parser without flags, whose complaints are ConfigErrors."""
    return _OneSentenceParser(
        prog=program,
        description=description,
        epilog="Every setting may also stand in an INI file under [agent] (--config) or in a "
        "variable, e.g. HOSTPULSE_AGENT_INTERVAL=10. A flag wins over a variable, a variable "
        "over the file.",
        allow_abbrev=False,
    )


def add_settings(parser: argparse.ArgumentParser, but: Sequence[str] = ()) -> None:
    """Let the parser know --config and a flag for each setting."""
    parser.add_argument("--config", metavar="FILE", help="INI file with settings under [agent]")
    for setting in SETTINGS:
        if setting.name not in but:
            parser.add_argument(setting.flag, metavar=setting.metavar, help=_help(setting))


def _parser(version: str) -> argparse.ArgumentParser:
    parser = new_parser(
        "hostpulse-agent",
        "Reads CPU, memory, disks and network of this server and reports them. The commands "
        "`enrol URL`, `rotate` and `unenrol` get, change and remove its key; each has its --help.",
    )
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("--once", action="store_true", help="make one report and end")
    parser.add_argument("--print", action="store_true", help="print reports instead of sending")
    parser.add_argument(
        "--audit", action="store_true",
        help="print the bytes that would be sent and the files that were read, and end",
    )  # fmt: skip
    add_settings(parser)
    return parser


def _help(setting: Setting) -> str:
    default = f" (default {setting.default})" if setting.default else ""
    return (setting.help + default).replace("%", "%%")


class _OneSentenceParser(argparse.ArgumentParser):
    """Tells a wrong flag as a ConfigError instead of a page of usage."""

    def error(self, message: str) -> Any:
        raise ConfigError(f"{message}; see {self.prog} --help")


def from_file(path: str | Path) -> dict[str, Value]:
    """Return the settings of an INI file as written; raise ConfigError where it is wrong."""
    reader = configparser.ConfigParser(interpolation=None)
    try:
        reader.read_string(Path(path).read_text("utf-8"), str(path))
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path}: {error.strerror}") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"--config: {path} is no INI file: {reason}") from error
    if not reader.has_section(INI_SECTION):
        raise ConfigError(f"--config: {path} has no section [{INI_SECTION}]")
    names = [setting.name for setting in SETTINGS]
    for key in reader.options(INI_SECTION):
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            hint = f", did you mean {near[0]}?" if near else ""
            raise ConfigError(f"{key}: no such setting in {path}{hint}")
    return {key: Value(value, str(path)) for key, value in reader.items(INI_SECTION)}


def _gather(
    flags: argparse.Namespace, environment: Mapping[str, str], filed: Mapping[str, Value]
) -> dict[str, Value]:
    """Return each setting as written in the strongest place: flag, variable, file, default."""
    values = {setting.name: Value(setting.default, "default") for setting in SETTINGS}
    values.update(filed)
    for setting in SETTINGS:
        if setting.variable in environment:
            values[setting.name] = Value(environment[setting.variable], setting.variable)
        given = getattr(flags, setting.name)
        if given is not None:
            values[setting.name] = Value(given, setting.flag)
    return values


def _named_file(flags: argparse.Namespace, environment: Mapping[str, str]) -> str:
    return str(flags.config or environment.get(ENVIRONMENT_PREFIX + "CONFIG", ""))


def config_file(flags: argparse.Namespace, environment: Mapping[str, str]) -> str:
    """Return the INI file that is named, or else the one in the state folder, there or not."""
    folder = state_folder(environment)
    return _named_file(flags, environment) or (str(Path(folder) / INI_NAME) if folder else "")


def _filed(flags: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, Value]:
    """Return the settings of the INI file.

    What `enrol` remembered of one server, above all its key, is nothing for another one.
    """
    path = config_file(flags, environment)
    if _named_file(flags, environment):
        return from_file(path)
    if not path or not os.access(path, os.R_OK):
        return {}
    filed = from_file(path)
    server = flags.server or environment.get(ENVIRONMENT_PREFIX + "SERVER")
    is_other = server and "server" in filed and not is_same_server(server, filed["server"].text)
    return {} if is_other else filed


def _checked(values: Mapping[str, Value]) -> Config:
    parsed: dict[str, Any] = {}
    for setting in SETTINGS:
        value = values[setting.name]
        try:
            parsed[setting.name] = setting.parse(value.text)
        except ValueError as error:
            raise ConfigError(f"{setting.name}: {error} (from {value.origin})") from error
    return Config(**parsed)


def refuse_open_key(config: Config) -> None:
    """Raise ConfigError if a key would travel readable."""
    parts = urlsplit(config.server)
    if (
        config.key_file
        and parts.scheme == "http"
        and not is_loopback(parts.hostname or "")
        and not config.allow_plaintext
    ):
        raise ConfigError(
            "server: the key would travel readable over http://; use https:// or set "
            "allow_plaintext = yes"
        )


def _refuse_missing_files(config: Config) -> None:
    for name in ("key_file", "ca_file", "custom_file"):
        path = getattr(config, name)
        if path and not os.access(path, os.R_OK):
            raise ConfigError(f"{name}: cannot read {path}")
    if config.custom_dir and not Path(config.custom_dir).is_dir():
        raise ConfigError(f"custom_dir: {config.custom_dir} is no directory")
    if not (Path(config.root) / "proc/stat").exists():
        raise ConfigError(f"root: {config.root} shows no proc/stat; this agent needs Linux's /proc")


def refuse_unusable(config: Config) -> None:
    """Raise ConfigError if a file is missing or a key would travel readable."""
    _refuse_missing_files(config)
    refuse_open_key(config)


def state_folder(environment: Mapping[str, str]) -> str:
    """Return where systemd or the XDG rules put state; nothing when neither is known."""
    for variable, below in (
        ("STATE_DIRECTORY", ""),
        ("XDG_STATE_HOME", "hostpulse-agent"),
        ("HOME", ".local/state/hostpulse-agent"),
    ):
        value = environment.get(variable, "")
        if value.startswith("/"):
            return str(Path(value.split(":")[0]) / below)
    return ""


def settled(
    flags: argparse.Namespace, environment: Mapping[str, str], filed: Mapping[str, Value]
) -> Config:
    """Return the settings, each of them right by itself; raise ConfigError in one sentence."""
    config = _checked(_gather(flags, environment, filed))
    return replace(config, spool=config.spool or state_folder(environment) or OFF)


def settled_to_run(flags: argparse.Namespace, environment: Mapping[str, str]) -> Config:
    """Return the settings with which the agent can work; raise ConfigError in one sentence."""
    config = settled(flags, environment, _filed(flags, environment))
    refuse_unusable(config)
    return named(config)


def load(
    arguments: Sequence[str], environment: Mapping[str, str], version: str
) -> tuple[Config, argparse.Namespace]:
    """Return the settings and the flags that say what to do; raise ConfigError in one sentence."""
    flags = _parser(version).parse_args(list(arguments))
    return settled_to_run(flags, environment), flags


def given_as_flags(flags: argparse.Namespace, config: Config) -> dict[str, str]:
    """Return what was given as flags the way an INI file holds it, relative paths made absolute."""
    given: dict[str, str] = {}
    for setting in SETTINGS:
        written, value = getattr(flags, setting.name), getattr(config, setting.name)
        if written is not None:
            given[setting.name] = value if isinstance(value, str) else written.strip()
            if not given[setting.name].isprintable():
                raise ConfigError(f"{setting.name}: must be one line of printable characters")
    return given


def named(config: Config) -> Config:
    """Return the settings with the name of the machine where none is set."""
    try:
        return replace(config, hostname=hostname(config.hostname or own_hostname(config.root)))
    except ValueError as error:
        raise ConfigError(f"hostname: {error}") from error


def own_hostname(root: str) -> str:
    """Return the machine's name; below another root the one in its files."""
    if root == "/":
        return os.uname().nodename
    try:
        return (Path(root) / "etc/hostname").read_text("utf-8", "backslashreplace").strip()
    except OSError:
        return ""
