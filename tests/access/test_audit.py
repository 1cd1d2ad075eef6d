"""The audit log: what is in it, and that nobody changes it unseen."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from click.testing import CliRunner
from hostpulse import logs
from hostpulse.access.principal import ADMIN, Principal
from hostpulse.cli import main

from tests.access.world import PASSWORD, of_session
from tests.backend.control_places import Place
from tests.backend_under_test import Backend, report

BY = Principal(name="test", grants=ADMIN, role="owner")
NASTY = (
    "two\nlines",
    "carriage\rreturn",
    'a "quote" and \\n',
    "\x1b[2J\x1b[31mred",
    "line\u2028separator\u2029",
    "next\u0085line",
    "\u202eright to left",
    '","level":"info","event":"all is well"}\n{"event":"forged"',
)


def run(place: Place, *words: str) -> tuple[int, str]:
    """Run a command of `hostpulse`; return its exit code and words."""
    done = CliRunner().invoke(main, words, env=place.environment())
    return done.exit_code, done.output


TAMPERED = {
    "changed": ["UPDATE audit SET actor = 'somebody else' WHERE number = 3"],
    "changed in its time": ["UPDATE audit SET time_ms = time_ms + 1 WHERE number = 1"],
    "removed": ["DELETE FROM audit WHERE number = 3"],
    "removed at the beginning": ["DELETE FROM audit WHERE number <= 2"],
    "removed, the rest counted anew": [
        "DELETE FROM audit WHERE number = 3",
        "UPDATE audit SET number = number - 1 WHERE number = 4",
        "UPDATE audit SET number = number - 1 WHERE number = 5",
        "UPDATE audit SET number = number - 1 WHERE number = 6",
    ],
    "reordered": [
        "UPDATE audit SET number = 100 WHERE number = 3",
        "UPDATE audit SET number = 3 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = 100",
    ],
    "cut off at the end": ["DELETE FROM audit WHERE number >= 5"],
    "removed altogether": ["DELETE FROM audit"],
    "cut off, and another one in its place": [
        "UPDATE audit SET hash = 'of another row' WHERE number = 6"
    ],
    "added": [
        "INSERT INTO audit SELECT 7, time_ms, tenant, actor, action, object, result, address, hash"
        " FROM audit WHERE number = 6"
    ],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_row_that_was_tampered_with_is_found(place: Place, how: str) -> None:
    with place.opened():
        pass
    with place.backend(auth=True) as backend:
        for number in range(6):
            backend.parts.issuer.make_ingest(BY, f"key {number}")
        assert backend.parts.people.log.ends_well()
    [(last,)] = place.ask("SELECT hash FROM audit WHERE number = 6")
    assert run(place, "audit", "verify") == (
        0,
        f"6 entries, each as it was written. The last is {last}.\n",
    )
    for statement in TAMPERED[how]:
        place.ask(statement)
    code, said = run(place, "audit", "verify")
    assert code == 1
    assert "The audit log is not what was written." in said


def test_a_log_that_was_cut_off_at_the_end_says_so_where_it_is_read(place: Place) -> None:
    with place.backend(auth=True) as backend:
        for number in range(3):
            backend.parts.issuer.make_ingest(BY, f"key {number}")
        place.ask("DELETE FROM audit WHERE number = 3")
        assert not backend.parts.people.log.ends_well()
        backend.parts.issuer.make_ingest(BY, "one more hides nothing")
    assert "Rows 3 to 3 are missing." in run(place, "audit", "verify")[1]


def test_what_people_and_keys_did_is_written_down(backend: Backend) -> None:
    people, issuer = backend.parts.people, backend.parts.issuer
    link = {"token": people.links.make_setup(), "name": "ann", "password": PASSWORD}
    session = backend.request("POST", "/api/links/use", json=link).cookies["hostpulse"]
    backend.http.cookies.clear()
    backend.accept(report())
    headers = of_session(session)

    def do(method: str, path: str, wish: object = None) -> None:
        answer = backend.request(method, path, json=wish, headers=headers)
        assert answer.ok, answer.text

    key = issuer.make_ingest(BY, "x")
    do("PATCH", "/api/servers/web-1", {"note": "x"})
    do("DELETE", f"/api/keys/{key.id}")
    do("POST", "/api/people", {"role": "viewer"})
    do("DELETE", "/api/servers/web-1")
    bad = {"name": "ann", "password": "wrong"}
    assert backend.request("POST", "/api/session", json=bad).status_code == 401
    do("DELETE", "/api/session")
    rows = [row for _, row in people.log.newest(BY, 0, 200)]
    deeds = [(row.actor, row.action, row.result) for row in reversed(rows)]
    assert deeds == [
        ("this machine", "make a setup link", "done"),
        ("user ann", "use a setup link", "done"),
        ("test", "make a key (ingest)", "done"),
        ("user ann", "change a server", "done"),
        ("user ann", "revoke a key", "done"),
        ("user ann", "make a invite link", "done"),
        ("user ann", "delete a server", "done"),
        ("nobody", "sign in", "refused"),
        ("user ann", "sign out", "done"),
    ]
    by_people = [row for row in rows if row.actor not in ("this machine", "test")]
    assert {row.address for row in by_people} == {"127.0.0.1"}


def test_what_was_typed_for_a_name_that_nobody_has_is_not_kept(backend: Backend) -> None:
    """It may be a password that went into the wrong field."""
    typed = {"name": "correct horse battery", "password": "ann"}
    assert backend.request("POST", "/api/session", json=typed).status_code == 401
    ((_, row),) = backend.parts.people.log.newest(BY, 0, 200)
    assert (row.action, row.object, row.result) == ("sign in", "an unknown name", "refused")


def test_f94_what_others_call_themselves_stays_one_line_of_the_log(place: Place) -> None:
    with place.backend(auth=True) as backend:
        for text in NASTY:
            body = {"name": text, "password": "x"}
            assert backend.request("POST", "/api/session", json=body).status_code == 401
            assert backend.parts.issuer.make_ingest(BY, text)
        assert len(backend.parts.people.log.newest(BY, 0, 99)) == 2 * len(NASTY)
    for words, count in (("audit show", 2 * len(NASTY)), ("key list", len(NASTY))):
        code, shown = run(place, *words.split())
        assert code == 0
        lines = shown.splitlines()
        assert len(lines) == count, shown
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_f94_one_event_is_one_line_whatever_is_in_it(
    log_format: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    root = logging.getLogger()
    before, level, config = root.handlers[:], root.level, structlog.get_config()

    def restore() -> None:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.configure(**config)

    request.addfinalizer(restore)
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    logs.set_up(log_format, "info")
    log = structlog.get_logger("test")
    for text in NASTY:
        log.warning("a request failed", path=text, problem=text)
        logging.getLogger("uvicorn.error").warning("odd: %s", text)
    lines = written.getvalue().split("\n")
    if log_format == "json":
        assert len([json.loads(line) for line in lines if line]) == 2 * len(NASTY)
    assert len([line for line in lines if line]) == 2 * len(NASTY)
    assert "\x1b" not in written.getvalue()
    assert not {"\r", "\u2028", "\u0085"} & set(written.getvalue())
