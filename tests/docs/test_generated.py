"""The tables of docs/ say what the code does, and leave nothing out."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from hostpulse import catalogue
from hostpulse.app import create_app
from hostpulse.config import ENVIRONMENT_PREFIX, SETTINGS, Config, load
from hostpulse.door import ROUTES
from hostpulse_agent.settings import SETTINGS as AGENT_SETTINGS

from tests.backend_under_test import Backend

DOCS = Path(__file__).resolve().parents[2] / "docs"


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = generator()
PAGES = {page.name: page for page in GENERATE.pages()}


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_the_generator_writes_it(name: str) -> None:
    assert text(name) == GENERATE.generated(text(name)), "run .venv/bin/python docs/generate.py"


def test_every_generated_block_stands_in_one_page() -> None:
    found = [name for page in PAGES for _, name, _ in GENERATE.BLOCK.findall(text(page))]
    assert sorted(found) == sorted(GENERATE.BLOCKS)


def test_every_endpoint_is_in_the_api_page(backend: Backend) -> None:
    routes = [(path, method) for path, method in ROUTES]
    for rule in create_app(backend.parts).url_map.iter_rules():
        if rule.endpoint.startswith("pages."):  # for browsers, not for programs
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        routes += [(path, method) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    page = text("api.md")
    lines = [f"### {method} {path}\n" for path, method in routes]
    known = [f"`{path}`" in page or f"GET {path}`" in page for path, _ in routes]
    there = zip(lines, known, strict=True)
    assert [line for line, is_named in there if line not in page and not is_named] == []


def test_every_metric_is_in_the_metrics_page() -> None:
    missing = [m.name for m in catalogue.METRICS if f"`{m.name}`" not in text("metrics.md")]
    assert missing == []


def test_every_setting_is_in_the_configuration_page() -> None:
    page = text("configuration.md")
    words = [
        *(f"--{setting.name.replace('_', '-')}" for setting in SETTINGS),
        *(ENVIRONMENT_PREFIX + setting.name.upper() for setting in SETTINGS),
        *(word for setting in AGENT_SETTINGS for word in (setting.flag, setting.variable)),
    ]
    assert [word for word in words if f"`{word}`" not in page] == []


def test_every_setting_of_the_agent_is_in_its_page_with_its_default() -> None:
    page = text("agent.md")
    rows = {
        name: default.strip()
        for name, default in re.findall(r"^\| `(\w+)` \|([^|]*)\|", page, re.MULTILINE)
    }
    assert rows == {setting.name: setting.default for setting in AGENT_SETTINGS}


def test_the_example_of_a_server_file_is_taken(tmp_path: Path) -> None:
    found = re.findall(r"```toml\n(.*?)```", text("configuration.md"), re.DOTALL)
    assert found
    for number, content in enumerate(found):
        file = tmp_path / f"{number}.toml"
        file.write_text(content, "utf-8")
        assert load({}, {}, file) != Config()
