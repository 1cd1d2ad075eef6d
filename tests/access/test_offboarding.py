"""F102: an organisation that leaves takes all that it had with it, and nothing of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostpulse.access.people import People
from hostpulse.access.principal import ADMIN, Principal
from hostpulse.control.store import FILE
from hostpulse.offboarding import REST_MS
from hostpulse.storage.tiers import HOUR_MS
from sqlalchemy import create_engine, inspect, text

from tests.access.test_operator import ask, join
from tests.access.test_people import HERE
from tests.access.world import PASSWORD, of_key
from tests.backend.control_places import PLACES, place_of
from tests.backend_under_test import Backend, Clock, eventually, report

WORD = "quagga"
"""In the id of the organisation that leaves, and in everything that it has."""
STORAGES = ("file", "postgresql", "influxdb")


@pytest.fixture(params=STORAGES)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A backend with sign-in; on both control stores, and on every storage that lasts."""
    control = PLACES[STORAGES.index(request.param) % 2]
    storage = {
        "file": lambda: "file:",
        "postgresql": lambda: request.getfixturevalue("postgres").create_database(),
        "influxdb": lambda: request.getfixturevalue("influxdb").url("leave"),
    }[request.param]()
    place = place_of(request, control, tmp_path / "data")
    with place.backend(Clock(), auth=True, storage=storage) as running:
        yield running


def fill(backend: Backend, tenant: str) -> str:
    """Give an organisation servers with samples of three hours; return a key of it."""
    by = Principal(tenant, "test", ADMIN, "owner")
    key = backend.parts.issuer.make_ingest(by, f"{tenant} key").text
    now_ms = backend.clock.now_ms
    for name in ("db", "web"):
        reports = [
            report(f"{tenant}-{name}", now_ms - ago_ms, custom={f"{tenant}_gauge": 1})
            for ago_ms in range(0, 3 * HOUR_MS, HOUR_MS // 2)
        ]
        assert backend.post(reports, headers=of_key(key)).status_code == 200
    return key


def sign_in(people: People, name: str) -> str:
    """Return a session that lasts for days."""
    return people.accounts.sign_in(name, PASSWORD, HERE, remembered=True).token


def let_pass(backend: Backend, ms: int) -> None:
    backend.clock.advance(ms)
    backend.parts.storage.maintain()


def tenants_of(backend: Backend, operator: str) -> list[str]:
    listed = ask(backend, operator, "GET", "/api/tenants").json()["tenants"]
    return [one["id"] for one in listed]


def left_of(backend: Backend, folder: Path) -> list[str]:
    """Return where the word still stands; the audit log may say that there was such a tenant."""
    config = backend.parts.config
    found = [
        str(file)
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(FILE) and WORD.encode() in file.read_bytes()
    ]
    urls = [config.control or f"sqlite:///{folder / 'data' / FILE}", config.storage]
    for url in urls:
        if url.startswith(("sqlite", "postgresql")):
            found += [name for name, text in rows_of(url) if WORD in text and name != "audit"]
    if config.storage.startswith("influxdb"):
        names = backend.parts.storage._tenants._engine.query(["SHOW DATABASES"])  # type: ignore[attr-defined]
        found += [name for name in str(names).split("'") if WORD in name]
    return found


def rows_of(url: str) -> Iterator[tuple[str, str]]:
    """Yield every row of a database as text, with the name of its table."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        for schema in inspect(engine).get_schema_names():
            if schema in ("main", "public", "hostpulse"):
                for name in inspect(engine).get_table_names(schema):
                    for row in connection.execute(text(f'SELECT * FROM "{schema}"."{name}"')):
                        yield name, str(tuple(row))
    engine.dispose()


@dataclass
class Organisation:
    """One with an owner who is signed in, a key, and servers that have reported."""

    id: str
    owner: str
    key: str
    servers: list[str]


def organisation(backend: Backend, operator: str, id_: str) -> Organisation:
    parts = backend.parts
    wanted = {"id": id_, "name": f"{id_} Ltd"}
    link = ask(backend, operator, "POST", "/api/tenants", wanted).json()["link"].partition("#")[2]
    parts.people.links.use(link, f"{id_}-owner", PASSWORD, HERE)
    key = fill(backend, id_)
    servers = [one.id for one in parts.servers.all(id_)]
    return Organisation(id_, sign_in(parts.people, f"{id_}-owner"), key, servers)


def test_f102_all_of_it_is_gone_and_others_keep_theirs(backend: Backend, tmp_path: Path) -> None:
    parts = backend.parts
    join(parts.people, "ann")
    operator = sign_in(parts.people, "ann")
    goes, stays = (organisation(backend, operator, id_) for id_ in (WORD, "stays"))
    link = parts.people.links.invite(Principal(WORD, "test", ADMIN, "owner"), "viewer")
    assert ask(backend, stays.owner, "POST", "/api/links/join", {"token": link}).ok
    assert ask(backend, stays.owner, "PUT", "/api/session/tenant", {"tenant": "stays"}).ok
    let_pass(backend, HOUR_MS)
    assert all(parts.storage.series(one.id, id_) for one in (goes, stays) for id_ in one.servers)

    assert ask(backend, operator, "DELETE", f"/api/tenants/{WORD}").status_code == 200
    parts.keyring.refresh()
    assert backend.post(report(f"{WORD}-db"), headers=of_key(goes.key)).status_code == 403
    assert ask(backend, goes.owner, "GET", "/api/servers").status_code == 401
    assert left_of(backend, tmp_path), "the scan finds what is there"
    backend.clock.advance(REST_MS + 1)
    eventually(lambda: tenants_of(backend, operator) == ["default", "stays"], seconds=20)
    for _ in range(4):
        let_pass(backend, HOUR_MS)

    assert left_of(backend, tmp_path) == []
    assert parts.servers.all(WORD) == []
    assert not any(parts.storage.series(WORD, id_) for id_ in goes.servers)
    assert all(parts.storage.series("stays", id_) for id_ in stays.servers)
    assert ask(backend, stays.owner, "GET", "/api/servers").json()["total"] == 2
    assert [one.user.name for one in parts.people.members.list(Principal("stays"))] == [
        "stays-owner"
    ]
    parts.keyring.refresh()
    assert backend.post(report(f"{WORD}-db"), headers=of_key(goes.key)).status_code == 401
