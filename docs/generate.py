"""Writes the tables of these pages from the code: `.venv/bin/python docs/generate.py`."""

from __future__ import annotations

import ast
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from hostpulse import catalogue
from hostpulse.api.openapi import document
from hostpulse.app import create_app
from hostpulse.config import ENVIRONMENT_PREFIX, SETTINGS, Config
from hostpulse.parts import build
from hostpulse_agent.settings import SETTINGS as AGENT_SETTINGS

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
OTHERS = {"node_modules", "vendor", "dist", "__pycache__"}
TREE_WIDTH = 30

WAYS = {"key": "a key", "session": "a session"}

Rows = list[tuple[str, ...]]


def table(head: tuple[str, ...], rows: Rows) -> str:
    """Write a table of Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def code(text: object) -> str:
    """Write a word as it is typed; nothing where there is none."""
    return f"`{text}`" if text != "" else ""


# -- settings -----------------------------------------------------------------


def server_settings() -> str:
    """Tell every setting of `hostpulse`."""
    rows = [
        (
            code("--" + setting.name.replace("_", "-")),
            code(ENVIRONMENT_PREFIX + setting.name.upper()),
            code(setting.name),
            code(setting.default),
            setting.metadata["help"],
        )
        for setting in SETTINGS
    ]
    return table(("flag", "variable", "line of the file", "default", "what it is"), rows)


def agent_settings() -> str:
    """Tell every setting of `hostpulse-agent`."""
    rows = [
        (code(s.flag), code(s.variable), code(s.name), code(s.default), s.help)
        for s in AGENT_SETTINGS
    ]
    return table(("flag", "variable", "line of the file", "default", "what it is"), rows)


# -- metrics ------------------------------------------------------------------


def place(metric: catalogue.Metric) -> str:
    """Tell where a report carries a metric."""
    if metric.per in ("core", "period"):
        return f"{metric.section}.{metric.field}[]"
    instance = {"": "", "mountpoint": "[]"}.get(metric.per, f".<{metric.per}>")
    return f"{metric.section}{instance}" + (f".{metric.field}" if metric.field else "")


def limits(metric: catalogue.Metric) -> str:
    """Tell which values are taken."""
    low = "" if metric.low <= -catalogue.MAX_NUMBER else f"{metric.low:g}"
    high = "" if metric.high >= catalogue.MAX_NUMBER else f"{metric.high:g}"
    return f"{low} … {high}".strip()


def colours(metric: catalogue.Metric) -> str:
    """Tell from where on a value is a warning, and critical."""
    marks = [("≥ ", metric.warning, ""), ("≥ ", metric.critical, " critical")]
    return ", ".join(f"{sign}{value:g}{word}" for sign, value, word in marks if value is not None)


def metrics() -> str:
    """Tell every metric, by group."""
    head = ("metric", "in the report", "unit", "per", "range", "decimals", "coloured", "what it is")
    parts = []
    for group, lines in groupby(catalogue.METRICS, key=lambda metric: metric.group):
        rows = [
            (
                code(m.name), code(place(m)), m.unit, m.per, limits(m), str(m.decimals),
                colours(m), m.label,
            )
            for m in lines
        ]  # fmt: skip
        parts.append((group, rows))
    merged: dict[str, Rows] = {}
    for group, rows in parts:
        merged.setdefault(group, []).extend(rows)
    return "\n\n".join(f"### {group}\n\n{table(head, rows)}" for group, rows in merged.items())


# -- API ----------------------------------------------------------------------


def api_document() -> dict[str, Any]:
    """Return what /api/openapi.json answers."""
    with tempfile.TemporaryDirectory() as folder:
        parts = build(Config(data_dir=folder))
        app = create_app(parts)
        parts.close()
    with app.app_context():
        return document(app)


def type_words(schema: dict[str, Any]) -> str:
    """Tell the type of a field."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(type_words(one) for one in choices)
    if schema.get("type") == "array":
        return f"array of ({type_words(schema['items'])})" if "items" in schema else "array"
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return f"object of ({type_words(values)})"
    return str(schema.get("type", "any JSON"))


def endpoint(path: str, method: str, operation: dict[str, Any]) -> str:
    """Tell one operation."""
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    parts = [f"### {method.upper()} {path}\n\n{operation['summary']}. {access(operation)}"]
    if operation["parameters"]:
        rows = [
            (code(p["name"]), p["in"], "yes" if p["required"] else "", p["description"])
            for p in operation["parameters"]
        ]
        parts.append(table(("parameter", "in", "required", "what it is"), rows))
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        parts.append(f"Takes: {type_words(body)}.")
    parts.append(f"Answers: {type_words(answer)}.")
    return "\n\n".join(parts)


def access(operation: dict[str, Any]) -> str:
    """Tell who may use an operation, and how they show it."""
    ways = [WAYS[name] for way in operation["security"] for name in way if name in WAYS]
    if not ways:
        return "For everybody."
    return f"{operation['description']}, with {' or '.join(ways)}."


def endpoints() -> str:
    """Tell every operation of the API."""
    return "\n\n".join(
        endpoint(path, method, operation)
        for path, operations in api_document()["paths"].items()
        for method, operation in operations.items()
    )


def named(schema: object) -> Iterator[str]:
    """Yield the names of all shapes that a schema uses."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from named(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from named(value)


def shapes() -> str:
    """Tell the shapes of the API; the sections of a report are in the catalogue of metrics."""
    found = api_document()
    schemas = found["components"]["schemas"]
    sections = set(named(schemas["Report"]))
    used: set[str] = set()
    fresh = {"Report", "Refusal", *named(found["paths"])}
    while fresh:
        used |= fresh
        fresh = {below for name in fresh - sections for below in named(schemas[name])} - used
    parts = []
    for name in sorted(used - sections):
        schema = schemas[name]
        rows = [
            (code(field), *field_type(kind, sections, field in schema["required"]))
            for field, kind in schema["properties"].items()
        ]
        words = " ".join(schema.get("description", "A report of an agent.").split())
        parts.append(f"### {name}\n\n{words}\n\n{table(('field', 'type', 'may be missing'), rows)}")
    return "\n\n".join(parts)


def field_type(schema: dict[str, Any], sections: set[str], required: bool) -> tuple[str, str]:
    """Tell type and presence; a section of the report is explained with the metrics."""
    words = type_words(schema)
    for section in sections:
        words = words.replace(f"[{section}](#{section.lower()})", "[section](metrics.md)")
    return (words, "") if required else (words.removesuffix(" or null"), "yes")


# -- architecture -------------------------------------------------------------


def ladder() -> str:
    """Tell the import ladder that `make check` holds."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    here = ROOT / "backend/src/hostpulse"
    rungs = []
    for layer in layers:
        names = re.findall(r"\w+", layer)
        there = [n for n in names if (here / n).is_dir() or (here / f"{n}.py").is_file()]
        if there:
            rungs.append(" | ".join(there))
    return "```text\n" + "\n".join(rungs) + "\n```"


def purpose(path: Path) -> str:
    """Return the first sentence that a module says of itself."""
    if path.is_dir():
        path = path / "__init__.py"
        return purpose(path) if path.is_file() else ""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        words = ast.get_docstring(ast.parse(text)) or ""
    else:
        comment = re.search(r"/\*\*(.*?)\*/|^// (?!@ts)(.*?)$", text, re.DOTALL | re.MULTILINE)
        words = (comment[1] or comment[2]).replace("*", "") if comment else ""
    return " ".join(words.split()).partition(". ")[0].rstrip(".")


def tree(folder: str, suffix: str) -> str:
    """Draw a folder: each module and what it says of itself."""
    return "```text\n" + "\n".join([folder + "/", *branches(ROOT / folder, suffix, 1)]) + "\n```"


def branches(folder: Path, suffix: str, depth: int) -> Iterator[str]:
    """Yield a line for each module below a folder, files first."""
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        name = "  " * depth + path.name
        if path.is_dir() and path.name not in OTHERS and any(path.rglob(f"*{suffix}")):
            yield f"{name + '/':<{TREE_WIDTH}} {purpose(path)}".rstrip()
            yield from branches(path, suffix, depth + 1)
        elif path.suffix == suffix and path.name not in ("__init__.py", "__main__.py"):
            yield f"{name:<{TREE_WIDTH}} {purpose(path)}".rstrip()


BLOCKS: dict[str, Callable[[], str]] = {
    "server-settings": server_settings,
    "agent-settings": agent_settings,
    "metrics": metrics,
    "endpoints": endpoints,
    "shapes": shapes,
    "ladder": ladder,
    "agent-tree": lambda: tree("agent/src/hostpulse_agent", ".py"),
    "backend-tree": lambda: tree("backend/src/hostpulse", ".py"),
    "dashboard-tree": lambda: tree("dashboard", ".js"),
}


def generated(text: str) -> str:
    """Return a page with its generated blocks made anew."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", text)


def pages() -> list[Path]:
    """Return the pages that have generated blocks."""
    return [path for path in sorted(DOCS.glob("*.md")) if BLOCK.search(path.read_text("utf-8"))]


def main() -> None:
    """Write every page that is not as the code is."""
    for page in pages():
        text = page.read_text("utf-8")
        new = generated(text)
        if new != text:
            page.write_text(new, "utf-8")
            print(f"wrote {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
