"""The table of docs/security.md names code and tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d", line)
]
TEST = re.compile(r"`(tests/\S+\.py)`(?: (F\d+))?")


def test_each_row_says_how_far_it_goes() -> None:
    assert len(ROWS) > 60
    assert {row[1] for row in ROWS} == {"yes", "part", "no"}
    assert all(len(row) == 4 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].partition(" ")[0])
def test_a_test_of_the_table_has_the_fault_it_names(row: list[str]) -> None:
    for file, fault in TEST.findall(row[3]):
        text = (ROOT / file).read_text("utf-8")
        assert f"def test_{fault.lower()}" in text, f"{file} has no test of {fault or 'anything'}"
