"""Laws of the checkout itself."""

from __future__ import annotations

import re

import pytest

from tests.build.checkout import ROOT, tracked_files

MADE_OR_FOREIGN = re.compile(
    r"(^|/)(node_modules|vendor|\.venv\d*|__pycache__|dist)/|\.whl$|\.min\."
)


def test_nothing_made_and_nothing_of_others_is_committed() -> None:
    assert not [str(path) for path in tracked_files() if MADE_OR_FOREIGN.search(path.as_posix())]


@pytest.mark.parametrize("distribution", ["agent", "backend"])
def test_each_distribution_carries_the_same_licence(distribution: str) -> None:
    assert (ROOT / distribution / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_the_server_asks_for_no_signal_handler_that_windows_lacks() -> None:
    sources = (ROOT / "backend/src").rglob("*.py")
    assert not [str(path) for path in sources if ".add_signal_handler(" in path.read_text()]


def test_ci_runs_the_two_commands_of_the_readme_and_nothing_else() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["make check", "make test"]


def test_only_api_js_asks_the_server_and_only_one_module_knows_chart_js() -> None:
    calls: set[str] = set()
    charts: set[str] = set()
    for path in tracked_files():
        if path.parts[0] != "dashboard" or path.suffix != ".js":
            continue
        text = (ROOT / path).read_text()
        if re.search(r"\bfetch\(|XMLHttpRequest|EventSource|WebSocket", text):
            calls.add(path.as_posix())
        if "vendor/chart.js" in text:
            charts.add(path.as_posix())
    assert calls <= {"dashboard/api.js"}
    assert len(charts) <= 1


def test_no_page_writes_markup_from_text() -> None:
    risky = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|unsafeHTML|document\.write|\beval\("
    )
    pages = [p for p in tracked_files() if p.parts[0] == "dashboard" and p.suffix == ".js"]
    assert not [str(path) for path in pages if risky.search((ROOT / path).read_text())]
