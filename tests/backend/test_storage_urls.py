"""A storage is opened by a URL; one that nobody can mean is refused in words, before a start."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostpulse.storage import Options, StorageError, open_storage


def refusal(url: str, folder: Path) -> str:
    with pytest.raises(StorageError) as refused:
        open_storage(url, Options(lambda: 0, folder))
    return str(refused.value)


@pytest.mark.parametrize("url", ["file://samples", "file://samples/here", "file://"])
def test_a_folder_after_two_slashes_is_not_made_at_the_root_of_the_disk(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    monkeypatch.setattr(Path, "mkdir", lambda path, *_, **__: made.append(path))
    said = refusal(url, tmp_path)
    assert said.startswith(f"storage: {url} would begin at the root of the disk; write file:")
    assert made == []


def test_a_folder_may_be_named_by_a_whole_url(tmp_path: Path) -> None:
    open_storage(f"file://{tmp_path}/samples", Options(lambda: 0, tmp_path / "data")).close()
    assert (tmp_path / "samples" / "journal").is_dir()


def test_a_folder_that_cannot_be_used_is_refused_and_nobody_is_told_to_wait(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not ours")
    said = refusal(f"file:{file}", tmp_path)
    assert said.startswith(f"storage: cannot use the folder {file} (")
    assert said.endswith("with --storage file:FOLDER, and start again.")
    assert file.read_text() == "not ours"


def test_the_other_name_of_postgresql_is_told_the_right_one(tmp_path: Path) -> None:
    assert "write postgresql: instead of postgres:" in refusal("postgres://db/samples", tmp_path)


def test_an_unknown_scheme_is_told_which_there_are(tmp_path: Path) -> None:
    said = refusal("mysql://db", tmp_path)
    assert all(f"{known}:" in said for known in ("file", "memory", "postgresql", "influxdb"))
