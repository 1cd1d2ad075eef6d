"""People: all that is known of them and what they do here, put together."""

from __future__ import annotations

from typing import NamedTuple

from hostpulse.access.accounts import Accounts
from hostpulse.access.audit import AuditLog
from hostpulse.access.links import Links
from hostpulse.access.means import Means
from hostpulse.access.members import Members
from hostpulse.access.passwords import Passwords
from hostpulse.access.sessions import Sessions
from hostpulse.access.tenants import Tenants
from hostpulse.access.tries import Tries


class People(NamedTuple):
    """Each part works on one concept; what they share is the control store."""

    accounts: Accounts
    links: Links
    log: AuditLog
    members: Members
    sessions: Sessions
    tenants: Tenants


def people_of(means: Means) -> People:
    """Return the people of a control store."""
    log, passwords = AuditLog(means), Passwords()
    sessions = Sessions(means, log)
    return People(
        Accounts(means, log, sessions, passwords, Tries(means)),
        Links(means, log, sessions, passwords),
        log,
        Members(means, log, sessions),
        sessions,
        Tenants(means, log, sessions),
    )
