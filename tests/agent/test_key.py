"""The key file: one key and nothing else, and another one as soon as it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hostpulse_agent.config import ConfigError
from hostpulse_agent.key import KeyFile, read_key


def test_a_key_file_holds_one_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("  abc-123\n")
    assert read_key(str(file)) == "abc-123"
    file.write_text("")
    assert read_key(str(file)) is None
    for wrong in ("two words", "line\nline", "k\u00e9y"):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(ConfigError, match="key_file"):
            read_key(str(file))


def put(file: Path, text: str) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


def test_a_replaced_key_file_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("first")
    way = KeyFile(str(file))
    assert way.key() == "first"
    put(file, "second")
    assert way.key() == "second"
    unchanged = file.stat()
    file.write_text("other!")
    os.utime(file, ns=(unchanged.st_atime_ns, unchanged.st_mtime_ns))
    assert way.key() == "second"


@pytest.mark.parametrize("spoiled", ["two words", None])
def test_a_key_file_that_is_spoiled_or_gone_leaves_the_last_key_in_use(
    tmp_path: Path, spoiled: str | None
) -> None:
    file = tmp_path / "key"
    file.write_text("first")
    way = KeyFile(str(file))
    file.unlink()
    if spoiled is not None:
        file.write_text(spoiled)
    assert way.key() == "first"
    put(file, "second")
    assert way.key() == "second"


def test_without_a_key_file_there_is_no_key() -> None:
    assert KeyFile("").key() is None
