"""The people of an organisation: who belongs to it in which role, and who is locked out."""

from __future__ import annotations

from sqlalchemy import Connection

from hostpulse.access.audit import AuditLog
from hostpulse.access.denied import AccessDenied
from hostpulse.access.means import Means
from hostpulse.access.principal import ROLES, SCOPES, Need, Principal
from hostpulse.access.sessions import Sessions
from hostpulse.control import key_rows, people_rows
from hostpulse.control.people_rows import Member


class Members:
    """Changes what people may. Any method may raise AccessDenied, StoreAway."""

    def __init__(self, means: Means, sessions: Sessions) -> None:
        self._store, self._clock_ms, _ = means
        self._log = AuditLog(means)
        self._sessions = sessions

    def list(self, who: Principal) -> list[Member]:
        """Return the people of the tenant."""
        with self._store.transaction(who.tenant) as connection:
            return people_rows.members(connection, who.tenant)

    def set_role(self, by: Principal, user_id: str, role: str) -> None:
        """Give a member another role, '' for none any more; an owner always stays."""
        with self._store.transaction(by.tenant) as connection:
            member = member_of(connection, by.tenant, user_id)
            check_rank(by, member.role)
            if role:
                check_rank(by, role)
            if role != "owner":
                _check_not_last_owner(connection, by.tenant, user_id)
            people_rows.set_role(connection, by.tenant, user_id, role)
            self._revoke_tokens(connection, by.tenant, user_id, ROLES.get(role, frozenset()))
            self._log.note(connection, by, f"make {role}" if role else "remove", member.user.name)
        self._sessions.forget_known()

    def make_operator(self, by: Principal, user_id: str, operator: bool) -> None:
        """Let a member run this server for all organisations, or no more."""
        with self._store.system_transaction() as connection:
            member = member_of(connection, by.tenant, user_id)
            people_rows.change_user(connection, user_id, operator=operator)
            deed = "make an operator" if operator else "make no operator"
            self._log.note(connection, by, deed, member.user.name)
        self._sessions.forget_known()

    def disable(self, by: Principal, user_id: str, disabled: bool) -> None:
        """Lock a member out at once, or let them in again."""
        with self._store.system_transaction() as connection:
            member = member_of(connection, by.tenant, user_id)
            check_account(connection, by, member)
            if disabled:
                _check_not_last_owner(connection, by.tenant, user_id)
                people_rows.end_sessions(connection, user_id)
                for tenant in people_rows.roles_of(connection, user_id):
                    self._revoke_tokens(connection, tenant, user_id, frozenset())
            people_rows.change_user(connection, user_id, disabled=disabled)
            self._log.note(connection, by, "disable" if disabled else "enable", member.user.name)
        self._sessions.forget_known()

    def _revoke_tokens(
        self, connection: Connection, tenant: str, user_id: str, grants: frozenset[Need]
    ) -> None:
        """Revoke the personal tokens that may more than their person may from now on."""
        over = [
            row.id
            for row in key_rows.of_person(connection, tenant, user_id)
            if not all(SCOPES[scope] <= grants for scope in row.scopes)
        ]
        if over:
            key_rows.begin_change(connection)
            key_rows.revoke(connection, tenant, over, self._clock_ms())


def check_rank(by: Principal, role: str) -> None:
    """Return if they may make and change people of this role."""
    if role not in ROLES:
        raise AccessDenied(422, f"role: use one of {', '.join(ROLES)}.")
    if role == "owner" and by.role != "owner":
        raise AccessDenied(403, "Only an owner may make or change an owner.")


def member_of(connection: Connection, tenant: str, user_id: str) -> Member:
    """Return the member of a tenant with this id."""
    for member in people_rows.members(connection, tenant):
        if member.user.id == user_id:
            return member
    raise AccessDenied(404, f"No member has the id {user_id!r}; see /api/people.")


def check_account(connection: Connection, by: Principal, member: Member) -> None:
    """Return if they may reset or lock the account of a member, which is more than its role here.

    Else a person would come to what another organisation, or an operator, trusts that account with.
    """
    check_rank(by, member.role)
    if by.user and set(people_rows.roles_of(connection, member.user.id)) != {by.tenant}:
        raise AccessDenied(
            403, "This account belongs to another organisation too; take its role away here."
        )
    if member.user.operator and not by.may(Need.OPERATE) and by.user:
        raise AccessDenied(403, "Only an operator may change the account of an operator.")


def _check_not_last_owner(connection: Connection, tenant: str, user_id: str) -> None:
    owners = [
        member.user.id
        for member in people_rows.members(connection, tenant)
        if member.role == "owner" and not member.user.disabled
    ]
    if owners == [user_id]:
        raise AccessDenied(409, "This is the last owner; make somebody else an owner first.")
