"""Codes by the time, recovery codes and the QR code: laws without a backend."""

from __future__ import annotations

import secrets
from base64 import b32encode
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pyotp
import pytest
from hostpulse.access import recovery, totp

OF_THE_RFC = b32encode(b"12345678901234567890").decode()
STEP_MS = totp.STEP_SECONDS * 1000
NOW_MS = 1_795_423_385_000


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_of_rfc_6238_belong_to_their_steps(seconds: int, code: str) -> None:
    assert totp.step_of(OF_THE_RFC, code, seconds * 1000) == seconds // 30


@pytest.mark.parametrize("steps", range(-3, 4))
def test_a_code_is_good_for_a_step_before_and_after_and_no_longer(steps: int) -> None:
    secret = totp.new_secret(secrets.token_bytes)
    made_ms = NOW_MS + steps * STEP_MS
    code = pyotp.TOTP(secret).at(made_ms // 1000)
    wanted = made_ms // STEP_MS if abs(steps) <= 1 else None
    assert totp.step_of(secret, code, NOW_MS) == wanted


@pytest.mark.parametrize("code", ["", "0", "00000", "0000000", "a b", "١٢٣٤٥٦", "\ud800"])
def test_what_is_no_code_is_of_no_step(code: str) -> None:
    assert totp.step_of(OF_THE_RFC, code, NOW_MS) is None


def test_an_app_reads_whose_secret_it_is_from_the_address() -> None:
    secret = totp.new_secret(secrets.token_bytes)
    address = urlsplit(totp.address_of(secret, "ann@x:y", "Hostpulse monitor.example.com"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == "/Hostpulse monitor.example.com:ann@x:y"
    query = parse_qs(address.query)
    assert query["secret"] == [secret]
    assert query["issuer"] == ["Hostpulse monitor.example.com"]
    assert len(secret) == 32


def test_the_qr_code_is_an_image_that_loads_nothing() -> None:
    longest = totp.address_of(OF_THE_RFC, "ä" * 64, "Hostpulse " + "x" * 253)
    kind, _, image = totp.picture_of(longest).partition(",")
    assert kind.startswith("data:image/svg+xml")
    drawing = ElementTree.fromstring(unquote(image))
    assert {node.tag.rpartition("}")[2] for node in drawing.iter()} == {"svg", "g", "path"}


def test_recovery_codes_differ_and_are_known_again_as_people_type_them() -> None:
    codes = recovery.new_codes(secrets.token_bytes)
    assert len({recovery.kept(code) for code in codes}) == len(codes) == 10
    for code in codes:
        assert len(code.replace("-", "")) * 5 == 120, "bits"
        for typed in (code.upper(), code.replace("-", ""), f" {code.replace('-', ' ')}\n"):
            assert recovery.kept(typed) == recovery.kept(code)
        assert recovery.kept(code[:-1]) != recovery.kept(code)
