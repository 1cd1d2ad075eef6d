"""Trades an enrolment token for a key of this machine's own, changes that key, and gives it up."""

from __future__ import annotations

import argparse
import hashlib
import hmac
import os
import re
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hostpulse_agent import __version__
from hostpulse_agent.collectors.facts import plain_machine_id
from hostpulse_agent.config import (
    INI_SECTION,
    Config,
    ConfigError,
    Value,
    add_settings,
    config_file,
    from_file,
    given_as_flags,
    named,
    new_parser,
    refuse_open_key,
    refuse_unusable,
    settled,
    settled_to_run,
    state_folder,
)
from hostpulse_agent.ini import with_settings, without_settings
from hostpulse_agent.key import KEY, read_key
from hostpulse_agent.proc import Tree
from hostpulse_agent.replacing import replacing
from hostpulse_agent.sender import Answer, Unreachable, ask, one_line

ENROL_PATH = "/api/enrol"
KEY_PATH = "/api/agent/key"
KEY_NAME = "agent.key"
TOKEN = re.compile(r"hp_en_[\x21-\x7e]{1,500}")
MAX_TOKEN_BYTES = 4096
FINGERPRINT_LABEL = b"hostpulse enrolment"
KEY_MODE = 0o600
INI_MODE = 0o644


class NotDone(Exception):
    """The server cannot be reached or says no; the text is one sentence."""


def enrol(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Get a key with a token; keep it, and the server it is for."""
    flags = _enrol_parser().parse_args(list(arguments))
    token = _token(flags)
    file = _ini_file(flags, environment)
    config = _settled_to_enrol(flags, environment, file)
    key_file = Path(config.key_file)
    if not flags.again and _is_there(key_file) and key_file.stat().st_size:
        raise ConfigError(f"there is a key in {key_file} already; --again replaces it")
    kept = given_as_flags(flags, config)
    kept.update(server=config.server, key_file=config.key_file)
    _make_state_folder(environment, (key_file, file))
    with replacing(key_file, KEY_MODE) as put_key, replacing(file, _mode(file)) as put_settings:
        answer = _asked(config, ENROL_PATH, token, _about_this_machine(config))
        put_key(_key(answer) + "\n")
        put_settings(with_settings(_text(file) or f"[{INI_SECTION}]\n", INI_SECTION, kept))
    found = answer.fields()
    who, tenant = one_line(str(found.get("server"))), one_line(str(found.get("tenant")))
    print(f"enrolled as {who} of {tenant}: the key is in {key_file}, the server in {file}")
    return 0


def rotate(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Have the server change the key of this agent."""
    parser = new_parser("hostpulse-agent rotate", "Gets a new key for the present one.")
    add_settings(parser)
    config = settled_to_run(parser.parse_args(list(arguments)), environment)
    key = read_key(config.key_file)
    if key is None:
        raise ConfigError("there is no key to change; enrol first, or name its file: --key-file")
    with replacing(Path(config.key_file), KEY_MODE) as put_key:
        put_key(_key(_asked(config, KEY_PATH, key, {})) + "\n")
    print(f"the key in {config.key_file} is a new one; a running agent uses it from now on")
    return 0


def unenrol(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Remove the key, and what says which server it was for."""
    parser = new_parser("hostpulse-agent unenrol", "Removes the key and the remembered server.")
    add_settings(parser)
    flags = parser.parse_args(list(arguments))
    file = _ini_file(flags, environment)
    filed = _filed(file)
    key_file = settled(flags, environment, filed).key_file or _default_key_file(environment)
    try:
        removed = [*_removed_key(Path(key_file)), *_removed_settings(file, filed)]
    except OSError as error:
        raise ConfigError(f"cannot remove {error.filename}: {error.strerror}") from error
    for sentence in removed or ["there is nothing to remove"]:
        print(sentence)
    return 0


COMMANDS = {"enrol": enrol, "rotate": rotate, "unenrol": unenrol}


def carry_out(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one of the commands and return its exit code."""
    command = COMMANDS.get(name)
    if command is None:
        raise ConfigError(f"{name}: no such command; see hostpulse-agent --help")
    try:
        return command(arguments, environment)
    except NotDone as error:
        print(f"hostpulse-agent: {error}", file=sys.stderr)
        return 1


def _enrol_parser() -> argparse.ArgumentParser:
    parser = new_parser(
        "hostpulse-agent enrol",
        "Trades a token for a key of this machine's own. The settings given here are remembered.",
    )
    parser.add_argument("server", metavar="URL", help="where reports will be sent")
    parser.add_argument(
        "token", metavar="TOKEN", nargs="?",
        help="the token; every user of this machine may see it here, so rather use a file",
    )  # fmt: skip
    parser.add_argument(
        "--token-file", metavar="FILE",
        help="file with the token, - for standard input (default where that is no terminal)",
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="replace a key that is there already")
    add_settings(parser, but=("server",))
    return parser


def _token(flags: argparse.Namespace) -> str:
    if flags.token and flags.token_file:
        raise ConfigError("give the token once: as an argument or with --token-file")
    token = (flags.token or _token_in(flags.token_file)).strip()
    if not TOKEN.fullmatch(token):
        raise ConfigError("what was given is no enrolment token; one begins with hp_en_")
    return str(token)


def _token_in(file: str | None) -> str:
    is_from_stdin = file in (None, "-")
    if is_from_stdin and (sys.stdin is None or (file is None and sys.stdin.isatty())):
        raise ConfigError("the token is missing: use --token-file FILE, or standard input")
    try:
        if is_from_stdin:
            found = sys.stdin.buffer.read(MAX_TOKEN_BYTES)
        else:
            with Path(str(file)).open("rb") as opened:
                found = opened.read(MAX_TOKEN_BYTES)
    except OSError as error:
        raise ConfigError(f"--token-file: cannot read {file}: {error.strerror}") from error
    return found.decode("ascii", "replace")


def _ini_file(flags: argparse.Namespace, environment: Mapping[str, str]) -> Path:
    file = config_file(flags, environment)
    if not file:
        raise ConfigError("--config: no folder for state is known here; name a file")
    return Path(file).absolute()


def _filed(file: Path) -> dict[str, Value]:
    return from_file(file) if _is_there(file) else {}


def _is_there(file: Path) -> bool:
    return os.access(file, os.F_OK)


def _default_key_file(environment: Mapping[str, str]) -> str:
    folder = state_folder(environment)
    if not folder:
        raise ConfigError("key_file: no folder for state is known here; name a file")
    return str(Path(folder) / KEY_NAME)


def _settled_to_enrol(
    flags: argparse.Namespace, environment: Mapping[str, str], file: Path
) -> Config:
    """Return the settings for the way to the server; the key file need not be there yet."""
    config = settled(flags, environment, _filed(file))
    key_file = config.key_file or _default_key_file(environment)
    refuse_unusable(replace(config, key_file=""))
    config = replace(config, key_file=key_file)
    refuse_open_key(config)
    return named(config)


def _make_state_folder(environment: Mapping[str, str], files: Sequence[Path]) -> None:
    folder = state_folder(environment)
    if folder and any(file.parent == Path(folder) for file in files):
        try:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot make {folder}: {error.strerror}") from error


def _mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode) if _is_there(file) else INI_MODE


def _text(file: Path) -> str:
    return file.read_text("utf-8") if _is_there(file) else ""


def _about_this_machine(config: Config) -> dict[str, str]:
    machine = plain_machine_id(Tree(config.root))
    fingerprint = hmac.new(machine.encode(), FINGERPRINT_LABEL, hashlib.sha256).hexdigest()
    return {
        "hostname": config.hostname,
        "machine": fingerprint if machine else "",
        "version": __version__,
    }


def _asked(config: Config, path: str, key: str, content: Mapping[str, str]) -> Answer:
    """Ask the server and return its answer if it is a success."""
    try:
        answer = ask(config.server + path, key, content, config.ca_file, config.timeout)
    except Unreachable as error:
        raise NotDone(f"the server cannot be reached: {error}") from error
    if answer.status != 200 or answer.fields().get("status") != "success":
        raise NotDone(f"the server refuses ({answer.status}): {answer.said()}")
    return answer


def _key(answer: Answer) -> str:
    key = answer.fields().get("key")
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise NotDone("the server said yes, but its answer holds no key")
    return key


def _removed_key(key_file: Path) -> list[str]:
    if not _is_there(key_file):
        return []
    key_file.unlink()
    return [f"removed the key {key_file}; the server takes it until it is revoked there"]


def _removed_settings(file: Path, filed: Mapping[str, Value]) -> list[str]:
    names = [name for name in ("server", "key_file") if name in filed]
    if not names:
        return []
    left = without_settings(_text(file), INI_SECTION, names)
    if not left:
        file.unlink()
        return [f"removed {file}"]
    with replacing(file, _mode(file)) as put:
        put(left)
    return [f"removed {' and '.join(names)} from {file}"]
