"""Each fault of docs/faults.md has a test that bears its number, or says why not and when."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = {
    cells[0]: cells[1:]
    for line in (ROOT / "docs/faults.md").read_text("utf-8").splitlines()
    if re.match(r"\| F\d", line)
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}
PROMISED = {f"F{number}" for number in (*range(25, 34), 50, *range(80, 105))}
NUMBER = re.compile(r"^ *def test_(f\d+)_", re.MULTILINE)


def proven_in(file: Path) -> set[str]:
    return {found.upper() for found in NUMBER.findall(file.read_text("utf-8"))}


def test_each_fault_has_a_line() -> None:
    assert set(ROWS) == PROMISED


@pytest.mark.parametrize("fault", ROWS)
def test_a_line_names_its_tests_or_says_why_there_is_none(fault: str) -> None:
    tried, holds, tests = ROWS[fault]
    assert tried
    files = re.findall(r"`(\S+)`", tests)
    assert bool(files) is not holds.startswith("Not yet: ")
    assert [file for file in files if fault not in proven_in(ROOT / file)] == []


def test_no_test_bears_a_number_that_is_not_there() -> None:
    found = {fault for file in (ROOT / "tests").rglob("test_*.py") for fault in proven_in(file)}
    assert found <= {fault for fault, (_, _, tests) in ROWS.items() if tests}
