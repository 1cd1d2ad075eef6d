"""Numbers of your own: from a function, from files, from programs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hostpulse_agent.collectors.custom import Custom
from hostpulse_agent.custom import CustomError, checked, load_function, parse, parse_prom
from hostpulse_agent.host import Host
from hostpulse_agent.proc import Tree
from hypothesis import given
from hypothesis import strategies as st


def collect(**settings: Any) -> tuple[dict[str, Any], list[str]]:
    errors: list[str] = []
    part = Custom(Host(Tree(), **{"custom_seconds": 3.0, **settings})).collect(errors)
    return part.get("custom", {}), errors  # type: ignore[return-value]


def program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_a_function_gives_numbers_and_instances(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "def get_custom_metrics():\n    return {'queue_depth': 4, 'workers': {'mail': 3}}\n"
    )
    assert collect(custom_file=str(file)) == ({"queue_depth": 4, "workers": {"mail": 3}}, [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('db')", "KeyError"),
        ("return [1, 2]", "list"),
        ("return {'a': 'many'}", "a has no finite number"),
        ("return {'a': True}", "a has no finite number"),
        ("return {'a': float('nan')}", "a has no finite number"),
        ("return {'a': {'b': None}}", "'b' has no finite number"),
        ("import sys; sys.exit(3)", "SystemExit"),
    ],
)
def test_a_function_that_fails_is_told_in_one_line(tmp_path: Path, body: str, said: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"def get_custom_metrics():\n    {body}\n")
    numbers, errors = collect(custom_file=str(file))
    assert numbers == {}
    assert len(errors) == 1
    assert said in errors[0]


def test_a_function_that_hangs_costs_its_deadline_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import time\ndef get_custom_metrics():\n    time.sleep(60)\n")
    collector = Custom(Host(Tree(), custom_file=str(file), custom_seconds=0.2))
    errors: list[str] = []
    began = time.monotonic()
    for _ in range(20):
        assert collector.collect(errors) == {}
    assert time.monotonic() - began < 2.0
    assert set(errors) == {"custom: get_custom_metrics() does not answer"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("x = 1\n", "no function"), ("1 / 0\n", "ZeroDivisionError"), ("def (:\n", "SyntaxError")],
)
def test_a_file_without_the_function_is_refused_at_the_start(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(CustomError, match=said):
        load_function(str(file))


def test_a_file_that_anybody_may_write_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def get_custom_metrics():\n    return {'a': 1}\n")
    file.chmod(0o666)
    with pytest.raises(CustomError, match="must belong to"):
        load_function(str(file))


def test_text_files_and_programs_of_the_folder_come_together(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text(
        '# HELP workers x\nworkers{name="mail"} 3\nworkers{name="web"} 8 1700000000\nup 1\n'
    )
    (tmp_path / "b.json").write_text(json.dumps({"queue_depth": 4, "workers": {"cron": 1}}))
    (tmp_path / "notes.txt").write_text("not for you")
    program(tmp_path, "prog", 'echo "{\\"temperature\\": 21.5}"\n')
    program(tmp_path, "prog2", 'echo \'size{a="1",b="2"} 1e3\'\n')
    numbers, errors = collect(custom_dir=str(tmp_path))
    assert errors == []
    assert numbers == {
        "workers": {"mail": 3.0, "web": 8.0, "cron": 1},
        "up": 1.0,
        "queue_depth": 4,
        "temperature": 21.5,
        "size": {"a=1,b=2": 1000.0},
    }


def test_a_bad_source_costs_its_own_numbers_only(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{nonsense")
    (tmp_path / "bad.prom").write_text("what is this\n")
    (tmp_path / "good.prom").write_text("good 1\n")
    program(tmp_path, "fails", "echo 'lost 1'; exit 3\n")
    numbers, errors = collect(custom_dir=str(tmp_path))
    assert numbers == {"good": 1.0}
    assert len(errors) == 3
    assert any("ends with status 3" in error for error in errors)


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid.txt"
    program(tmp_path, "slow", f"sleep 60 & echo $! > {pid_file}; echo 'x 1'; wait\n")
    began = time.monotonic()
    numbers, errors = collect(custom_dir=str(tmp_path), custom_seconds=0.5)
    assert time.monotonic() - began < 3.0
    assert numbers == {}
    assert errors == ["custom: slow does not end within 0.5 s"]
    child = int(pid_file.read_text())
    until = time.monotonic() + 5.0
    while Path(f"/proc/{child}").exists() and "Z" not in _state(child):
        assert time.monotonic() < until, "the child still runs"
        time.sleep(0.01)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_a_program_that_prints_without_end_is_stopped(tmp_path: Path) -> None:
    program(tmp_path, "loud", "while :; do echo 'x 1'; done\n")
    numbers, errors = collect(custom_dir=str(tmp_path))
    assert numbers == {}
    assert errors == ["custom: loud prints more than 65536 bytes"]


def test_programs_get_no_shell_no_input_and_none_of_the_agent_s_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "canary")
    program(
        tmp_path, "odd name; touch hacked", 'read line; env > "$(dirname "$0")/seen"; echo "x 1"\n'
    )
    numbers, errors = collect(custom_dir=str(tmp_path))
    assert (numbers, errors) == ({"x": 1.0}, [])
    assert "canary" not in (tmp_path / "seen").read_text()
    assert not (tmp_path / "hacked").exists()


def test_what_anybody_may_write_is_neither_read_nor_run(tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text("a 1\n")
    (tmp_path / "a.prom").chmod(0o666)
    program(tmp_path, "b", f"touch {tmp_path}/ran\n").chmod(0o757)
    numbers, errors = collect(custom_dir=str(tmp_path))
    assert numbers == {}
    assert len(errors) == 2
    assert not (tmp_path / "ran").exists()
    tmp_path.chmod(0o777)
    assert collect(custom_dir=str(tmp_path))[1] == [
        f"custom: {tmp_path} is writable for others and not read"
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_program_of_another_user_is_not_run(tmp_path: Path) -> None:
    path = program(tmp_path, "theirs", f"touch {tmp_path}/ran\n")
    os.chown(path, 12345, 12345)
    assert collect(custom_dir=str(tmp_path)) == (
        {},
        ["custom: theirs must belong to root or the agent's user"],
    )
    assert not (tmp_path / "ran").exists()


def test_a_text_file_that_nobody_writes_any_more_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "old.prom"
    path.write_text("a 1\n")
    day_ago = time.time() - 90_000
    os.utime(path, (day_ago, day_ago))
    assert collect(custom_dir=str(tmp_path)) == (
        {},
        ["custom: old.prom has not been written for a day"],
    )


def test_more_names_than_a_server_may_have_are_cut_and_told(tmp_path: Path) -> None:
    (tmp_path / "many.prom").write_text("".join(f"m{n} {n}\n" for n in range(300)))
    numbers, errors = collect(custom_dir=str(tmp_path))
    assert len(numbers) == 200
    assert errors == ["custom: only the first 200 of 300 names are sent"]


@given(st.binary(max_size=400))
def test_any_bytes_a_source_gives_are_numbers_or_one_sentence(content: bytes) -> None:
    try:
        numbers = parse(content)
    except CustomError:
        return
    assert checked(numbers) == numbers


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,20}", fullmatch=True),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        max_size=20,
    )
)
def test_prometheus_text_is_read_as_it_was_written(numbers: dict[str, float]) -> None:
    text = "".join(f"{name} {value!r}\n" for name, value in numbers.items())
    assert parse_prom(text) == numbers
