"""Who comes in without an invitation, and under which name."""

from __future__ import annotations

from typing import Any

import pytest
from hostpulse.access.sign_up import name_from, rules_of
from hostpulse.config import ConfigError

ADA = {
    "email": "ada@Example.com",
    "email_verified": True,
    "groups": ["all", "ops"],
    "hd": "example.com",
}


@pytest.mark.parametrize(
    ("rules", "changes"),
    [
        ("@example.com", {}),
        ("@other.org, @EXAMPLE.com", {}),
        ("groups=ops", {}),
        ("hd=example.com", {}),
        ("@other.org, groups = ops", {}),
        ("@example.com", {"email_verified": "true"}),
    ],
)
def test_whoever_fits_one_of_the_rules_comes_in(rules: str, changes: dict[str, Any]) -> None:
    assert any(rule.fits(ADA | changes) for rule in rules_of(rules))


@pytest.mark.parametrize(
    ("rules", "changes"),
    [
        ("", {}),
        ("@example.com", {"email_verified": False}),
        ("@example.com", {"email_verified": None}),
        ("@example.com", {"email_verified": 1.5}),
        ("@example.com", {"email": "ada@evil-example.com"}),
        ("@example.com", {"email": "ada@example.com@evil.org"}),
        ("@example.com", {"email": "example.com@evil.org"}),
        ("@example.com", {"email": ["ada@example.com"]}),
        ("@example.com", {"email": None}),
        ("groups=op", {}),
        ("groups=ops", {"groups": "opsx"}),
        ("groups=ops", {"groups": {"ops": 1}}),
        ("groups=ops", {"groups": None}),
        ("hd=example.com", {"hd": "example.com.evil.org"}),
    ],
)
def test_whoever_fits_none_stays_out(rules: str, changes: dict[str, Any]) -> None:
    assert not any(rule.fits(ADA | changes) for rule in rules_of(rules))


@pytest.mark.parametrize(
    "text", ["example.com", "@", "@com", "groups=", "=ops", "@a b.com", "x,@example.com"]
)
def test_a_rule_that_cannot_be_meant_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^oidc_sign_up: "):
        rules_of(text)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "Ada", "sub": "1"}, "ada"),
        ({"email": "ada@example.com", "sub": "1"}, "ada@example.com"),
        ({"name": "Ada  King Lovelace"}, "ada.king.lovelace"),
        ({"preferred_username": " \u202e\x07\n", "sub": "abc"}, "abc"),
        ({"preferred_username": ["ada"], "sub": "abc"}, "abc"),
        ({"preferred_username": "x" * 100}, "x" * 64),
        ({"sub": "\x00"}, "somebody"),
    ],
)
def test_a_new_account_is_called_as_at_the_provider(claims: dict[str, Any], name: str) -> None:
    assert name_from(claims, lambda _: False) == name


def test_a_name_that_is_taken_gets_a_number_and_stays_short_enough() -> None:
    taken = {"ada", "ada-2", "x" * 64}
    assert name_from({"preferred_username": "ada"}, taken.__contains__) == "ada-3"
    assert name_from({"preferred_username": "x" * 64}, taken.__contains__) == "x" * 59 + "-2"
