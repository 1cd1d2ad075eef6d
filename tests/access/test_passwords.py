"""What may be a password: anything but what is tried first."""

from __future__ import annotations

import subprocess

import pytest
from hostpulse.access.denied import AccessDenied
from hostpulse.access.passwords import check_password
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from tests.access.world import PASSWORD
from tests.programs import command

COMMON = [
    "password123", "P@ssw0rd2024!", "Summer2026!", "qwertyuiop", "poiuytrewq", "0123456789",
    "1234567890123", "abcdefghijk", "basketball", "1iloveyou!", "trustno1trustno1",
    "letmein letmein ", "hostpulse2026", "Monitoring!1", "ann-1234567", "aaaaaaaaaabb",
]  # fmt: skip


@pytest.mark.parametrize("password", COMMON)
def test_f92_a_password_that_would_be_tried_first_is_refused_in_words(password: str) -> None:
    with pytest.raises(AccessDenied, match=r"^password: .*a short sentence is good\.$") as refused:
        check_password(password, "ann")
    assert refused.value.status == 422


def test_f92_of_the_passwords_met_most_in_leaks_none_is_taken() -> None:
    met_most = FREQUENCY_LISTS["passwords"][:3000]
    assert len(met_most) == 3000
    decorated = [word.title() + "2026!" for word in met_most if word.isalpha()]
    assert len(decorated) > 2000
    for password in (*met_most, *decorated):
        with pytest.raises(AccessDenied):
            check_password(password, "ann")


@pytest.mark.parametrize(
    "password", [PASSWORD, "correct horse battery", "x9#Lq2!vRt", "pässwörter"]
)
def test_a_password_of_any_characters_is_taken_if_it_is_not_common(password: str) -> None:
    check_password(password, "ann")


def test_a_backend_at_rest_has_no_list_of_passwords_in_memory() -> None:
    line = "import sys, hostpulse.cli; sys.exit('zxcvbn' in sys.modules)"
    assert subprocess.run([*command("x")[:1], "-c", line], check=False).returncode == 0
