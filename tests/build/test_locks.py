"""The lock files say exactly what is installed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.build.checkout import ROOT

# What each lock is compiled from, as `make lock` has it.
INPUTS = {
    "run": ["agent/pyproject.toml", "backend/pyproject.toml", "requirements/build.in"],
    "dev": [
        "agent/pyproject.toml",
        "backend/pyproject.toml",
        "requirements/build.in",
        "requirements/dev.in",
    ],
    "agent": ["agent/pyproject.toml"],
    "agent-test": ["agent/pyproject.toml", "requirements/agent-test.in"],
    "node": ["requirements/node.in"],
}


def asked(path: str) -> list[Requirement]:
    """The requirements an input file names."""
    text = (ROOT / path).read_text()
    if path.endswith(".toml"):
        return [Requirement(line) for line in tomllib.loads(text)["project"]["dependencies"]]
    lines = (line.strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pinned(lock: str) -> list[Requirement]:
    """The pins of a lock file, one for each version it may install."""
    text = (ROOT / f"requirements/{lock}.lock").read_text().replace("\\\n", " ")
    return [Requirement(line.split(" --hash")[0]) for line in text.splitlines() if line]


def names(requirements: Iterable[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


def needed_here(requirements: Iterable[Requirement]) -> set[str]:
    """Everything that these need on this machine, as the installed packages say it."""
    found: set[str] = set()
    waiting = [(r.name, r.extras) for r in requirements if not r.marker or r.marker.evaluate()]
    while waiting:
        name, extras = waiting.pop()
        found.add(canonicalize_name(name))
        for need in map(Requirement, requires(name) or []):
            wanted = not need.marker or any(
                need.marker.evaluate({"extra": extra}) for extra in extras or {""}
            )
            if wanted and canonicalize_name(need.name) not in found:
                waiting.append((need.name, need.extras))
    return found


@pytest.mark.parametrize("lock", INPUTS)
def test_each_requirement_is_pinned_to_a_version_it_allows(lock: str) -> None:
    pins = pinned(lock)
    for requirement in (r for path in INPUTS[lock] for r in asked(path)):
        name = canonicalize_name(requirement.name)
        versions = [str(p.specifier)[2:] for p in pins if canonicalize_name(p.name) == name]
        assert versions, f"{lock}.lock lacks {name}: run make lock"
        assert all(requirement.specifier.contains(v) for v in versions), f"{name}: run make lock"


@pytest.mark.parametrize("lock", INPUTS)
def test_each_pin_is_exact_and_hashed_and_names_no_place(lock: str) -> None:
    text = (ROOT / f"requirements/{lock}.lock").read_text()
    for pin in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9.-]+==[^ ]+ (; [^\\]+)?\\\n", pin), pin
        assert "--hash=sha256:" in pin
    assert "://" not in text


def test_the_dev_lock_holds_all_that_the_tests_need_and_no_more() -> None:
    pins = {r for r in pinned("dev") if not r.marker or r.marker.evaluate()}
    assert names(pins) == needed_here(r for path in INPUTS["dev"] for r in asked(path))


def test_what_runs_is_what_is_tested() -> None:
    tested = {f"{pin.name}{pin.specifier}" for pin in pinned("dev")}
    assert {f"{pin.name}{pin.specifier}" for pin in pinned("run")} <= tested


def test_each_npm_package_is_locked_by_hash_and_names_no_place() -> None:
    packages = json.loads((ROOT / "dashboard/package-lock.json").read_text())["packages"]
    asked_here = json.loads((ROOT / "dashboard/package.json").read_text())
    root = packages.pop("")
    for kind in ("dependencies", "devDependencies"):
        assert root[kind] == asked_here[kind], "run make lock"
        for name, version in asked_here[kind].items():
            assert packages[f"node_modules/{name}"]["version"] == version
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not [name for name, entry in packages.items() if "resolved" in entry]
