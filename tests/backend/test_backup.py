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


@pytest.mark.parametrize("damage", ["cut", "other", "newer"])
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
