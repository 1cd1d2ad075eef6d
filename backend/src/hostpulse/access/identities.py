"""People whom the OpenID provider knows: they come in by it, or link the account they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from hostpulse.access.accounts import new_account
from hostpulse.access.audit import AuditLog
from hostpulse.access.denied import AccessDenied
from hostpulse.access.links import Links
from hostpulse.access.means import Means
from hostpulse.access.principal import DEFAULT_TENANT, Principal
from hostpulse.access.secret import digest
from hostpulse.access.sessions import Client, Sessions
from hostpulse.access.sign_up import name_from
from hostpulse.access.trips import Return, Trips, Way, Wish
from hostpulse.control import identity_rows, people_rows
from hostpulse.control.trip_rows import Trip

_ACCOUNT_PAGE = "/settings/account"


class WaysIn(NamedTuple):
    """How a person may sign in."""

    has_password: bool
    is_linked: bool


class Identities:
    """Knows people by the provider. Any method may raise AccessDenied, ProviderAway, StoreAway."""

    def __init__(self, means: Means, sessions: Sessions, links: Links, trips: Trips) -> None:
        self._store, self._clock_ms, self._random_bytes = means
        self._log = AuditLog(means)
        self._sessions = sessions
        self._links = links
        self._trips = trips

    @property
    def _issuer(self) -> str:
        return self._trips.provider.settings.issuer

    def depart(self, redirect_uri: str, destination: str, link: str) -> Way:
        """Let somebody go to the provider to sign in, or with a link that makes an account."""
        if link and self._links.about(link)[0] == "reset":
            raise AccessDenied(403, "link: sets a password; the provider has no part in that.")
        return self._trips.begin(redirect_uri, Wish(destination, digest(link) if link else None))

    def depart_to_link(self, redirect_uri: str, who: Principal) -> Way:
        """Let a person go to the provider to link their account to the one there."""
        if self.ways_in(who).is_linked:
            raise AccessDenied(409, "Your account is linked already; unlink it first.")
        return self._trips.begin(redirect_uri, Wish(_ACCOUNT_PAGE, user=who.user))

    def arrive(
        self, redirect_uri: str, back: Return, who: Principal, client: Client
    ) -> tuple[str, str]:
        """Return a session, '' for one who linked their account, and the path to go on to."""
        claims: Mapping[str, Any] = {}
        action = f"sign in with {self._trips.provider.settings.name}"
        try:
            trip, claims = self._trips.end(redirect_uri, back, client)
            with self._store.system_transaction() as connection:
                if trip.user:
                    self._link(connection, trip, claims, who)
                    return "", trip.destination
                person = people_rows.user(connection, self._user(connection, trip, claims, client))
                if person is None or person.disabled:
                    raise AccessDenied(403, "Your account here is disabled; ask an admin.")
                token = self._sessions.enter(connection, person, client, False, action)
            self._sessions.forget_known()
            return token, trip.destination
        except AccessDenied:
            name = str(claims.get("preferred_username") or claims.get("sub") or "somebody")
            by = who if who.user else Principal(DEFAULT_TENANT, "nobody")
            with self._store.transaction(by.tenant) as connection:
                self._log.note(connection, by, action, name, "refused", client.address)
            raise

    def _user(
        self, connection: Connection, trip: Trip, claims: Mapping[str, Any], client: Client
    ) -> str:
        """Return the id of the person, whose account is made if they may have one."""
        known = identity_rows.user_of(connection, self._issuer, claims["sub"])
        if known and trip.link:
            raise AccessDenied(409, "You have an account here; sign in, then open the link again.")
        if known:
            return known
        name = name_from(claims, lambda name: bool(people_rows.user_named(connection, name)))
        if trip.link:
            user_id = self._links.accept(connection, trip.link, name, client)
        else:
            user_id = self._sign_up(connection, claims, name)
        identity_rows.add(connection, self._issuer, claims["sub"], user_id, self._clock_ms())
        return user_id

    def _sign_up(self, connection: Connection, claims: Mapping[str, Any], name: str) -> str:
        """Make a member of whom the settings let in without an invitation."""
        settings = self._trips.provider.settings
        if not any(rule.fits(claims) for rule in settings.sign_up):
            raise AccessDenied(
                403,
                f"Nobody here is known by this account of {settings.name}. Ask an admin for an "
                "invitation; or sign in with your password, and link it in Settings, My account.",
            )
        row = new_account(self._random_bytes, name, "", self._clock_ms())
        people_rows.add_user(connection, row)
        people_rows.set_role(connection, DEFAULT_TENANT, row.id, settings.sign_up_role)
        by = Principal(DEFAULT_TENANT, f"user {name}")
        self._log.note(connection, by, f"sign up as {settings.sign_up_role}", name)
        return row.id

    def _link(
        self, connection: Connection, trip: Trip, claims: Mapping[str, Any], who: Principal
    ) -> None:
        if trip.user != who.user:
            raise AccessDenied(403, "Sign in first as whoever wanted to link their account.")
        known = identity_rows.user_of(connection, self._issuer, claims["sub"])
        if known or identity_rows.is_linked(connection, self._issuer, who.user):
            raise AccessDenied(409, "This account, here or there, is linked already.")
        identity_rows.add(connection, self._issuer, claims["sub"], who.user, self._clock_ms())
        self._log.note(connection, who, "link an account", self._trips.provider_name)

    def unlink(self, who: Principal) -> None:
        """Let a person sign in with their password alone."""
        if not self.ways_in(who).has_password:
            raise AccessDenied(
                409, "Your account has no password; ask an admin for a link that sets one first."
            )
        with self._store.system_transaction() as connection:
            if identity_rows.remove(connection, self._issuer, who.user):
                self._log.note(connection, who, "unlink an account", self._trips.provider_name)

    def ways_in(self, who: Principal) -> WaysIn:
        """Return how a person may sign in."""
        with self._store.system_transaction() as connection:
            person = people_rows.user(connection, who.user)
            is_linked = bool(self._trips.provider_name) and identity_rows.is_linked(
                connection, self._issuer, who.user
            )
        return WaysIn(bool(person and person.password), is_linked)
