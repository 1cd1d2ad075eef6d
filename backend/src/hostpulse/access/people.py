"""People: all that is known of them and what they do here, put together."""

from __future__ import annotations

from typing import NamedTuple

from hostpulse.access.accounts import Accounts
from hostpulse.access.audit import AuditLog
from hostpulse.access.identities import Identities
from hostpulse.access.links import Links
from hostpulse.access.means import Means
from hostpulse.access.members import Members
from hostpulse.access.passwords import Passwords
from hostpulse.access.provider import Provider
from hostpulse.access.sessions import Sessions
from hostpulse.access.tenants import Tenants
from hostpulse.access.tries import Tries
from hostpulse.access.trips import Trips


class People(NamedTuple):
    """Each part works on one concept; what they share is the control store."""

    accounts: Accounts
    identities: Identities
    links: Links
    log: AuditLog
    members: Members
    sessions: Sessions
    tenants: Tenants
    trips: Trips


def people_of(means: Means, provider: Provider | None = None) -> People:
    """Return the people of a control store."""
    log, passwords, tries = AuditLog(means), Passwords(), Tries(means)
    sessions = Sessions(means, log)
    links, trips = Links(means, log, sessions, passwords), Trips(means, tries, provider)
    return People(
        Accounts(means, log, sessions, passwords, tries),
        Identities(means, log, sessions, links, trips),
        links,
        log,
        Members(means, log, sessions),
        sessions,
        Tenants(means, log, sessions),
        trips,
    )
