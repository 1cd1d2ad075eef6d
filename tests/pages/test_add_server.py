"""A server comes by the command of the dialog, and is refused once its key is revoked."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.backend_under_test import Backend, eventually
from tests.pages.browser import NARROW, SERVER_READY, THEMES, WIDE, Tab, Tabs
from tests.pages.people import claim, go_signed_in, make_owner
from tests.pages.test_accessibility import serious
from tests.programs import Program, Server, command, environment

HOST = "new-1"
NO_SERVERS = "text=No servers yet"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A backend of this machine's clock that ada owns."""
    running = Server(tmp_path / "serve.log", auth=True)
    claim(running.url, running.data)
    yield running
    running.kill()


@pytest.fixture
def run_agent(tmp_path: Path) -> Iterator[Callable[[], Program]]:
    """Runs the agent that was enrolled in this folder."""
    started: list[Program] = []

    def run() -> Program:
        line = command("hostpulse_agent", "--config", str(tmp_path / "agent.ini"))
        line += ["--interval", "1", "--hostname", HOST, "--spool", "off"]
        started.append(Program(line, tmp_path / "agent.log", environment(HOME=str(tmp_path))))
        return started[-1]

    yield run
    for program in started:
        program.kill()


def enrol(folder: Path, url: str, token: str) -> subprocess.CompletedProcess[str]:
    """Run what the dialog says, with files of this test's own."""
    line = command("hostpulse_agent", "enrol", url, token, "--hostname", HOST)
    line += ["--config", str(folder / "agent.ini"), "--key-file", str(folder / "agent.key")]
    return subprocess.run(
        line, env=environment(HOME=str(folder)), capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip


def open_dialog(tab: Tab) -> tuple[str, str]:
    """Open the dialog; return the address and the token of its command."""
    tab.page.click("button:has-text('Add server') >> nth=0")
    tab.page.wait_for_selector("dialog[open] .command code")
    install, manual = tab.page.locator("dialog .command code").all_text_contents()
    words = manual.split()
    assert words[:3] == ["sudo", "hostpulse-agent", "enrol"]
    url, token = words[3:]
    assert install == f"curl -fsSL {url}/install.sh | sudo sh -s -- --token {token}"
    return url, token


def test_a_server_is_added_by_its_command_and_refused_once_its_key_is_revoked(
    tabs: Tabs, server: Server, run_agent: Callable[[], Program], tmp_path: Path
) -> None:
    tab = tabs.open(server.url)
    go_signed_in(tab, ready=NO_SERVERS)
    url, token = open_dialog(tab)
    assert "Waiting for the first sample" in tab.text(".add__live")
    enrolled = enrol(tmp_path, url, token)
    assert enrolled.returncode == 0, enrolled.stderr
    tab.page.wait_for_selector(f".add__live:has-text('{HOST} enrolled')")
    agent = run_agent()
    tab.page.wait_for_selector(f".add__live:has-text('{HOST} is up')", timeout=15_000)
    tab.page.click(f"text=Open {HOST}")
    tab.page.wait_for_selector(SERVER_READY)
    assert tab.text("h1") == HOST

    tab.page.click("a[data-page=settings]")
    tab.page.click("text=Agents and keys")
    line = tab.page.locator(".data tbody tr", has_text="Agent")
    line.locator("button").click()
    assert "refused within a second" in tab.text("dialog[open]")
    tab.page.click("dialog[open] .btn--danger")
    tab.page.wait_for_selector("#toast:has-text('Revoked')")
    line.wait_for(state="detached")
    eventually(lambda: "revoked" in agent.written(), 5)


def test_the_dialog_says_refusals_in_words(tabs: Tabs, server: Server) -> None:
    tab = tabs.open(server.url)
    go_signed_in(tab, ready=NO_SERVERS)
    _, first = open_dialog(tab)
    tab.page.fill("dialog [name=tags]", "x" * 300)
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("dialog .problem:not(:empty)")
    tab.page.fill("dialog [name=tags]", "prod, web")
    tab.page.keyboard.press("Enter")
    tab.until(
        "(token) => !document.querySelector('dialog .command code').textContent.includes(token)",
        first,
    )
    assert not tab.texts("dialog .problem:not(:empty)")


def test_the_dialog_says_why_a_machine_was_sent_away(
    tabs: Tabs, server: Server, tmp_path: Path
) -> None:
    tab = tabs.open(server.url)
    go_signed_in(tab, ready=NO_SERVERS)
    url, token = open_dialog(tab)
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.post(f"{url}/api/enrol", json={"machine": "m"}, headers=headers, timeout=30)
    assert answer.status_code == 422
    tab.page.wait_for_selector(".add__live:has-text('was sent away: machine:')")
    assert enrol(tmp_path, url, token).returncode == 0
    tab.page.wait_for_selector(f".add__live:has-text('{HOST} enrolled')")


def test_a_command_that_nobody_used_in_time_is_over(tabs: Tabs) -> None:
    with Backend(auth=True) as backend:
        make_owner(backend)
        tab = tabs.open(backend.url)
        tab.page.clock.install(time=backend.clock.now_ms / 1000)
        go_signed_in(tab, ready=NO_SERVERS)
        open_dialog(tab)
        for seconds, words in ((3, "0:0"), (180, "journalctl"), (3600, "This command is over")):
            backend.clock.advance(seconds * 1000)
            tab.page.clock.fast_forward(seconds * 1000)
            tab.pass_seconds(2)
            assert words in tab.text(".add__live")


def test_escape_closes_the_dialog_and_gives_the_focus_back(tabs: Tabs, server: Server) -> None:
    tab = tabs.open(server.url)
    go_signed_in(tab, ready=NO_SERVERS)
    tab.page.focus(".notice .btn--main")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("dialog[open] .command")
    assert tab.run("() => document.activeElement.textContent.includes('Copy')")
    tab.page.keyboard.press("Escape")
    tab.until("() => !document.querySelector('dialog')")
    assert tab.run("() => document.activeElement.textContent.trim()") == "Add server"


@pytest.mark.parametrize(
    ("theme", "width"), [(theme, width) for theme in THEMES for width in (WIDE, NARROW)]
)
def test_the_dialog_is_accessible(tabs: Tabs, server: Server, theme: str, width: int) -> None:
    tab = tabs.open(server.url, theme=theme, width=width, bypass_csp=True)
    go_signed_in(tab, ready=NO_SERVERS)
    open_dialog(tab)
    assert serious(tab) == []
    assert tab.run("() => document.documentElement.scrollWidth - innerWidth") <= 0
