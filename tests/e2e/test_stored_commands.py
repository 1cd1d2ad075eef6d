"""The commands that look at what a running backend keeps in files."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from tests.backend_under_test import eventually, report
from tests.known_key import known
from tests.programs import Server, command, environment, now_ms

SAMPLES = 50


class Kept:
    """A backend on files that has some samples, and the environment that leads to them."""

    def __init__(self, folder: Path) -> None:
        self.samples = folder / "data" / "metrics"
        self.env = environment(HOSTPULSE_STORAGE="file:", HOSTPULSE_DATA_DIR=str(folder / "data"))
        self.server = Server(folder / "log", env=self.env)
        self.first_ms = now_ms() // 1000 * 1000 - SAMPLES * 1000
        self.times = [self.first_ms + i * 1000 for i in range(SAMPLES)]
        self.server.accept(self.reports(0))
        # A new server is known to other processes within a second or two.
        eventually(lambda: self.run("export", "web-1").returncode == 0)

    def reports(self, first: int) -> list[dict[str, Any]]:
        """Make reports of a server web-1, with values that count up from `first`."""
        return [
            report("web-1", time_ms, cpu={"cpu_percent_total": first + i})
            for i, time_ms in enumerate(self.times)
        ]

    def run(
        self, *arguments: str, stdout: IO[bytes] | int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[bytes]:
        line, error = command("hostpulse", *arguments), subprocess.PIPE
        return subprocess.run(
            line, env=self.env, stdout=stdout, stderr=error, timeout=60, check=False
        )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    running = Kept(tmp_path_factory.mktemp("kept"))
    yield running
    running.server.kill()


def test_an_export_has_every_sample_of_its_range(kept: Kept) -> None:
    done = kept.run("export", "web-1", "--start", "-1h")
    assert done.returncode == 0, done.stderr
    lines = list(csv.reader(done.stdout.decode().splitlines()))
    assert lines[0] == ["time", "cpu_percent_total"]
    assert [float(line[1]) for line in lines[1:]] == list(range(SAMPLES))


def test_an_export_may_go_to_a_file_and_name_the_server_by_id(kept: Kept, tmp_path: Path) -> None:
    server = kept.server.json("/api/servers/web-1")["id"]
    start, end = str(kept.times[10]), str(kept.times[20])
    out = tmp_path / "out.jsonl"
    bounds = ("--start", start, "--end", end, "--format", "jsonl", "--output", str(out))
    done = kept.run("export", server, *bounds)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line)["cpu_percent_total"] for line in out.read_text().splitlines()]
    assert found == list(range(10, 20))


def test_only_a_terminal_is_shown_how_far_an_export_is(kept: Kept) -> None:
    assert kept.run("export", "web-1").stderr == b""
    ours, theirs = os.openpty()
    line = command("hostpulse", "export", "web-1")
    subprocess.run(
        line, env=kept.env, stdout=subprocess.DEVNULL, stderr=theirs, timeout=60, check=True
    )
    os.close(theirs)
    assert b"Exporting" in os.read(ours, 65_536)
    os.close(ours)


def test_another_organisation_has_its_own_exports_and_its_name_in_the_status(kept: Kept) -> None:
    assert kept.run("tenant", "create", "acme").returncode == 0
    made = kept.run("key", "create", "--tenant", "acme", "--label", "a program")
    key = known(made.stdout.decode().strip(), kept.server.url)
    answer = requests.post(
        f"{kept.server.url}/api/metrics",
        json=kept.reports(50),
        headers={"Authorization": f"Bearer {key}"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    export = ("export", "web-1", "--tenant", "acme", "--format", "jsonl", "--start", "-1h")
    eventually(lambda: kept.run(*export).returncode == 0)
    lines = kept.run(*export).stdout.splitlines()
    assert [json.loads(line)["cpu_percent_total"] for line in lines] == [*range(50, 100)]
    status = kept.run("storage", "status").stdout.decode()
    assert {tuple(line.split()[-2:]) for line in status.splitlines() if "web-1" in line} == {
        ("default", "web-1"),
        ("acme", "web-1"),
    }


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_export_that_finds_no_room_says_so_in_a_sentence(kept: Kept, form: str) -> None:
    export = ("export", "web-1", "--format", form)
    to_file = kept.run(*export, "--output", "/dev/full")
    with Path("/dev/full").open("wb") as full:
        to_standard_output = kept.run(*export, stdout=full)
    for done, name in ((to_file, "/dev/full"), (to_standard_output, "standard output")):
        assert done.returncode == 1
        said = done.stderr.decode()
        assert said.startswith(f"Error: output: cannot write all of {name} (No space left")
        assert said.count("\n") == 1


def test_a_disk_that_fills_half_way_leaves_no_doubt_that_the_export_is_not_whole(
    kept: Kept, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    whole = kept.run("export", "web-1").stdout
    line = " ".join(command("hostpulse", "export", "web-1", "--output", str(out)))
    script = f"ulimit -f 1; exec {line}"  # blocks of 512 bytes, or of 1024
    done = subprocess.run(["sh", "-c", script], env=kept.env, capture_output=True, check=False)
    assert 0 < out.stat().st_size < len(whole)
    assert done.returncode == 1
    assert "what is there is not whole" in done.stderr.decode()
    assert b"Traceback" not in done.stderr


REFUSED = {
    "no server": ("export", "web-9"),
    "nowhere to write": ("export", "web-1", "--output", "/no/such/folder/out.csv"),
    "no organisation": ("export", "web-1", "--tenant", "nobody"),
    "no time": ("export", "web-1", "--start", "yesterday"),
    "memory": ("export", "web-1", "--storage", "memory://"),
    "another folder": ("storage", "status", "--data-dir", "elsewhere"),
    "no folder of samples": ("storage", "status", "--storage", "file:/no/such/folder"),
    "a folder of others": ("export", "web-1", "--storage", "file:/"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_shown_is_refused_in_words(kept: Kept, what: str, tmp_path: Path) -> None:
    arguments = [str(tmp_path) if one == "elsewhere" else one for one in REFUSED[what]]
    done = kept.run(*arguments)
    assert done.returncode != 0
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert b"Error: " in done.stderr


def test_an_organisation_that_is_not_there_is_named(kept: Kept) -> None:
    said = kept.run("export", "web-1", "--tenant", "nobody").stderr.decode()
    assert said == "Error: tenant: there is no organisation 'nobody'; see hostpulse tenant list.\n"


def test_a_folder_that_is_not_there_is_named_and_not_made(kept: Kept, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    done = kept.run("storage", "status", "--storage", f"file:{nowhere}")
    assert done.returncode == 1
    assert f"the folder {nowhere} is not there; " in done.stderr.decode()
    assert not nowhere.exists()


def test_the_status_names_tiers_sizes_and_servers(kept: Kept) -> None:
    done = kept.run("storage", "status")
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode()
    assert all(word in said for word in ("raw", "1m", "1h", "bytes/value", "web-1"))


def test_damage_is_told_by_status_and_health_and_makes_neither_ill(kept: Kept) -> None:
    def told() -> tuple[str, dict[str, int]]:
        health = kept.server.json("/api/health")
        assert health["status"] == "ok"
        done = kept.run("storage", "status")
        assert done.returncode == 0
        return done.stdout.decode(), health["components"]["storage"]["lost"]

    said, lost = told()
    assert (said.count("Damaged"), lost["damaged_pieces"]) == (0, 0)
    (kept.samples / "quarantine").mkdir()
    (kept.samples / "quarantine" / "1795392000000.17").write_bytes(b"x" * 1500)  # of an earlier run
    said, lost = told()
    assert "1 piece, 1.5 kB" in said
    assert lost == {"damaged_pieces": 1, "damaged_bytes": 1500, "refused_points": 0}
