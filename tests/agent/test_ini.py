"""Lines of an INI file change; what somebody wrote around them does not."""

from __future__ import annotations

import configparser

import pytest
from hostpulse_agent.ini import with_settings, without_settings

WRITTEN = """\
# ours
[other]
server = not this one

[agent]
; where to
Server: https://old.example
  and: more of it
# between
  of it too
interval = 10

[agents]
server = nor this one
"""


def test_settings_are_changed_in_their_section_and_all_else_stays() -> None:
    text = with_settings(WRITTEN, "agent", {"server": "https://new.example", "tags": "a, b"})
    assert (
        text
        == """\
# ours
[other]
server = not this one

[agent]
server = https://new.example
tags = a, b
; where to
# between
interval = 10

[agents]
server = nor this one
"""
    )


def test_removed_settings_are_gone_and_all_else_stays() -> None:
    text = without_settings(WRITTEN, "agent", ("server", "key_file"))
    assert text == with_settings(WRITTEN, "agent", {"server": "x"}).replace("server = x\n", "")


def test_what_has_nothing_but_the_header_left_is_nothing() -> None:
    assert without_settings("\n[agent]\nserver = a\n\n", "agent", ("server",)) == ""
    assert without_settings("[agent]\nserver = a\n# why\n", "agent", ("server",)) != ""


@pytest.mark.parametrize(
    "text",
    [
        WRITTEN,
        "[agent]",
        "[agent]\nserver=1",
        " [agent]\n\tserver=1\n [other]\na=b",
        "  [agent]\n  server = 1\n    2\n  tags = 3\n",
        "[agent]\nserver =\n 1\n\n 2\ntags = a\n [b]\n",
        "[agent]\r\nserver = 1\r\n",
    ],
)
def test_a_changed_file_reads_as_the_old_one_but_for_the_change(text: str) -> None:
    before, after = configparser.ConfigParser(), configparser.ConfigParser()
    before.read_string(text)
    after.read_string(with_settings(text, "agent", {"server": "new"}))
    before["agent"]["server"] = "new"
    assert after == before
