"""People: all that is known of them and what they do here, put together."""

from __future__ import annotations

from typing import NamedTuple

from hostpulse.access.accounts import Accounts
from hostpulse.access.audit import AuditLog
from hostpulse.access.codes import Codes
from hostpulse.access.identities import Identities
from hostpulse.access.links import Links
from hostpulse.access.means import Means
from hostpulse.access.members import Members
from hostpulse.access.passwords import Passwords
from hostpulse.access.provider import Provider
from hostpulse.access.second_factor import SecondFactor
from hostpulse.access.second_step import SecondStep
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
    second_factor: SecondFactor
    second_step: SecondStep
    sessions: Sessions
    tenants: Tenants
    trips: Trips


def people_of(means: Means, provider: Provider | None = None) -> People:
    """Return the people of a control store."""
    passwords, tries = Passwords(), Tries(means)
    sessions, codes = Sessions(means), Codes(means)
    second_step = SecondStep(means, sessions, codes, tries)
    accounts = Accounts(means, passwords, sessions, second_step, tries)
    links = Links(means, passwords, sessions, second_step)
    trips = Trips(means, tries, provider)
    return People(
        accounts,
        Identities(means, sessions, links, trips),
        links,
        AuditLog(means),
        Members(means, sessions),
        SecondFactor(means, sessions, accounts, codes),
        second_step,
        sessions,
        Tenants(means, sessions),
        trips,
    )
