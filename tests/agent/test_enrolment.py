"""Enrolling, changing the key and giving it up: the commands, before a real server."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from hostpulse_agent import __version__
from hostpulse_agent.config import load

from tests.agent.server import Reply, Request, Server, serving
from tests.agent.test_sender import tls

TOKEN = "hp_en_canarytoken_3d_f-9"
KEY = "hp_ag_canarykey_7a_b-1"
NEXT_KEY = "hp_ag_canarynext_0c_d-2"
ENROLLED = {"status": "success", "tenant": "acme", "server": "srv_1", "key": KEY}


def good(request: Request) -> Reply:
    if request.path == "/api/enrol":
        return 200, {}, ENROLLED
    if request.path == "/api/agent/key":
        return 200, {}, {"status": "success", "key": NEXT_KEY}
    return 200, {}, {"status": "success", "accepted": 1}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server(judge=good)) as running:
        yield running


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where the agent keeps its state; not made yet."""
    return tmp_path / "state"


def command(state: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [sys.executable, "-m", "hostpulse_agent", *arguments],
        env={**os.environ, "STATE_DIRECTORY": str(state)},
        input=given, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    for secret in (TOKEN, KEY, NEXT_KEY):
        assert secret not in ended.stdout + ended.stderr
    return ended


def rights(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_a_token_from_standard_input_becomes_a_key_that_the_agent_uses_without_arguments(
    server: Server, state: Path
) -> None:
    ended = command(state, "enrol", server.url + "/", given=TOKEN + "\n")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (
        f"enrolled as srv_1 of acme: the key is in {state}/agent.key, "
        f"the server in {state}/agent.ini\n"
    )
    assert (state / "agent.key").read_text() == KEY + "\n"
    assert (rights(state), rights(state / "agent.key")) == ("0o700", "0o600")
    assert left_over(state) == {"agent.key", "agent.ini"}
    assert command(state, "--once").returncode == 0
    asked, report = server.requests
    assert asked.path == "/api/enrol"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Content-Type"] == "application/json"
    assert "Content-Encoding" not in asked.headers
    assert report.path == "/api/metrics"
    assert report.headers["Authorization"] == f"Bearer {KEY}"


def test_the_token_may_come_from_a_file_or_as_an_argument(server: Server, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f" {TOKEN}\n")
    ways = ["--token-file", str(tmp_path / "token")], ["--token-file", "-"], [TOKEN]
    for number, way in enumerate(ways):
        given = TOKEN if "-" in way else ""
        state = tmp_path / str(number)
        assert command(state, "enrol", server.url, *way, given=given).returncode == 0
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == [f"Bearer {TOKEN}"] * 3


@pytest.mark.parametrize("machine", ["0123456789abcdef0123456789abcdef", "uninitialized", None])
def test_the_server_learns_the_name_the_version_and_a_fingerprint_that_tells_nothing(
    server: Server, state: Path, tmp_path: Path, machine: str | None
) -> None:
    root = tmp_path / "root"
    for name, text in {
        "proc/stat": "",
        "etc/hostname": "web-1\n",
        "etc/machine-id": machine,
    }.items():
        if text is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    assert command(state, "enrol", server.url, "--root", str(root), given=TOKEN).returncode == 0
    said = json.loads(server.requests[0].body)
    if machine and machine != "uninitialized":
        label = b"hostpulse enrolment"
        fingerprint = hmac.new(machine.encode(), label, hashlib.sha256).hexdigest()
    else:
        fingerprint = ""
    assert said == {"hostname": "web-1", "machine": fingerprint, "version": __version__}


def test_settings_that_were_flags_are_remembered_and_paths_hold_from_any_folder(
    server: Server, state: Path, tmp_path: Path
) -> None:
    relative = os.path.relpath(tmp_path / "own.key")
    flags = ["--key-file", relative, "--tags", "prod, region:fra", "--interval", "10"]
    assert command(state, "enrol", server.url, *flags, given=TOKEN).returncode == 0
    config, _ = load([], {"STATE_DIRECTORY": str(state)}, "")
    assert (config.server, config.key_file) == (server.url, str(Path.cwd() / relative))
    assert (config.tags, config.interval) == (("prod", "region:fra"), 10)
    assert (tmp_path / "own.key").read_text().strip() == KEY
    assert left_over(state) == {"agent.ini"}


def test_a_file_of_settings_gets_server_and_key_file_and_keeps_the_rest(
    server: Server, state: Path, tmp_path: Path
) -> None:
    file, key = tmp_path / "agent.ini", tmp_path / "agent.key"
    file.write_text(f"# by hand\n[agent]\nkey_file = {key}\nserver = http://old\ntags = prod\n")
    file.chmod(0o640)
    assert command(state, "enrol", server.url, "--config", str(file), given=TOKEN).returncode == 0
    lines = [f"server = {server.url}", f"key_file = {key}", "tags = prod"]
    assert file.read_text() == "\n".join(["# by hand", "[agent]", *lines, ""])
    assert (rights(file), rights(key)) == ("0o640", "0o600")
    assert not state.exists()
    assert load(["--config", str(file)], {}, "")[0].key_file == str(key)


def test_a_file_of_settings_that_is_not_there_is_made(
    server: Server, state: Path, tmp_path: Path
) -> None:
    file = tmp_path / "new.ini"
    assert command(state, "enrol", server.url, "--config", str(file), given=TOKEN).returncode == 0
    assert load(["--config", str(file)], {}, "")[0].key_file == f"{state}/agent.key"


def test_a_remembered_key_goes_to_no_other_server(server: Server, state: Path) -> None:
    assert command(state, "enrol", server.url, "--tags", "prod", given=TOKEN).returncode == 0
    with serving(Server()) as other:
        assert command(state, "--once", "--server", other.url).returncode == 0
    assert "Authorization" not in other.requests[0].headers
    assert "tags" not in other.requests[0].reports[0]
    assert command(state, "--once", "--server", server.url).returncode == 0
    assert server.requests[-1].headers["Authorization"] == f"Bearer {KEY}"


def test_a_key_that_is_there_is_replaced_only_if_that_is_said(server: Server, state: Path) -> None:
    state.mkdir()
    (state / "agent.key").write_text("hp_ag_old")
    ended = command(state, "enrol", server.url, given=TOKEN)
    assert ended.returncode == 78
    assert "--again" in ended.stderr
    assert server.requests == []
    assert (state / "agent.key").read_text() == "hp_ag_old"
    assert command(state, "enrol", server.url, "--again", given=TOKEN).returncode == 0
    assert (state / "agent.key").read_text().strip() == KEY
    assert rights(state / "agent.key") == "0o600"


def test_an_empty_key_file_is_no_key(server: Server, state: Path) -> None:
    state.mkdir()
    (state / "agent.key").touch()
    assert command(state, "enrol", server.url, given=TOKEN).returncode == 0


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            (401, {}, {"error": f"The token {TOKEN} was used."}),
            "(401): The token (a key) was used.",
        ),
        ((403, {}, {"error": "no more \x1b[2Jservers"}), "(403): no more  [2Jservers"),
        ((409, {}, {"status": "error", "error": "already there"}), "(409): already there"),
        ((502, {}, b"<h1>Bad gateway</h1>"), "(502): no answer of Hostpulse"),
        ((200, {}, b"<h1>Welcome</h1>"), "(200): no answer of Hostpulse"),
        ((200, {}, {"status": "success"}), "holds no key"),
        ((200, {}, {"status": "success", "key": "two words"}), "holds no key"),
    ],
)
def test_a_refusal_is_told_in_the_server_s_words_and_leaves_nothing_behind(
    server: Server, state: Path, reply: Reply, said: str
) -> None:
    server.judge = lambda _: reply
    ended = command(state, "enrol", server.url, given=TOKEN)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert left_over(state) == set()


def test_a_redirect_is_told_and_the_token_goes_nowhere_else(server: Server, state: Path) -> None:
    with serving(Server()) as other:
        server.judge = lambda _: (307, {"Location": other.url + "/api/enrol"}, b"")
        ended = command(state, "enrol", server.url, given=TOKEN)
    assert ended.returncode == 1
    assert "points to another address" in ended.stderr
    assert other.requests == []


def test_a_server_that_is_not_there_is_told(state: Path) -> None:
    with serving(Server()) as server:
        url = server.url
    ended = command(state, "enrol", url, given=TOKEN)
    assert ended.returncode == 1
    assert "cannot be reached" in ended.stderr
    assert left_over(state) == set()


def test_certificates_are_checked(state: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with serving(Server(judge=good), tls=tls(authority, "127.0.0.1")) as server:
        ended = command(state, "enrol", server.url, given=TOKEN)
        assert ended.returncode == 1
        assert "certificate" in ended.stderr.lower()
        assert server.requests == []
        flags = ["--ca-file", str(tmp_path / "ca.pem")]
        assert command(state, "enrol", server.url, *flags, given=TOKEN).returncode == 0
        assert command(state, "--once").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        ([], "", "no enrolment token"),
        ([], "hp_ag_another", "no enrolment token"),
        ([], "hp_en_two words", "no enrolment token"),
        ([], b"\xff".decode("latin-1"), "no enrolment token"),
        ([TOKEN, "--token-file", "-"], TOKEN, "give the token once"),
        (["--token-file", "/nowhere/token"], "", "cannot read /nowhere/token"),
        (["--ca-file", "/nowhere/ca"], TOKEN, "ca_file: cannot read"),
        (["--key-file", "/nowhere/key"], TOKEN, "cannot write /nowhere/key"),
        (["--config", "/nowhere/ini"], TOKEN, "cannot write /nowhere/ini"),
        (["--config", __file__], TOKEN, "is no INI file"),
        (["--custom-file", "a\nserver = b"], TOKEN, "custom_file"),
        (["--interval", "0"], TOKEN, "interval"),
        ([TOKEN, TOKEN], "", "unrecognized arguments: (a key); see hostpulse-agent enrol --help"),
    ],
)
def test_what_is_wrong_is_told_before_the_token_is_spent(
    server: Server, state: Path, arguments: list[str], given: str, said: str
) -> None:
    ended = command(state, "enrol", server.url, *arguments, given=given)
    assert ended.returncode == 78
    assert said in ended.stderr
    assert server.requests == []


def test_a_token_does_not_travel_readable_to_another_machine(state: Path) -> None:
    ended = command(state, "enrol", "http://monitor.invalid", given=TOKEN)
    assert ended.returncode == 78
    assert "allow_plaintext" in ended.stderr
    flags = ["--allow-plaintext", "yes", "--timeout", "1"]
    assert command(state, "enrol", "http://monitor.invalid", *flags, given=TOKEN).returncode == 1


def test_a_person_at_a_terminal_is_told_that_the_token_is_missing(
    server: Server, state: Path
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "rb") as terminal:
        ended = subprocess.run(
            [sys.executable, "-m", "hostpulse_agent", "enrol", server.url],
            env={**os.environ, "STATE_DIRECTORY": str(state)},
            stdin=terminal, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert ended.returncode == 78
    assert "the token is missing" in ended.stderr


@pytest.mark.parametrize("asked", ["enrol", "rotate"])
def test_no_file_with_a_key_is_ever_open_to_others(server: Server, state: Path, asked: str) -> None:
    seen: list[tuple[str, str]] = []

    def judge(request: Request) -> Reply:
        seen.extend((path.name, rights(path)) for path in state.glob("*agent.key*"))
        return good(request)

    old = os.umask(0)
    try:
        command(state, "enrol", server.url, given=TOKEN)
        server.judge = judge
        again = ["enrol", server.url, "--again"] if asked == "enrol" else ["rotate"]
        assert command(state, *again, given=TOKEN).returncode == 0
    finally:
        os.umask(old)
    assert len(seen) == 2  # the key, and the draft of the next
    assert {mode for _, mode in seen} == {rights(state / "agent.key")} == {"0o600"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_belongs_to_the_user_whose_agent_it_is(
    server: Server, state: Path
) -> None:
    state.mkdir()
    os.chown(state, 12345, 12345)
    assert command(state, "enrol", server.url, given=TOKEN).returncode == 0
    os.chown(state / "agent.key", 12346, 12346)
    assert command(state, "rotate").returncode == 0
    owners = [(state / name).stat().st_uid for name in ("agent.ini", "agent.key")]
    assert owners == [12345, 12346]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could be led astray")
def test_a_link_in_the_place_of_the_key_leads_nowhere(server: Server, state: Path) -> None:
    state.mkdir()
    other = state / "other"
    other.write_text("of somebody else")
    (state / "agent.key").symlink_to(other)
    assert command(state, "enrol", server.url, "--again", given=TOKEN).returncode == 0
    assert other.read_text() == "of somebody else"
    assert not (state / "agent.key").is_symlink()


def enrolled(server: Server, state: Path) -> None:
    assert command(state, "enrol", server.url, given=TOKEN).returncode == 0
    server.requests.clear()


def test_rotate_asks_with_the_present_key_and_keeps_the_next_one(
    server: Server, state: Path
) -> None:
    enrolled(server, state)
    ended = command(state, "rotate")
    assert ended.returncode == 0, ended.stderr
    assert (state / "agent.key").read_text() == NEXT_KEY + "\n"
    (asked,) = server.requests
    assert (asked.path, asked.headers["Authorization"]) == ("/api/agent/key", f"Bearer {KEY}")
    assert left_over(state) == {"agent.key", "agent.ini"}


def test_a_rotation_that_is_refused_leaves_the_key(server: Server, state: Path) -> None:
    enrolled(server, state)
    server.judge = lambda _: (403, {}, {"error": f"{KEY} was revoked"})
    ended = command(state, "rotate")
    assert ended.returncode == 1
    assert "the server refuses (403): (a key) was revoked" in ended.stderr
    assert (state / "agent.key").read_text() == KEY + "\n"
    assert left_over(state) == {"agent.key", "agent.ini"}


def test_without_a_key_there_is_nothing_to_rotate(server: Server, state: Path) -> None:
    ended = command(state, "rotate", "--server", server.url)
    assert ended.returncode == 78
    assert "no key to change" in ended.stderr
    assert server.requests == []


def test_unenrol_removes_key_and_server_and_says_so(server: Server, state: Path) -> None:
    enrolled(server, state)
    ended = command(state, "unenrol")
    assert ended.returncode == 0
    assert f"removed the key {state}/agent.key" in ended.stdout
    assert f"removed {state}/agent.ini" in ended.stdout
    assert left_over(state) == set()
    ended = command(state, "unenrol")
    assert (ended.returncode, ended.stdout) == (0, "there is nothing to remove\n")
    assert server.requests == []
    assert load([], {"STATE_DIRECTORY": str(state)}, "")[0].key_file == ""


def test_unenrol_leaves_the_other_settings_and_the_reports_that_wait(
    server: Server, state: Path, tmp_path: Path
) -> None:
    file = tmp_path / "agent.ini"
    file.write_text("# by hand\n[agent]\ntags = prod\n")
    command(state, "enrol", server.url, "--config", str(file), given=TOKEN)
    (state / "1.spool").write_text("reports")
    ended = command(state, "unenrol", "--config", str(file))
    assert f"removed server and key_file from {file}" in ended.stdout
    assert file.read_text() == "# by hand\n[agent]\ntags = prod\n"
    assert left_over(state) == {"1.spool"}


def test_a_word_that_is_no_command_is_told(state: Path) -> None:
    ended = command(state, "enroll", "https://monitor.example")
    assert ended.returncode == 78
    assert "enroll: no such command" in ended.stderr


def test_a_running_agent_goes_over_to_the_new_key_and_loses_no_sample(
    server: Server, state: Path
) -> None:
    from tests.agent.test_outage import wait_for

    enrolled(server, state)
    good_keys = {KEY}
    stored: dict[str, int] = {}

    def judge(request: Request) -> Any:
        key = request.headers["Authorization"].partition(" ")[2]
        if key not in good_keys:
            return 401, {}, {"error": "this key was changed"}
        if request.path == "/api/agent/key":
            good_keys.clear()
            good_keys.add(NEXT_KEY)
            return good(request)
        for report in request.reports:
            stored[report["timestamp"]] = stored.get(report["timestamp"], 0) + 1
        return good(request)

    server.judge = judge
    agent = subprocess.Popen(
        [sys.executable, "-m", "hostpulse_agent", "--interval", "1"],
        env={**os.environ, "STATE_DIRECTORY": str(state)},
        stderr=subprocess.PIPE,
    )
    try:
        wait_for(lambda: len(stored) >= 2)
        assert command(state, "rotate").returncode == 0
        wait_for(lambda: len(stored) >= 6)
    finally:
        agent.terminate()
        agent.communicate(timeout=10)
    instants = sorted(stored)
    seconds = [float(one[17:23]) for one in instants]
    steps = [(after - before) % 60 for before, after in zip(seconds[1:], seconds[2:])]
    assert steps[1:] == pytest.approx([1.0] * len(steps[1:]), abs=0.01)
    assert set(stored.values()) == {1}
