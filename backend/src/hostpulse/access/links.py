"""Links that are good once: the first owner's, invitations, and those for a new password."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from hostpulse.access.accounts import checked_name, new_account
from hostpulse.access.audit import AuditLog
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.members import check_account, check_rank, member_of
from hostpulse.access.passwords import Passwords, check_password
from hostpulse.access.principal import DEFAULT_TENANT, OPERATOR, ROLES, Need, Principal
from hostpulse.access.second_step import Entry, SecondStep
from hostpulse.access.secret import digest, url_token
from hostpulse.access.sessions import DAY_MS, Client, Sessions
from hostpulse.control import people_rows
from hostpulse.control.people_rows import LinkRow

LINK_MS = DAY_MS
_THIS_MACHINE = Principal()
_LINK_OVER = "This link was used or is too old; ask for another one."


class About(NamedTuple):
    """What a link is for, whose it is ('' for a new account), and where it leads in which role."""

    kind: str
    name: str
    tenant: str
    role: str


class OpenLink(NamedTuple):
    """A link that nobody used yet; `person` is whose password it sets, '' for none."""

    id: str
    kind: str
    role: str
    person: str
    made_by: str
    expires_ms: int


class Links:
    """Makes links and accounts of them. Any method may raise AccessDenied, StoreAway."""

    def __init__(
        self,
        means: Means,
        passwords: Passwords,
        sessions: Sessions,
        second_step: SecondStep,
    ) -> None:
        self._store, self._clock_ms, self._random_bytes = means
        self._log = AuditLog(means)
        self._sessions = sessions
        self._passwords = passwords
        self._second_step = second_step
        self._is_owned = False

    def needs_setup(self) -> bool:
        """Tell whether nobody owns anything yet."""
        if not self._is_owned:
            with self._store.system_transaction() as connection:
                self._is_owned = people_rows.is_owned(connection)
        return not self._is_owned

    def make_setup(self, tenant: str = DEFAULT_TENANT, by: Principal = _THIS_MACHINE) -> str:
        """Return the token of a link that makes the first owner; an earlier one is void."""
        return self._make("setup", Principal(tenant, by.name, user=by.user), "owner")

    def make_first_owner(self, by: Principal, name: str, password: str) -> None:
        """Make the account of the first owner, as who uses the link of `make_setup` would."""
        name, now_ms = checked_name(name), self._clock_ms()
        check_password(password, name)
        kept = self._passwords.hash(password)
        link = LinkRow(b"", "setup", by.tenant, "owner", "", now_ms)
        with self._store.system_transaction() as connection:
            self._new_member(connection, link, name, kept, now_ms)
            self._log.note(connection, by, "make the first owner", name)

    def invite(self, by: Principal, role: str) -> str:
        """Return the token of a link that makes a member of this role."""
        check_rank(by, role)
        return self._make("invite", by, role)

    def make_reset(self, by: Principal, user_id: str) -> str:
        """Return the token of a link that sets a new password of a member."""
        with self._store.system_transaction() as connection:
            check_account(connection, by, member_of(connection, by.tenant, user_id))
        return self._make("reset", by, "", user_id)

    def open(self, by: Principal) -> list[OpenLink]:
        """Return the links of the tenant that are good."""
        with self._store.system_transaction() as connection:
            members = people_rows.members(connection, by.tenant)
            found = people_rows.open_links(connection, by.tenant, self._clock_ms())
            rows = [row for row in found if _may_be_made(connection, row)]
        names = {user.id: user.name for user, _ in members}
        return [
            OpenLink(
                _id_of(row), row.kind, row.role, names.get(row.user, ""),
                names.get(row.made_by, ""), row.expires_ms,
            )
            for row in rows
        ]  # fmt: skip

    def withdraw(self, by: Principal, id_: str) -> None:
        """Make a link good for nothing."""
        with self._store.transaction(by.tenant) as connection:
            rows = people_rows.open_links(connection, by.tenant, self._clock_ms())
            row = next((one for one in rows if _id_of(one) == id_), None)
            if row is None:
                raise AccessDenied(404, f"No link that is good has the id {id_!r}.")
            if row.role:
                check_rank(by, row.role)
            people_rows.drop_link(connection, row.digest)
            self._log.note(connection, by, f"withdraw a {row.kind} link", row.role or row.user)

    def _make(self, kind: str, by: Principal, role: str, user: str = "") -> str:
        token, now_ms = url_token(self._random_bytes), self._clock_ms()
        expires_ms = now_ms + LINK_MS
        row = LinkRow(digest(token), kind, by.tenant, role, user, expires_ms, made_by=by.user)
        with self._store.transaction(by.tenant) as connection:
            people_rows.add_link(connection, row)
            self._log.note(connection, by, f"make a {kind} link", user or role)
        return token

    def look(self, token: str, client: Client) -> str:
        """Return the session of somebody who has the set-up link and wants to see a chart first."""
        with self._store.system_transaction() as connection:
            link = self._good_link(connection, digest(token))
            if link.kind != "setup":
                raise AccessDenied(403, "Only the link of the first owner shows anything before.")
            return self._sessions.begin(connection, link.tenant, "", client, remembered=False)

    def about(self, token: str) -> About:
        """Return what a link is for."""
        with self._store.system_transaction() as connection:
            link = self._good_link(connection, digest(token))
            owner = people_rows.user(connection, link.user) if link.user else None
            tenant = people_rows.tenants_by_id(connection)[link.tenant].name
            return About(link.kind, owner.name if owner else "", tenant, link.role)

    def use(self, token: str, name: str, password: str, client: Client) -> Entry:
        """Make the account, or set the password, that a link is for, and let the person in."""
        now_ms = self._clock_ms()
        with self._store.system_transaction() as connection:
            link = self._good_link(connection, digest(token))
            owner = people_rows.user(connection, link.user) if link.user else None
        name = owner.name if owner else checked_name(name)
        check_password(password, name)
        kept = self._passwords.hash(password)
        with self._store.system_transaction() as connection:
            if not people_rows.use_link(connection, link.digest, now_ms):
                raise AccessDenied(410, _LINK_OVER)
            if owner:
                user_id = owner.id
                people_rows.change_user(connection, user_id, password=kept, failures=0)
                people_rows.end_sessions(connection, user_id)
            else:
                user_id = self._new_member(connection, link, name, kept, now_ms)
            self._note_use(connection, link, name, client)
            waits = self._second_step.wait(connection, owner, client, False) if owner else None
            entry = waits or Entry(
                self._sessions.begin(connection, link.tenant, user_id, client, remembered=False)
            )
        self._sessions.forget_known()
        return entry

    def join(self, who: Principal, token: str) -> None:
        """Make somebody who has an account a member of the organisation that invites, and go there.

        The session is of that organisation from then on.
        """
        with self._store.system_transaction() as connection:
            link = self._good_link(connection, digest(token))
            if link.kind == "reset":
                raise AccessDenied(409, "This link is for a new password, not for joining.")
            if link.tenant in people_rows.roles_of(connection, who.user):
                raise AccessDenied(409, "You belong to this organisation already.")
            self._check_unowned(connection, link)
            if not people_rows.use_link(connection, link.digest, self._clock_ms()):
                raise AccessDenied(410, _LINK_OVER)
            people_rows.set_role(connection, link.tenant, who.user, link.role)
            by = replace(who, tenant=link.tenant)
            self._log.note(connection, by, f"use a {link.kind} link", who.name)
            people_rows.change_session(
                connection, who.session, tenant=link.tenant, visit_until_ms=None
            )
        self._sessions.forget_known()

    @staticmethod
    def _check_unowned(connection: Connection, link: LinkRow) -> None:
        """Return if a set-up link may still make the first owner."""
        members = people_rows.members(connection, link.tenant)
        if link.kind == "setup" and any(member.role == "owner" for member in members):
            raise AccessDenied(410, "There is an owner already; sign in, or ask for an invitation.")

    def accept(self, connection: Connection, kept: bytes, name: str, client: Client) -> str:
        """Make an account without a password of the link with this digest; return its id."""
        link, now_ms = self._good_link(connection, kept), self._clock_ms()
        if link.user or not people_rows.use_link(connection, link.digest, now_ms):
            raise AccessDenied(410, _LINK_OVER)
        self._note_use(connection, link, name, client)
        return self._new_member(connection, link, name, "", now_ms)

    def _note_use(self, connection: Connection, link: LinkRow, name: str, client: Client) -> None:
        by = Principal(link.tenant, f"user {name}")
        self._log.note(connection, by, f"use a {link.kind} link", name, "done", client.address)

    def _new_member(
        self, connection: Connection, link: LinkRow, name: str, kept: str, now_ms: int
    ) -> str:
        if people_rows.user_named(connection, name):
            raise AccessDenied(409, f"name: {name} is taken; choose another.")
        self._check_unowned(connection, link)
        if link.kind == "setup":
            people_rows.end_looks(connection, link.tenant)
        row = new_account(self._random_bytes, name, kept, now_ms)
        if link.kind == "setup" and link.tenant == DEFAULT_TENANT:
            row = row._replace(operator=True)  # whoever installed this server runs it
        people_rows.add_user(connection, row)
        people_rows.set_role(connection, link.tenant, row.id, link.role)
        return row.id

    def _good_link(self, connection: Connection, kept: bytes) -> LinkRow:
        link = people_rows.link(connection, kept)
        if link is None or link.used_ms or self._clock_ms() >= link.expires_ms:
            raise AccessDenied(410, _LINK_OVER)
        if not _may_be_made(connection, link):
            raise AccessDenied(410, _LINK_OVER)
        return link


def _may_be_made(connection: Connection, link: LinkRow) -> bool:
    """Tell whether whoever made a link might make it still, as they and all others are now."""
    if not link.made_by:
        return True
    maker = people_rows.user(connection, link.made_by)
    if maker is None or maker.disabled:
        return False
    role = people_rows.roles_of(connection, maker.id).get(link.tenant, "")
    grants = ROLES.get(role, frozenset()) | (OPERATOR if maker.operator else frozenset())
    by = Principal(link.tenant, maker.name, grants, role, user=maker.id)
    if link.kind == "setup":
        return by.may(Need.OPERATE)
    try:
        if link.kind == "reset":
            check_account(connection, by, member_of(connection, link.tenant, link.user))
        else:
            check_rank(by, link.role)
    except AccessDenied:
        return False
    return by.may(Need.PEOPLE)


def _id_of(link: LinkRow) -> str:
    """Return how a link is called; its token cannot be told from it."""
    return f"lnk_{link.digest.hex()[:16]}"
