"""What the pages name is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostpulse.config import SETTINGS
from hostpulse_agent.settings import SETTINGS as AGENT_SETTINGS

from tests.backend_under_test import Backend

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:\.?[\w-]+/)+[\w.-]*\w/?|[\w-]+\.(?:md|toml|py))`")
MAKE = re.compile(r"`make ([a-z]+)\b")
OURS = {"agent", "backend", "bench", "dashboard", "deploy", "docs", "requirements", "tests"}
WRITTEN_HERE = {
    "backend/src/hostpulse/storage/sqlite.py",  # by an example of extending.md
    "backend/data",  # by the backend
}
MOST_KB = 200


def pages() -> list[Path]:
    here = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
    more = [ROOT / "SECURITY.md", ROOT / "agent/README.md"]
    return [*here, *more, *sorted((ROOT / "docs").rglob("*.md"))]


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def dead_links(page: Path) -> Iterator[str]:
    for target in LINK.findall(prose(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        leads_to = (page.parent / path).resolve() if path else page
        if not leads_to.exists() or (anchor and anchor not in anchors(leads_to)):
            yield target


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_paths_and_commands_of_a_page_exist(page: Path) -> None:
    assert list(dead_links(page)) == []
    named = [path for path in PATH.findall(prose(page)) if path.split("/")[0] in OURS]
    assert [p for p in named if p not in WRITTEN_HERE and not (ROOT / p).exists()] == []
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert sorted(set(MAKE.findall(prose(page))) - set(targets)) == []


def commands(page: Path) -> Iterator[tuple[str, str]]:
    """Yield each use of our two programs: which one, and the flags it is given."""
    used = r"\b(hostpulse-agent|hostpulse (?:serve|up))((?: [^`\s]+)+)"
    yield from re.findall(used, page.read_text("utf-8"))


def known_flags() -> dict[str, set[str]]:
    agent = {"--config", "--once", "--print", "--audit", *(s.flag for s in AGENT_SETTINGS)}
    server = {"--config", *("--" + setting.name.replace("_", "-") for setting in SETTINGS)}
    return {"hostpulse-agent": agent, "hostpulse serve": server, "hostpulse up": server}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_flags_of_our_commands_exist(page: Path) -> None:
    known = known_flags()
    for program, words in commands(page):
        flags = {word for word in words.partition(" #")[0].split() if word.startswith("--")}
        assert flags <= known[program], f"{program}: {flags - known[program]}"


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs/decisions"
    listed = LINK.findall((folder / "README.md").read_text("utf-8"))
    there = sorted(path.name for path in folder.glob("*.md") if path.name != "README.md")
    assert sorted(listed) == there


def test_pictures_are_small() -> None:
    sizes = {p.name: p.stat().st_size // 1024 for p in (ROOT / "docs/screenshots").glob("*.png")}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > MOST_KB} == {}


def test_the_report_of_the_api_page_gets_the_answer_of_the_api_page(backend: Backend) -> None:
    text = (ROOT / "docs/api.md").read_text("utf-8")
    report, answer = re.findall(r"^```json\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[:2]
    got: Any = backend.post_bytes(report.encode()).json()
    want: Any = json.loads(answer)
    assert got | {"server_time_ms": 0} == want | {"server_time_ms": 0}
