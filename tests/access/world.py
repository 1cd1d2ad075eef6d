"""Three organisations in one backend, each with people, keys, servers and words of its own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from hostpulse.access.principal import ADMIN, Principal
from hostpulse.access.sessions import Client, csrf_token
from hostpulse.control import key_rows

from tests.backend_under_test import Backend, report

PASSWORD = "canary-51c8 sings at dawn"
ROLES = ("viewer", "editor", "admin", "owner")
OPERATOR = Principal(name="whoever runs this")
REMOTE = {"Host": "192.0.2.7"}
"""Asked by an address that others use, a request is not one of this machine."""
NO_LIMITS = {
    "key_requests_per_minute": 10**6,
    "person_requests_per_minute": 10**6,
    "tenant_requests_per_minute": 10**6,
    "stranger_requests_per_minute": 10**6,
}


@dataclass
class Account:
    """Somebody who is signed in; `session` is the cookie."""

    id: str
    name: str
    session: str

    @property
    def headers(self) -> dict[str, str]:
        return of_session(self.session)


def of_session(token: str) -> dict[str, str]:
    """Return the headers of a browser with this session, which asks as our own page does."""
    return {"Cookie": f"hostpulse={token}", "X-CSRF-Token": csrf_token(token)}


def of_key(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@dataclass
class Organisation:
    """`word` is in everything that this organisation has, and in nothing of another one."""

    id: str
    word: str
    people: dict[str, Account] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def by(self) -> Principal:
        return Principal(self.id, f"test of {self.word}", ADMIN, "owner")

    def secrets(self) -> set[str]:
        """Return what no other organisation may read."""
        people = {one.id for one in self.people.values()} | {
            one.session for one in self.people.values()
        }
        return {self.word, *people, *self.ids.values(), *self.keys.values()}


class World:
    """`home`, `other` and `empty`, which has no owner yet."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.people, self.issuer = backend.parts.people, backend.parts.issuer
        self.home = Organisation("default", "antelope")
        self.other = Organisation("second", "zebra")
        self.empty = Organisation("third", "quagga")
        for one in (self.other, self.empty):
            self.people.tenants.make(OPERATOR, one.id, f"{one.word} Ltd")
        for one in (self.home, self.other, self.empty):
            self._fill(one)
        self.looker = self.people.links.look(
            self.people.links.make_setup(self.empty.id), self.client()
        )
        for one in (self.home, self.other):
            self._people(one)
            self._sort_ids(one)

    def client(self, word: str = "nobody") -> Client:
        return Client("127.0.0.1", f"{word} browser")

    def _fill(self, one: Organisation) -> None:
        by, word = one.by, one.word
        enrolment = self.issuer.make_enrolment(by, 60, 1000, [f"{word}-tag"], f"{word} token")
        ingest = self.issuer.make_ingest(by, f"{word} ingest")
        revoked = self.issuer.make_ingest(by, f"{word} revoked")
        self.issuer.revoke(by, revoked.id)
        one.keys |= {"enrolment": enrolment.text, "ingest": ingest.text, "revoked": revoked.text}
        one.ids["enrolment"], one.ids["ingest"] = enrolment.id, ingest.id
        for scope in ("read", "edit", "manage"):
            token = self.issuer.make_personal(by, f"{word} {scope}", [scope], 365)
            one.keys[f"token {scope}"], one.ids[f"token {scope}"] = token.text, token.id
        machine = {"hostname": f"{word}-db", "machine": "ab" * 32}
        made = self.backend.request(
            "POST", "/api/enrol", json=machine, headers=of_key(enrolment.text)
        )
        assert made.status_code == 200, made.text
        one.keys["agent"], one.ids["agent server"] = made.json()["key"], made.json()["server"]
        one.ids["server"] = self.add_server(one, f"{word}-web")
        self.post(one, report(f"{word}-db"), "agent")

    def post(self, one: Organisation, reports: Any, key: str = "ingest") -> Any:
        """Send reports with a key of an organisation; they must be taken."""
        answer = self.backend.post(reports, headers=of_key(one.keys[key]))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add_server(self, one: Organisation, hostname: str) -> str:
        """Let a server report; return its id."""
        custom = {f"{one.word}_gauge": 1}
        sections = {"cpu": {"cpu_percent_total": 1}, "custom": custom, "tags": [f"{one.word}-tag"]}
        self.post(one, report(hostname, **sections))
        return self.backend.parts.servers.find(one.id, hostname).id

    def _people(self, one: Organisation) -> None:
        link = self.people.links.make_setup(one.id)
        one.people["owner"] = self.join(one, link, f"{one.word}-owner")
        for name, role in (
            ("viewer", "viewer"), ("editor", "editor"), ("admin", "admin"),
            ("viewer-twin", "viewer"), ("editor-twin", "editor"), ("admin-twin", "admin"),
            ("owner-twin", "owner"), ("target", "viewer"), ("disabled", "admin"),
            ("ended", "admin"), ("operator", "viewer"), ("operator-twin", "viewer"),
        ):  # fmt: skip
            link = self.people.links.invite(one.by, role)
            one.people[name] = self.join(one, link, f"{one.word}-{name}")
        for name in ("owner", "operator", "operator-twin"):
            self.people.members.make_operator(one.by, one.people[name].id, name != "owner")
        self.people.members.disable(one.by, one.people["disabled"].id, True)
        ended = self.people.sessions.find(one.people["ended"].session, True)
        assert ended is not None
        self.people.sessions.end(ended.principal)

    def make_token(self, one: Organisation, name: str) -> str:
        """Make a personal token of somebody; return its id."""
        by = replace(one.by, user=one.people[name].id)
        return self.issuer.make_personal(by, "short-lived", ["read"], 1).id

    def make_tenant(self) -> str:
        """Make an organisation with nothing in it; return its id."""
        id_ = f"short-lived-{secrets.token_hex(4)}"
        self.people.tenants.make(OPERATOR, id_, id_)
        return id_

    def join(self, one: Organisation, link: str, name: str) -> Account:
        """Use a link of an organisation; return the new account."""
        session = self.people.links.use(link, name, PASSWORD, self.client(one.word)).token
        found = self.people.sessions.find(session, True)
        assert found is not None
        return Account(found.principal.user, name, session)

    def sign_in(self, one: Organisation, role: str) -> tuple[str, str]:
        """Sign a person in once more; return the id and the cookie of the session."""
        session = self.people.accounts.sign_in(
            f"{one.word}-{role}", PASSWORD, self.client(one.word), remembered=False
        ).token
        found = self.people.sessions.find(session, True)
        assert found is not None
        return found.row.id, session

    def _sort_ids(self, one: Organisation) -> None:
        for name in ("owner", "viewer"):
            found = self.people.sessions.find(one.people[name].session, True)
            assert found is not None
            one.ids[f"{name} session"] = found.row.id
        self.people.links.invite(one.by, "viewer")
        one.ids["link"] = self.people.links.open(one.by)[0].id
        with self.people.members._store.system_transaction() as connection:
            rows = key_rows.of_tenant(connection, one.id)
        one.ids |= {f"key {row.id}": row.id for row in rows}
