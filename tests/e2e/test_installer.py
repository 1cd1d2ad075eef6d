"""`curl …/install.sh | sh`: from the served script to samples, below a folder of the test's own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.backend_under_test import Backend, eventually
from tests.conftest import find_program
from tests.https_server import Https
from tests.known_key import known
from tests.pace import slowness
from tests.programs import Program, Server, command, environment

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "backend/src/hostpulse/api/templates/install.sh"
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST_SECONDS = 15
NEEDS = "import sys, psutil, requests; sys.exit(sys.version_info < (3, 9))"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("installer") / "server.log")
    yield running
    running.kill()


@pytest.fixture(scope="module")
def script(server: Server) -> str:
    """The script as `curl -f` gets it."""
    answer = requests.get(f"{server.url}/install.sh", timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/x-shellscript")
    return answer.text


@pytest.fixture
def distribution() -> None:
    """Needs psutil and requests beside the system's Python, as Debian's packages put them."""
    python = shutil.which("python3", path=SYSTEM_PATH)
    if python is None or subprocess.run([python, "-I", "-c", NEEDS], check=False).returncode:
        find_program("python3 with python3-psutil and python3-requests")


def token(server: Server) -> str:
    data = str(server.log.with_suffix(".data"))
    line = command("hostpulse", "enrol", "create", "--data-dir", data)
    made = subprocess.run(line, env=environment(), capture_output=True, text=True, check=True)
    return known(made.stdout.strip(), server.url)


def install(
    script: str, root: Path, *arguments: str, path: str = SYSTEM_PATH, **more: str
) -> subprocess.CompletedProcess[str]:
    """Pipe the script into sh, as the command of the page does, where nothing is on the way."""
    cut_off = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    env = {"PATH": path, "HOME": "/nonexistent", "NO_PROXY": "127.0.0.1", **cut_off, **more}
    return subprocess.run(
        ["sh", "-s", "--", "--root", str(root), *arguments],
        input=script, env=env, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip


def files_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def key_of(root: Path) -> Path:
    return root / "etc/hostpulse/agent.key"


@pytest.fixture
def installed(
    script: str, server: Server, tmp_path: Path, distribution: None
) -> subprocess.CompletedProcess[str]:
    done = install(script, tmp_path / "root", "--token", token(server), "--hostname", "web-1")
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_from_the_paste_to_samples_without_the_internet(
    script: str, server: Server, tmp_path: Path, distribution: None
) -> None:
    root, given = tmp_path / "root", token(server)
    before = time.monotonic()
    done = install(script, root, "--token", given, "--hostname", "web-9", "--tags", "a,b:c")
    assert done.returncode == 0, done.stderr
    (line,) = re.findall(r"^  (\S+/bin/hostpulse-agent --config .*)$", done.stdout, re.MULTILINE)
    agent = Program(
        [*line.split(), "--interval", "1", "--spool", str(tmp_path / "spool")],
        tmp_path / "log",
        {"PATH": SYSTEM_PATH},
    )

    def has_samples() -> bool:
        rows = {row["hostname"]: row for row in server.json("/api/servers")["servers"]}
        if "web-9" not in rows:
            return False
        asked = {"metrics": "cpu_percent_total", "start": "-5m"}
        found = server.json(f"/api/servers/{rows['web-9']['id']}/history", **asked)
        return len(found["times"]) >= 2

    try:
        eventually(has_samples, 60)
        taken = time.monotonic() - before
        assert taken <= LONGEST_SECONDS * slowness(time.monotonic)
    finally:
        agent.kill()
    (row,) = [row for row in server.json("/api/servers")["servers"] if row["hostname"] == "web-9"]
    assert sorted(row["tags"]) == ["a", "b:c"]


def test_over_tls_it_trusts_the_authority_that_it_is_given(
    tmp_path: Path, distribution: None
) -> None:
    https = Https(tmp_path)
    root = tmp_path / "root"
    try:
        text = https.http.get(f"{https.url}/install.sh", timeout=60).text
        sent = ("--token", known(https.run("enrol", "create"), https.url, https.http))
        refused = install(text, root, *sent, NO_PROXY="localhost")
        assert refused.returncode == 1
        assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr
        assert files_below(root) == []
        done = install(text, root, *sent, "--ca-file", https.ca_file, NO_PROXY="localhost")
        assert done.returncode == 0, done.stderr
        line = [str(root / "opt/hostpulse-agent/bin/hostpulse-agent"), "--once", "--config"]
        said = subprocess.check_output([*line, str(root / "etc/hostpulse/agent.ini")], text=True)
        assert '"accepted":1' in said.replace(" ", "")
    finally:
        https.kill()


def test_what_is_installed_belongs_to_whom_it_should(
    installed: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    assert stat.S_IMODE(key_of(root).stat().st_mode) == 0o600
    assert stat.S_IMODE((root / "etc/hostpulse/agent.ini").stat().st_mode) == 0o644
    unit = root / "etc/systemd/system/hostpulse-agent.service"
    source = ROOT / "agent/src/hostpulse_agent/hostpulse-agent.service"
    assert unit.read_bytes() == source.read_bytes()
    assert not [name for name in files_below(root) if re.search(r"agent\.(new|old)/", name)]
    assert list((root / "opt/hostpulse-agent").rglob("__pycache__"))  # its user cannot write them


def test_the_hash_is_shown_and_is_that_of_the_served_file(
    installed: subprocess.CompletedProcess[str], server: Server
) -> None:
    (url,) = re.findall(r"Downloading (\S+)", installed.stdout)
    assert url.startswith(f"{server.url}/agent/hostpulse_agent-")
    content = requests.get(url, timeout=20).content
    assert f"SHA-256 {hashlib.sha256(content).hexdigest()}" in installed.stdout


def test_a_file_with_another_hash_is_not_installed(
    script: str, tmp_path: Path, distribution: None
) -> None:
    spoiled = re.sub(r"^sha256=\w{64}$", f"sha256={'0' * 64}", script, flags=re.MULTILINE)
    assert spoiled != script
    done = install(spoiled, tmp_path / "root", "--token", "hp_en_x")
    assert done.returncode == 1
    assert "nothing was installed" in done.stderr
    assert files_below(tmp_path) == []


def test_half_a_download_does_nothing(script: str, tmp_path: Path) -> None:
    for part in (script[: len(script) // 2], script[: script.rindex("main")]):
        install(part, tmp_path / "root", "--token", "hp_en_x")
        assert files_below(tmp_path) == []


def test_once_more_brings_it_up_to_date_and_keeps_the_key(
    installed: subprocess.CompletedProcess[str], script: str, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    key, files = key_of(root).read_text(), files_below(root)
    (root / "opt/hostpulse-agent/bin/hostpulse-agent").write_text("broken")
    done = install(script, root, "--token", "hp_en_used-already")
    assert done.returncode == 0, done.stderr
    assert "stays" in done.stdout
    assert key_of(root).read_text() == key
    assert files_below(root) == files
    asked = [str(root / "opt/hostpulse-agent/bin/hostpulse-agent"), "--version"]
    assert "hostpulse-agent" in subprocess.check_output(asked, text=True)


def test_enrolling_anew_gets_another_key(
    installed: subprocess.CompletedProcess[str], script: str, server: Server, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    key = key_of(root).read_text()
    done = install(script, root, "--again", "--token", token(server))
    assert done.returncode == 0, done.stderr
    assert key_of(root).read_text() != key


def test_a_token_that_is_no_good_leaves_everything_as_it_was(
    installed: subprocess.CompletedProcess[str], script: str, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    key, files = key_of(root).read_text(), files_below(root)
    done = install(script, root, "--again", "--token", "hp_en_0000000000_wrong")
    assert done.returncode == 1
    assert "the server refuses (401)" in done.stderr
    assert (key_of(root).read_text(), files_below(root)) == (key, files)


def test_the_line_it_prints_removes_all_of_it(
    installed: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    (line,) = re.findall(r"^To remove it: (.*)$", installed.stdout, re.MULTILINE)
    removed = subprocess.run(line.split(), capture_output=True, text=True, check=True)
    assert "is removed" in removed.stdout
    assert files_below(tmp_path / "root") == []


def test_uninstall_of_the_served_script_removes_all_of_it_too(
    installed: subprocess.CompletedProcess[str], script: str, tmp_path: Path
) -> None:
    assert install(script, tmp_path / "root", "--uninstall").returncode == 0
    assert files_below(tmp_path / "root") == []


def test_a_dry_run_says_everything_and_does_nothing(
    script: str, tmp_path: Path, distribution: None
) -> None:
    done = install(script, tmp_path / "root", "--token", "hp_en_x", "--dry-run")
    assert done.returncode == 0, done.stderr
    for word in ("Downloading", "SHA-256", "Installing", "Enrolling", "unit", "--config"):
        assert word in done.stdout
    assert files_below(tmp_path) == []
    assert "hp_en_x" not in done.stdout


def test_the_token_is_on_no_command_line_of_the_agent(script: str) -> None:
    (line,) = [line for line in script.splitlines() if '$token" |' in line]
    assert line.split()[0] == "printf"  # a part of the shell, so no process
    assert "--token-file -" in script


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--token TOKEN"),
        (("--token",), "a value is missing"),
        (("--tokens", "x"), "no such option"),
        (("--token-file", "/nonexistent"), "cannot read /nonexistent"),
        (("--token", "x", "--ca-file", "/nonexistent"), "cannot read /nonexistent"),
    ],
)
def test_what_is_missing_is_told_in_words(
    script: str, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = install(script, tmp_path / "root", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert files_below(tmp_path) == []


def shim(folder: Path, name: str, text: str) -> str:
    """Put a program of this name first on the path; return the path."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:{SYSTEM_PATH}"


def test_an_old_python_is_refused_in_words(script: str, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("sh", "uname", "id", "cat", "dirname"):
        (bare / name).symlink_to(find_program(name))
    shim(bare, "python3", "exit 1")
    done = install(script, tmp_path / "root", "--token", "x", path=str(bare))
    assert done.returncode == 1
    assert "Python 3.9 or newer is missing" in done.stderr


WITHOUT_MODULES = """
case "$*" in *ensurepip*) exit 1 ;; esac
case "$*" in "-I -") exit 1 ;; esac
exec {python} "$@"
"""


def test_on_a_bare_debian_it_gets_the_packages_and_says_so(script: str, tmp_path: Path) -> None:
    python = find_program("python3")
    shim(tmp_path / "shims", "python3", WITHOUT_MODULES.format(python=python))
    path = shim(tmp_path / "shims", "apt-get", f'echo "$@" >>{tmp_path}/apt')
    done = install(script, tmp_path / "root", "--token", "x", path=path)
    assert done.returncode == 1  # this apt-get gets nothing
    assert "installing python3-psutil and python3-requests" in done.stdout
    assert "install python3-psutil python3-requests" in (tmp_path / "apt").read_text()
    assert "install python3-psutil and python3-requests of your distribution" in done.stderr


def test_where_the_distribution_has_no_modules_they_come_from_the_package_index(
    script: str, server: Server, tmp_path: Path
) -> None:
    python = find_program("python3")
    hidden = WITHOUT_MODULES.format(python=python).replace("*ensurepip*", "never")
    path = shim(tmp_path / "shims", "python3", hidden)
    index = {
        name: value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name.startswith(("PIP_", "SSL_", "REQUESTS_"))
    }
    own = {"https_proxy": os.environ.get("https_proxy", ""), "http_proxy": ""}
    root = tmp_path / "root"
    done = install(script, root, "--token", token(server), path=path, **{**own, **index})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "from the package index" in done.stdout
    line = [
        str(root / "opt/hostpulse-agent/bin/python"),
        "-I",
        "-c",
        "import psutil; print(psutil)",
    ]
    where = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert str(root) in where


def test_the_versions_it_asks_for_are_those_of_the_agent() -> None:
    needs = tomllib.loads((ROOT / "agent/pyproject.toml").read_text())["project"]["dependencies"]
    text = TEMPLATE.read_text()
    for need in needs:
        assert f"'{need}'" in text
        name, _, version = need.partition(">=")
        assert f'has("{name}", {version.replace(".", ", ")})' in text


# -- the script and the file as the server gives them out -----------------------


def test_shellcheck_finds_nothing(script: str, needs_program: Callable[..., str]) -> None:
    line = [needs_program("shellcheck"), "--shell=sh", "-"]
    checked = subprocess.run(line, input=script, capture_output=True, text=True, check=False)
    assert checked.stdout == ""


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_every_shell_reads_it(script: str, shell: str, needs_program: Callable[..., str]) -> None:
    found = needs_program(shell)
    line = [found, "sh"] if shell == "busybox" else [found]
    read = subprocess.run([*line, "-n"], input=script, capture_output=True, text=True, check=False)
    assert read.stderr == ""


def embedded(backend: Backend, **headers: str) -> str:
    answer = backend.request("GET", "/install.sh", headers=headers)
    assert answer.status_code == 200, answer.text
    (url,) = re.findall(r"^url=(.*)$", answer.text, re.MULTILINE)
    return str(url)


def test_its_address_is_the_one_it_was_asked_under() -> None:
    with Backend(auth=True) as backend:
        assert embedded(backend, Host="192.0.2.7:5000") == "http://192.0.2.7:5000"
        assert embedded(backend, Host="[::1]:5000") == "'http://[::1]:5000'"


def test_its_address_is_the_public_one_if_that_is_set() -> None:
    with Backend(public_url="https://monitor.example.com/", auth=True) as backend:
        assert embedded(backend) == "https://monitor.example.com"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:80;reboot", "127.0.0.1:$(reboot)", "127.0.0.1:80'", "[::1]:80\\", "[::1`id`]:80"],
)
def test_a_host_that_is_no_host_gets_no_script(backend: Backend, host: str) -> None:
    answer = backend.request("GET", "/install.sh", headers={"Host": host})
    assert answer.status_code in (400, 421)
    assert "error" in answer.json()


def test_without_tls_to_another_machine_it_refuses_in_words(tmp_path: Path) -> None:
    with Backend(auth=True) as backend:
        text = backend.request("GET", "/install.sh", headers={"Host": "192.0.2.7:5000"}).text
    done = install(text, tmp_path / "root", "--token", "x")
    assert done.returncode == 1
    assert "has no TLS" in done.stderr


def test_another_file_is_not_there(backend: Backend) -> None:
    for name in ("hostpulse_agent-9.whl", "..%2Finstall.sh", "x"):
        assert backend.get(f"/agent/{name}").status_code == 404


def test_a_server_without_the_wheel_says_so(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hostpulse.api import installer

    monkeypatch.setattr(installer, "_SOURCES", tmp_path)
    monkeypatch.setattr(installer, "_BUILT", tmp_path)
    with Backend() as bare:
        answer = bare.get("/install.sh")
    assert answer.status_code == 404
    assert "without the agent's wheel" in answer.json()["error"]


# -- as root, with a systemd that only writes down what it is told ---------------

HIDDEN = """
set -e
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system
mount -t tmpfs tmpfs /opt
mount -t tmpfs tmpfs "$WORK" && mkdir "$WORK/upper" "$WORK/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$WORK/upper,workdir=$WORK/work" /etc
"""
SYSTEMCTL = """
case $1 in --version) echo "systemd $VERSION (x)" ;; *) echo "$@" >>"$TOLD" ;; esac
"""


class Hidden:
    """Runs shell lines as root where /etc, /opt and /run are copies that go with the process."""

    def __init__(self, folder: Path, version: int) -> None:
        self.told = folder / "told"
        self.told.touch()
        (folder / "work").mkdir()
        path = shim(folder / "shims", "systemctl", SYSTEMCTL)
        self._env = {
            "PATH": path, "HOME": "/root", "NO_PROXY": "127.0.0.1", "VERSION": str(version),
            "TOLD": str(self.told), "WORK": str(folder / "work"),
        }  # fmt: skip

    def run(self, lines: str, script: str) -> subprocess.CompletedProcess[str]:
        """Run the lines; `$script` names a file with the served script."""
        file = Path(self._env["WORK"]).parent / "install.sh"
        file.write_text(script)
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", f"{HIDDEN}\nscript={file}\n{lines}"],
            env=self._env, capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip


@pytest.fixture
def hidden(tmp_path: Path, distribution: None) -> Hidden:
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    made = Hidden(tmp_path, 252)
    tried = made.run("true", "")
    if tried.returncode:
        pytest.skip(f"nothing can be mounted here: {tried.stderr}")
    return made


def test_where_systemd_runs_it_becomes_a_service_and_goes_again(
    script: str, server: Server, hidden: Hidden
) -> None:
    lines = f"""
        sh -s -- --token {token(server)} --hostname web-7 <$script
        stat -c '%a %U %n' /etc/hostpulse/agent.key /etc/systemd/system/hostpulse-agent.service
        echo "the rest" >>$TOLD
        sh /opt/hostpulse-agent/uninstall.sh
        ls /opt/hostpulse-agent /etc/hostpulse /etc/systemd/system/hostpulse-agent.service || true
    """
    done = hidden.run(lines, script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "600 root /etc/hostpulse/agent.key" in done.stdout
    assert "644 root /etc/systemd/system/hostpulse-agent.service" in done.stdout
    assert "To remove it: sudo sh /opt/hostpulse-agent/uninstall.sh" in done.stdout
    assert hidden.told.read_text().splitlines() == [
        "daemon-reload",
        "--quiet enable hostpulse-agent",
        "restart hostpulse-agent",
        "the rest",
        "--quiet disable --now hostpulse-agent",
        "daemon-reload",
    ]
    assert done.stderr.count("No such file or directory") == 3


def test_a_systemd_that_is_too_old_is_told_before_anything_is_done(
    script: str, server: Server, tmp_path: Path, hidden: Hidden
) -> None:
    (tmp_path / "old").mkdir()
    old = Hidden(tmp_path / "old", 239)
    done = old.run(f"sh -s -- --token {token(server)} <$script; ls /opt /etc/hostpulse", script)
    assert "systemd 239 is too old" in done.stderr
    assert "hostpulse" not in done.stdout
    assert old.told.read_text() == ""


def test_nobody_but_root_may_install(script: str, distribution: None) -> None:
    user = [] if os.geteuid() else ["setpriv", "--reuid=65534", "--clear-groups"]
    line = [*user, "sh", "-s", "--", "--token", "x"]
    done = subprocess.run(
        line, input=script, env={"PATH": SYSTEM_PATH}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "run it as root" in done.stderr
