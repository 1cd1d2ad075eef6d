"""The nginx of Debian with our configuration, in front of two backends on one PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from tests.backend_under_test import eventually, report
from tests.https_server import only
from tests.known_key import known
from tests.nginx_server import NAME, Nginx
from tests.programs import Program, answers, command, environment, free_port, now_ms

pytestmark = pytest.mark.timeout(180)
QUICK = {"header_timeout 10s": "header_timeout 1s", "body_timeout 10s": "body_timeout 1s"}
PASSWORD = "a long walk on the beach"


class Site:
    """Two backends that ask people to sign in, and nginx in front of them."""

    def __init__(self, folder: Path, database: str, nginx: str) -> None:
        self.folder = folder
        authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self.ports = (free_port(), free_port())
        self.nginx = Nginx(nginx, folder / "nginx", authority, self.ports, QUICK)
        self.url = self.nginx.url
        self.settings = environment(
            HOSTPULSE_CONTROL=database,
            HOSTPULSE_STORAGE=database,
            HOSTPULSE_AUTH="true",
            HOSTPULSE_BEHIND_PROXY="127.0.0.1",
            HOSTPULSE_PUBLIC_URL=self.url,
        )
        self.backends = [self.start(number) for number in range(2)]
        for number in range(2):
            self.wait_for(number)
        self.key = self.known(self.run("key", "create", "--label", "tests"))
        self.http = self.browser()

    def start(self, number: int) -> Program:
        """Start one of the backends."""
        line = command("hostpulse", "serve", "--port", str(self.ports[number]))
        data = {"HOSTPULSE_DATA_DIR": str(self.folder / f"data-{number}")}
        return Program(line, self.folder / f"backend-{number}.log", {**self.settings, **data})

    def wait_for(self, number: int) -> None:
        """Wait until a backend answers, asked without nginx."""
        backend, url = self.backends[number], f"http://127.0.0.1:{self.ports[number]}"

        def is_there() -> bool:
            assert backend.process.poll() is None, backend.written()
            return answers(url)

        eventually(is_there, 30)

    def known(self, key: str) -> str:
        """Return the key, once both backends have learnt of it."""
        for port in self.ports:
            known(key, f"http://127.0.0.1:{port}")
        return key

    def run(self, *arguments: str) -> str:
        """Run a command of `hostpulse` on the control store of both; return what it prints."""
        done = subprocess.run(
            command("hostpulse", *arguments), env={**self.settings, "HOME": str(self.folder)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def browser(self) -> requests.Session:
        """Return a client that trusts this authority, whatever the environment says."""
        client = requests.Session()
        client.trust_env = False
        client.verify = self.ca_file
        return client

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET through nginx."""
        return self.http.get(self.url + path, timeout=20, allow_redirects=False, **more)

    def post(self, path: str, content: Any, **headers: str) -> requests.Response:
        """POST JSON through nginx."""
        return self.http.post(self.url + path, json=content, headers=headers, timeout=20)

    def report(self, hostname: str, time_ms: int) -> requests.Response:
        """POST one report with the key."""
        return self.post(
            "/api/metrics", report(hostname, time_ms), Authorization=f"Bearer {self.key}"
        )

    def viewer(self) -> requests.Session:
        """Return a browser in which somebody is signed in."""
        person = self.browser()
        token = self.run("user", "invite", "--role", "viewer").partition("#")[2]
        content = {"token": token, "name": f"eve{now_ms()}", "password": PASSWORD}
        made = person.post(f"{self.url}/api/links/use", json=content, timeout=20)
        assert made.status_code == 200, made.text
        return person

    def close(self) -> None:
        """End everything."""
        self.http.close()
        for program in (*self.backends, self.nginx):
            program.kill()


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, postgres: Any, needs_program: Callable[..., str]
) -> Iterator[Site]:
    nginx = needs_program("nginx")
    running = Site(tmp_path_factory.mktemp("site"), postgres.create_database(), nginx)
    yield running
    running.close()


def connection(site: Site) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=site.ca_file)
    raw = socket.create_connection(("127.0.0.1", site.nginx.port), timeout=15)
    return context.wrap_socket(raw, server_hostname=NAME)


def times_of(browser: requests.Session, site: Site, hostname: str) -> list[int]:
    """Return when a server has samples."""
    query = {"metrics": "cpu_count_logical", "start": "-10m"}
    path = f"{site.url}/api/servers/{hostname}/history"
    answer = browser.get(path, params=query, timeout=20)
    return list(answer.json()["times"]) if answer.status_code == 200 else []


def test_posts_and_pages_go_through_and_either_backend_has_them_once(site: Site) -> None:
    at_ms = now_ms() // 1000 * 1000
    wanted = [at_ms - 1000 * step for step in reversed(range(20))]
    for time_ms in wanted:
        assert site.report("web-1", time_ms).json()["accepted"] == 1
        assert site.report("web-1", time_ms).json()["duplicates"] == 1
    assert "<title>" in site.get("/").text
    browser = site.viewer()
    for _ in range(2):
        eventually(lambda: times_of(browser, site, "web-1") == wanted)


def test_plain_http_leads_to_https_and_every_answer_says_to_stay_there(site: Site) -> None:
    answer = requests.get(
        f"{site.nginx.plain_url}/servers/x?a=1", timeout=20, allow_redirects=False
    )
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"https://{NAME}/servers/x?a=1"
    for path in ("/", "/api/servers", "/api/nothing"):
        said = site.get(path).raw.headers.getlist("Strict-Transport-Security")
        assert said == ["max-age=31536000"], path


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(site: Site, version: ssl.TLSVersion) -> None:
    context = only(version, site.ca_file)
    with (
        socket.create_connection(("127.0.0.1", site.nginx.port), timeout=10) as raw,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(raw, server_hostname=NAME)


def test_a_session_behind_it_is_for_https_alone(site: Site) -> None:
    browser = site.viewer()
    (cookie,) = browser.cookies
    assert cookie.name.startswith("__Host-")
    assert cookie.secure
    assert browser.get(f"{site.url}/api/servers", timeout=20).status_code == 200


def test_the_client_s_address_is_the_one_that_nginx_saw(site: Site) -> None:
    lies = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
    }
    content = {"name": "nobody-of-this-name", "password": PASSWORD}
    refused = site.browser().post(f"{site.url}/api/session", json=content, headers=lies, timeout=20)
    assert refused.status_code in (401, 403), refused.text
    shown = site.run("audit", "show")
    assert "127.0.0.1" in shown
    assert "203.0.113.9" not in shown
    (cookie,) = site.viewer().cookies
    assert cookie.secure


def test_a_body_too_large_is_refused_in_words_before_a_backend_hears_of_it(site: Site) -> None:
    answer = site.http.post(
        f"{site.url}/api/metrics", data=b"x" * (1 << 20 | 1), timeout=20,
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code == 413
    assert "larger" in answer.json()["error"]
    assert answer.json()["request_id"]
    assert answer.headers["Strict-Transport-Security"]


def test_too_many_guesses_are_refused_in_words(site: Site) -> None:
    said = [site.post("/api/links/about", {"token": "x"}) for _ in range(40)]
    refused = [answer for answer in said if answer.status_code == 429]
    from_nginx = [answer for answer in refused if "this address" in answer.json()["error"]]
    assert from_nginx
    for answer in refused:
        assert answer.headers["Retry-After"]
        assert answer.json()["status"] == "error"
    assert site.report("web-2", now_ms()).status_code == 200  # agents have a room of their own
    assert site.get("/api/session").status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /api/metrics HTTP/1.1\r\nHost: localhost\r\nX-",
        b"POST /api/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["headers", "body"],
)
def test_f32_a_slow_client_is_cut_off_while_others_are_served(site: Site, sent: bytes) -> None:
    slow = [connection(site) for _ in range(50)]
    before = time.monotonic()
    for one in slow:
        one.sendall(sent)
    assert site.report("web-3", now_ms()).status_code == 200
    assert time.monotonic() - before < 1
    for one in slow:
        assert_ends(one)
    assert time.monotonic() - before < 10


def assert_ends(one: ssl.SSLSocket) -> None:
    """Fail if the other side keeps the connection."""
    with one:
        try:
            while one.recv(4096):
                pass
        except (ConnectionResetError, ssl.SSLError):
            pass


def enrolled_agent(site: Site, hostname: str, folder: Path) -> Program:
    """Enrol through nginx and start an agent that reports every second."""
    env = environment(HOME=str(folder))
    ini, key = str(folder / "agent.ini"), str(folder / "agent.key")
    named = ("--hostname", hostname, "--interval", "1", "--ca-file", site.ca_file)
    subprocess.run(
        command("hostpulse_agent", "enrol", site.url, "--config", ini, "--key-file", key, *named),
        input=site.known(site.run("enrol", "create")), text=True, check=True, capture_output=True,
        env=env, timeout=60,
    )  # fmt: skip
    line = command("hostpulse_agent", "--config", ini, "--spool", str(folder / "spool"))
    return Program(line, folder / "log", env)


def test_no_sample_of_a_real_agent_is_lost_while_backends_are_killed(
    site: Site, tmp_path: Path
) -> None:
    agent = enrolled_agent(site, "web-9", tmp_path)
    browser = site.viewer()

    def wait_for_more(samples: int) -> None:
        wanted = len(times_of(browser, site, "web-9")) + samples
        eventually(lambda: len(times_of(browser, site, "web-9")) >= wanted, 30)

    try:
        wait_for_more(3)
        for number in range(2):
            os.killpg(site.backends[number].process.pid, signal.SIGKILL)
            site.backends[number].process.wait(10)
            time.sleep(5)  # whoever asks for a page meanwhile would show nginx the dead one first
            wait_for_more(1)
            site.backends[number] = site.start(number)
            site.wait_for(number)
            time.sleep(6)  # nginx tries it again after fail_timeout
    finally:
        agent.kill()
    found = times_of(browser, site, "web-9")
    steps = {round((after - at) / 1000) for at, after in pairwise(found)}
    assert steps == {1}, found
    written = agent.written()
    trouble = [word for word in ("refuse", "cannot be reached", "answered") if word in written]
    assert trouble == [], written  # no live report had to wait
    assert dropped_and_refused(browser, site, "web-9") == (0, 0)


def dropped_and_refused(
    browser: requests.Session, site: Site, hostname: str
) -> tuple[object, object]:
    latest = browser.get(f"{site.url}/api/servers/{hostname}/latest", timeout=20).json()
    about = latest["report"]["agent"]
    return about["dropped_reports"], about["refused_reports"]


def test_without_any_backend_it_says_so(tmp_path: Path, needs_program: Callable[..., str]) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    nginx = Nginx(needs_program("nginx"), tmp_path / "nginx", authority, [free_port(), free_port()])
    try:
        client = requests.Session()
        client.trust_env = False
        client.verify = str(tmp_path / "ca.pem")
        answer = client.get(f"{nginx.url}/api/health", timeout=20)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "try again" in json.loads(answer.content)["error"]
    finally:
        nginx.kill()
