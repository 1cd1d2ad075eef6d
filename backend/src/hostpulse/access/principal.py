"""Who is asking, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DEFAULT_TENANT = "default"


class Need(Enum):
    """What a route needs of whoever asks; the value ends the sentence "You are not allowed"."""

    OPEN = "to do anything"
    INGEST = "to send samples"
    ENROL = "to enrol a server"
    ROTATE = "to renew a key"
    SELF = "to change an account"
    READ = "to see servers and metrics"
    EDIT = "to change rules and silences"
    MANAGE = "to manage servers and keys"
    PEOPLE = "to manage people"
    OPERATE = "to manage organisations"
    OWN = "to do what is for owners"


VIEWER = frozenset({Need.READ, Need.SELF})
EDITOR = VIEWER | {Need.EDIT}
ADMIN = EDITOR | {Need.MANAGE, Need.PEOPLE}
OWNER = ADMIN | {Need.OWN}
ROLES = {"viewer": VIEWER, "editor": EDITOR, "admin": ADMIN, "owner": OWNER}
"""What each role may; an owner may in addition change other owners."""
OPERATOR = frozenset({Need.OPERATE})
"""What somebody may in addition who runs this server for all organisations."""
VISITOR = frozenset({Need.READ, Need.SELF}) | OPERATOR
"""What an operator may in an organisation of others: look."""
EVERYTHING = OWNER | OPERATOR | {Need.INGEST}
SCOPES = {
    "read": frozenset({Need.READ}),
    "edit": frozenset({Need.READ, Need.EDIT}),
    "manage": frozenset({Need.READ, Need.EDIT, Need.MANAGE}),
}
"""What a personal token may, in words."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever made a request; handlers see the tenant through it and no other way.

    `name` says who it is in the audit log. `server` is the one server that an agent's key is for,
    `key` the id of a key, `user` and `session` those of a person who is signed in.
    `address` is where a request came from, `visit_until_ms` when the visit of an operator ends, 0
    for who belongs to the tenant.
    """

    tenant: str = DEFAULT_TENANT
    name: str = "this machine"
    grants: frozenset[Need] = EVERYTHING
    role: str = "owner"
    server: str = ""
    key: str = ""
    user: str = ""
    session: str = ""
    visit_until_ms: int = 0
    is_suspended: bool = False
    address: str = ""

    def may(self, need: Need) -> bool:
        """Tell whether a route with this need is for them."""
        return need is Need.OPEN or need in self.grants


NOBODY = Principal(tenant="", name="nobody", grants=frozenset(), role="")
SEEDLING = Principal(name="this machine", grants=frozenset({Need.INGEST}), role="")
"""A program on this machine that sends samples without a key."""
