"""F96: what is secret is nowhere but where it is kept, and there only as a digest.

The secret of a second factor alone cannot be one: see docs/security.md.
"""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests
from hostpulse.access.keys import mint
from hostpulse.access.passwords import Passwords
from hostpulse.control.tables import metadata

from tests.access.secrecy import repeated, secrets_in
from tests.access.world import PASSWORD, of_key, of_session
from tests.backend.control_places import PLACES, Place, place_of
from tests.backend_under_test import Backend, eventually, report
from tests.programs import Program, command, environment, free_port

CANARY = "canary-7f3d-sentence"
NEXT = "canary-9b1c-sentence"


class Story:
    """Everything people and agents do, with each answer kept."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.answers: list[tuple[str, str]] = []
        self.secrets = {CANARY, NEXT, token}
        self.app = self.session = self.waiting = ""

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        headers = of_key(key) if key else of_session(self.session)
        if self.waiting:
            headers["Cookie"] += f"; hostpulse-waiting={self.waiting}"
        answer = requests.request(
            method, self.url + path, json=body, headers=headers, timeout=20, allow_redirects=False
        )
        cookie = answer.cookies.get("hostpulse")
        if cookie:
            self.session = cookie
            self.secrets.add(cookie)
        if waiting := answer.cookies.get("hostpulse-waiting"):
            self.waiting = waiting
            self.secrets.add(waiting)
        said = answer.text + str(
            {k: v for k, v in answer.headers.items() if k.lower() != "set-cookie"}
        )
        self.answers.append((f"{method} {path}", said))
        return answer

    def tell(self, token: str) -> None:
        """Set up, sign in well and badly, make keys of every kind, use them well and badly."""
        self.ask("POST", "/api/links/use", {"token": token, "name": "ann", "password": CANARY})
        self.ask("POST", "/api/session", {"name": "ann", "password": CANARY + "x"})
        self.ask("POST", "/api/session", {"name": "ann", "password": CANARY})
        self.ask("PUT", "/api/password", {"old": CANARY, "new": NEXT})
        self.ask("PUT", "/api/password", {"old": CANARY, "new": "short"})
        self.ask("POST", "/api/session", {"name": "ann", "password": [CANARY]})
        self.ask("POST", "/api/links/use", {"token": token, "password": CANARY, "role": "owner"})
        for path, body, field in (
            ("/api/keys", {"label": "x"}, "key"),
            ("/api/tokens", {"label": "x", "scopes": ["manage"]}, "key"),
            ("/api/enrolments", {"uses": 2}, "token"),
            ("/api/people", {"role": "viewer"}, "link"),
        ):
            made = self.ask("POST", path, body).json()[field].rpartition("#")[2]
            self.answers.pop()  # it is shown once, here
            self.secrets.add(made)
            self.ask("POST", "/api/metrics", report(), key=made)
            self.ask("POST", "/api/metrics", {"hostname": made, "cpu": made}, key=made + "x")
            self.ask("GET", "/api/servers", key=made)
            self.ask("POST", "/api/enrol", {"hostname": "web-2", "machine": made}, key=made)
        self.add_second_factor()
        for path in (
            "/api/keys", "/api/people", "/api/audit", "/api/sessions", "/api/session",
            "/api/second-factor", "/api/health", "/api/servers", "/api/openapi.json",
            "/api/nothing", "/api/servers/x",
        ):  # fmt: skip
            self.ask("GET", path)

    def add_second_factor(self) -> None:
        """Switch it on, and sign in with it, well and badly."""
        begun = self.ask("POST", "/api/second-factor", {"password": NEXT}).json()
        self.answers.pop()  # it is shown once, here
        self.app = begun["secret"]
        now_ms = self.ask("GET", "/api/servers").json()["now"]
        code = pyotp.TOTP(self.app).at(now_ms // 1000)
        codes = self.ask("PUT", "/api/second-factor", {"code": code}).json()["codes"]
        self.answers.pop()
        self.secrets |= {self.app, *codes}
        self.ask("POST", "/api/session", {"name": "ann", "password": NEXT})
        for given in (self.app, [codes[0]], codes[0], codes[0]):
            self.ask("PUT", "/api/session", {"code": given})
        self.ask("POST", "/api/second-factor/codes", {"password": NEXT, "code": self.app})

    def found_in(self, text: str) -> set[str]:
        """Return which secrets a text has; the csrf token is none, nor what the asker sent."""
        return {secret for secret in self.secrets if secret in text}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, request.param, tmp_path / "data")


def test_f96_no_secret_is_in_an_answer_a_log_a_file_or_the_database(place: Place) -> None:
    port = free_port()
    line = command("hostpulse", "serve", "--auth", "--port", str(port), "--log-level", "debug")
    place.folder.mkdir(parents=True, exist_ok=True)
    log = place.folder.parent / "log"
    program = Program(line, log, place.environment())
    try:
        eventually(lambda: "Nobody owns it yet" in program.written(), 30)
        link = (place.folder / "setup-link").read_text().strip()
        token = link.rpartition("#")[2]
        assert token not in program.written()
        assert (place.folder / "setup-link").stat().st_mode & 0o777 == 0o600
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: _answers(url), 20)
        story = Story(url, token)
        story.tell(token)
        assert len(story.secrets) >= 8
        assert story.app and story.waiting
        for what, said in story.answers:
            assert story.found_in(said) == set(), what
    finally:
        program.interrupt()
    assert story.found_in(program.written()) == set()
    for file in place.folder.rglob("*"):
        if file.is_file() and file.name != "setup-link":
            assert story.found_in(file.read_bytes().decode("latin-1")) <= {story.app}, file
    if place.url:
        for table in metadata.tables:
            if table == "factors":
                continue
            rows = place.ask(f"SELECT * FROM {table}")
            assert story.found_in(repr([[_text(cell) for cell in row] for row in rows])) == set()


def _text(cell: Any) -> Any:
    return bytes(cell).decode("latin-1") if isinstance(cell, (bytes, memoryview)) else cell


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/api/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_f96_an_error_is_logged_without_the_values_of_its_variables(tmp_path: Path) -> None:
    """A library that draws tracebacks with every variable may be installed beside Hostpulse."""
    code = (
        "import structlog; from hostpulse import logs; logs.set_up('text', 'info')\n"
        "def sign_in(password):\n"
        "    raise ValueError('no')\n"
        "try:\n"
        f"    sign_in('-'.join({CANARY.split('-')!r}))\n"
        "except ValueError:\n"
        "    structlog.get_logger('x').exception('a request failed')\n"
    )
    line = [*command("x")[:1], "-c", code]
    program = Program(line, tmp_path / "log", environment())
    program.process.wait(30)
    assert "ValueError: no" in program.written()
    assert CANARY not in program.written()


def test_f96_what_every_test_of_this_folder_is_held_to_finds_a_secret(backend: Backend) -> None:
    key = mint("ag", os.urandom).text
    assert secrets_in(f"a line with {key} and {PASSWORD}") == {key[:-8], PASSWORD}
    told = {"password": PASSWORD, "name": "ann"}
    answer = requests.post(f"{backend.url}/api/session", json=told, headers=of_key(key), timeout=9)
    assert repeated(answer) == set()
    answer._content = f"{key} {PASSWORD}".encode()
    assert repeated(answer) == {key, PASSWORD}


def test_f96_a_backup_has_no_secret_but_as_a_digest(place: Place) -> None:
    with place.backend(auth=True) as backend:
        token = backend.parts.people.links.make_setup()
        story = Story(backend.url, token)
        story.tell(token)
        file = place.folder.parent / "backup"
        line = command("hostpulse", "backup", str(file))
        subprocess.run(line, env=place.environment(), check=True, timeout=60, capture_output=True)
        content = file.read_bytes()
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode(
            "latin-1"
        )
    assert "argon2id" in text
    assert story.found_in(text) == {story.app}, "without it a restore would make passwords enough"


def test_f96_a_password_is_kept_by_argon2id_in_the_measure_of_owasp(backend: Backend) -> None:
    kept = Passwords().hash(CANARY)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert backend.parts.people.accounts._passwords.fits(kept, CANARY)
