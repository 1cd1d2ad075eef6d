"""Which people of the provider come in without an invitation, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from hostpulse.access.accounts import MAX_NAME_LENGTH
from hostpulse.config import ConfigError

NAME_CLAIMS = ("preferred_username", "email", "nickname", "name", "sub")

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_VERIFIED = (True, "true")  # some providers say it as a text


class Rule(NamedTuple):
    """A claim that is, or holds, a value; `claim` '': the domain of a verified e-mail address."""

    claim: str
    value: str

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the provider says so of a person."""
        if not self.claim:
            _, _, domain = str(claims.get("email", "")).rpartition("@")
            return domain.lower() == self.value and claims.get("email_verified") in _VERIFIED
        said = claims.get(self.claim)
        return self.value in said if isinstance(said, list) else said == self.value


def rules_of(text: str) -> tuple[Rule, ...]:
    """Return the rules of a setting such as `@example.com, groups=ops`; raises ConfigError."""
    return tuple(_rule(part.strip()) for part in text.split(",") if part.strip())


def _rule(text: str) -> Rule:
    if text.startswith("@") and _DOMAIN.fullmatch(text[1:].lower()):
        return Rule("", text[1:].lower())
    claim, _, value = text.partition("=")
    if claim.strip() and value.strip():
        return Rule(claim.strip(), value.strip())
    raise ConfigError(
        "oidc_sign_up: use the domain of verified e-mail addresses, such as @example.com, or a "
        f"claim and its value, such as groups=ops, separated by commas, not {text!r}."
    )


def name_from(claims: Mapping[str, Any], is_taken: Callable[[str], bool]) -> str:
    """Return a free name for a new account, as much like the provider's as may be."""
    wanted = next(filter(None, map(_as_name, _texts(claims))), "somebody")
    number, name = 1, wanted
    while is_taken(name):
        number += 1
        name = f"{wanted[: MAX_NAME_LENGTH - 5]}-{number}"
    return name


def _texts(claims: Mapping[str, Any]) -> Iterable[str]:
    return (claims[claim] for claim in NAME_CLAIMS if isinstance(claims.get(claim), str))


def _as_name(text: str) -> str:
    joined = ".".join(text.lower().split())
    return "".join(filter(str.isprintable, joined))[:MAX_NAME_LENGTH]
