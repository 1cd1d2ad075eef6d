"""The second wall between tenants: what the control store lets a transaction of one of them do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import hostpulse

OF_NO_SINGLE_TENANT = {
    "access/accounts.py": {"_sign_in", "_note_failure", "change_password", "prove"},
    "access/audit.py": {"verify"},
    "access/keyring.py": {"refresh"},
    "access/links.py": {"needs_setup", "make_reset", "look", "about", "use"},
    "access/members.py": {"disable"},
    "access/sessions.py": {"_read", "end", "of", "switch"},
    "access/tenants.py": {"make", "names", "of"},
    "access/tries.py": {"attempt", "_check"},
    "cli_access.py": {"backup", "restore"},
    "cli_stored.py": {"status"},
    "control/registrar.py": {"_save", "look"},
    "control/store.py": {"transaction", "open_store", "open_beside"},
}
"""Who may reach across tenants: one more is a decision, and belongs to this list."""


def callers(source: str) -> Iterator[str]:
    """Yield the function around each call of `system_transaction`."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute) and node.attr == "system_transaction":
                    yield function.name


def test_few_reach_across_tenants_and_they_are_known_by_name() -> None:
    root = Path(hostpulse.__file__).parent
    found = {
        str(file.relative_to(root)): set(callers(file.read_text("utf-8")))
        for file in root.rglob("*.py")
    }
    assert {file: names for file, names in found.items() if names} == OF_NO_SINGLE_TENANT
