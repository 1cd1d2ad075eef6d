"""F104: a backup brings accounts, keys, servers and the audit log back, and no session."""

from __future__ import annotations

import gzip
import itertools
import secrets
import stat
import subprocess
from pathlib import Path

import pytest
import requests
from hostpulse.access.principal import Principal
from hostpulse.access.sessions import Client
from hostpulse.control.store import FILE

from tests.backend.control_places import PLACES, Place, place_of
from tests.backend_under_test import Backend, eventually, report
from tests.programs import command

PASSWORD = "a good long sentence"
HERE = Client("127.0.0.1", "test")


def run(place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Hostpulse on the store of a place."""
    line, env = command("hostpulse", *arguments), place.environment()
    return subprocess.run(line, env=env, capture_output=True, text=True, timeout=60, check=False)


def own(backend: Backend) -> str:
    """Make the first owner; return the token of the session."""
    link = backend.parts.people.links.make_setup()
    return backend.parts.people.links.use(link, "alice", PASSWORD, HERE).token


def signed_in(backend: Backend, session: str) -> bool:
    answer = requests.get(f"{backend.url}/api/session", cookies={"hostpulse": session}, timeout=9)
    return bool(answer.json()["signed_in"])


def signs_in(backend: Backend) -> bool:
    form = {"name": "alice", "password": PASSWORD}
    return requests.post(f"{backend.url}/api/session", json=form, timeout=9).ok


@pytest.fixture(params=itertools.product(PLACES, PLACES), ids="-to-".join)
def places(request: pytest.FixtureRequest, tmp_path: Path) -> list[Place]:
    folders = [tmp_path / "from", tmp_path / "to"]
    for folder in folders:
        folder.mkdir()
    return [
        place_of(request, kind, folder) for kind, folder in zip(request.param, folders, strict=True)
    ]


def test_f104_what_was_there_is_there_again_while_both_backends_run(
    places: list[Place], tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    source, target = places
    with source.backend(auth=True) as backend:
        session = own(backend)
        key = backend.parts.issuer.make_ingest(Principal(), "curl").text
        headers = {"Authorization": f"Bearer {key}"}
        assert backend.post(report("web-1"), headers=headers).ok
        backend.parts.registrar.save()
        assert signed_in(backend, session)
        assert run(source, "backup", str(file)).returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with target.backend(auth=True) as backend:
        assert backend.post(report("gone"), headers=headers).status_code == 401
        other = own(backend)
        backend.accept(report("gone"))
        backend.parts.registrar.save()
        assert run(target, "restore", "--yes", str(file)).returncode == 0
        backend.parts.registrar.save()
        backend.parts.keyring.refresh()
        hostnames = [one.hostname for one in backend.parts.servers.all("default")]
        assert hostnames == ["web-1"]
        assert backend.post(report("web-1"), headers=headers).ok
        eventually(lambda: not signed_in(backend, other), 5)
        assert not signed_in(backend, session), "a session outlives no restore"
        assert signs_in(backend)
    assert "each as it was written" in run(target, "audit", "verify").stdout


def test_f104_what_was_revoked_or_locked_out_since_stays_so(tmp_path: Path) -> None:
    place, file = Place(tmp_path, ""), tmp_path / "backup"
    with place.backend(auth=True) as backend:
        own(backend)
        issuer, people = backend.parts.issuer, backend.parts.people
        keys = [issuer.make_ingest(Principal(), "curl") for _ in range(2)]
        link = people.links.invite(Principal(), "viewer")
        people.links.use(link, "bob", PASSWORD, Client("127.0.0.1", "test"))
        bob = next(m.user.id for m in people.members.list(Principal()) if m.user.name == "bob")
        assert run(place, "backup", str(file)).returncode == 0
        issuer.revoke(Principal(), keys[0].id)
        people.members.disable(Principal(), bob, True)
        assert run(place, "restore", "--yes", str(file)).returncode == 0
        backend.parts.keyring.refresh()
        assert [issuer.list(Principal())[0].id] == [keys[1].id]
        assert [m.user.disabled for m in people.members.list(Principal())] == [False, True]
        _, newest = people.log.newest(Principal(), 0, 1)[0]
        assert (newest.action, "in the place of" in newest.object) == ("restore a backup", True)


def test_f104_a_backup_that_cannot_be_written_is_a_sentence_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, "")
    with place.backend(auth=True) as backend:
        own(backend)
    ended = run(place, "backup", str(tmp_path / "nowhere" / "backup"))
    assert ended.returncode == 1
    assert ended.stderr.endswith("No such file or directory; no backup was made.\n")
    full = run(place, "backup", "/dev/full/backup")
    assert (full.returncode, "Traceback" in full.stderr) == (1, False)


@pytest.mark.parametrize("damage", ["cut", "other", "newer", "torn"])
def test_f104_a_file_that_is_no_whole_backup_changes_nothing(damage: str, tmp_path: Path) -> None:
    place = Place(tmp_path, "")
    with place.backend(auth=True) as backend:
        own(backend)
    file = tmp_path / "backup"
    assert run(place, "backup", str(file)).returncode == 0
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    if damage == "cut":
        lines = lines[:-1]
    elif damage == "newer":
        lines[0] = b'{"hostpulse_backup":1,"revision":"9999"}\n'
    elif damage == "torn":  # people without their memberships' organisation
        lines = [line for line in lines if not line.startswith(b'["tenants"')]
    else:
        lines = [secrets.token_bytes(100)]
    file.write_bytes(gzip.compress(b"".join(lines)))
    before = (tmp_path / FILE).stat().st_size
    ended = run(place, "restore", "--yes", str(file))
    assert ended.returncode == 1
    assert "Nothing was changed." in ended.stderr
    assert (tmp_path / FILE).stat().st_size >= before
    with place.backend(auth=True) as backend:
        assert signs_in(backend)
