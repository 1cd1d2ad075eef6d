"""What the distributions hold."""

from __future__ import annotations

import re
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import pytest
from hostpulse.api import installer

from tests.build import checkout

pytestmark = pytest.mark.timeout(300)
only_backend = pytest.mark.parametrize("built", ["backend"], indirect=True)


class Built(NamedTuple):
    """One distribution, built both ways."""

    from_clone: Path
    from_sdist: Path
    sdist: Path


@pytest.fixture(scope="module", params=["agent", "backend"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    name = request.param
    work = tmp_path_factory.mktemp(name)
    clone = checkout.copy_to(work / "clone")
    checkout.lend_node_modules(clone / "dashboard")
    sdist = checkout.build(clone / name, "sdist", work / "sdist")
    unpacked = checkout.unpack(sdist, work / "unpacked")
    if name == "backend":
        checkout.lend_node_modules(unpacked / "dashboard")
    from_clone = checkout.build(clone / name, "wheel", work / "from-clone")
    return Built(from_clone, checkout.build(unpacked, "wheel", work / "from-sdist"), sdist)


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel: Path) -> Message:
    held = members(wheel)
    (name,) = (name for name in held if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(held[name].decode())


def test_the_wheel_of_a_clone_and_of_the_sdist_are_the_same_bytes(built: Built) -> None:
    assert members(built.from_clone) == members(built.from_sdist)
    assert built.from_clone.read_bytes() == built.from_sdist.read_bytes()


def test_every_module_of_the_source_is_in_the_wheel(built: Built) -> None:
    package = built.from_clone.name.split("-")[0]
    folder = {"hostpulse": "backend/src", "hostpulse_agent": "agent/src"}[package]
    sources = [p.relative_to(folder) for p in checkout.tracked_files() if p.is_relative_to(folder)]
    held = members(built.from_clone)
    assert sources
    assert {p.as_posix() for p in sources} <= set(held)


def test_the_wheel_carries_its_licence(built: Built) -> None:
    licence = (checkout.ROOT / "LICENSE").read_bytes()
    held = members(built.from_clone)
    assert metadata(built.from_clone)["License-Expression"] == "MIT"
    assert [b for name, b in held.items() if name.endswith("licenses/LICENSE")] == [licence]


@only_backend
def test_the_wheel_holds_the_built_dashboard_and_nothing_to_build_it(built: Built) -> None:
    prefix = "hostpulse/dashboard/"
    held = {n.removeprefix(prefix): b for n, b in members(built.from_clone).items() if prefix in n}
    shapes = sorted(re.sub(r"-[0-9a-f]{10}\.", "-#.", name) for name in held)
    assert [s for s in shapes if not s.startswith("licences/")] == [
        "access-#.js",
        "app-#.js",
        "charts-#.js",
        "index-#.css",
        "index.html",
        "theme-#.js",
    ]
    page = held["index.html"].decode()
    loaded = re.findall(r'/static/([^"]+)"', page)
    assert sorted(re.sub(r"-[0-9a-f]{10}\.", "-#.", name) for name in loaded) == [
        "app-#.js",
        "index-#.css",
        "theme-#.js",
    ]
    assert set(loaded) <= set(held)


@only_backend
def test_the_bundle_names_the_licence_of_each_package_in_it(built: Built) -> None:
    held = members(built.from_clone)
    licences = {n.rpartition("/")[2]: b for n, b in held.items() if "/licences/" in n}
    assert set(licences) == {"chart-js.txt", "kurkle-color.txt", "lit-html.txt"}
    assert all(b"Copyright" in text for text in licences.values())


def test_the_sdist_holds_sources_and_nothing_that_was_made(built: Built, tmp_path: Path) -> None:
    unpacked = checkout.unpack(built.sdist, tmp_path)
    names = {p.relative_to(unpacked).as_posix() for p in unpacked.rglob("*") if p.is_file()}
    assert "LICENSE" in names
    assert not [
        n for n in names if re.search(r"node_modules|/vendor/|/dist/|__pycache__|\.pyc$", n)
    ]


@only_backend
def test_the_sdist_of_the_server_holds_the_whole_dashboard(built: Built, tmp_path: Path) -> None:
    unpacked = checkout.unpack(built.sdist, tmp_path)
    held = (unpacked / "dashboard").rglob("*")
    names = {p.relative_to(unpacked).as_posix() for p in held if p.is_file()}
    dashboard = [p for p in checkout.tracked_files() if p.parts[0] == "dashboard"]
    assert {p.as_posix() for p in dashboard} == names


@only_backend
def test_the_server_s_wheel_holds_the_agent_s_as_it_is_built_alone(
    built: Built, tmp_path: Path
) -> None:
    clone = checkout.copy_to(tmp_path / "clone")
    alone = checkout.build(clone / "agent", "wheel", tmp_path / "alone")
    held = {n: b for n, b in members(built.from_clone).items() if n.endswith(".whl")}
    place = installer._BUILT.relative_to(installer._PACKAGE.parent).as_posix()
    assert held == {f"{place}/{alone.name}": alone.read_bytes()}


@only_backend
def test_the_sdist_of_the_server_holds_the_whole_agent(built: Built, tmp_path: Path) -> None:
    unpacked = checkout.unpack(built.sdist, tmp_path)
    held = (unpacked / "agent").rglob("*")
    names = {p.relative_to(unpacked).as_posix() for p in held if p.is_file()}
    agent = [p for p in checkout.tracked_files() if p.parts[0] == "agent"]
    assert {p.as_posix() for p in agent} == names
