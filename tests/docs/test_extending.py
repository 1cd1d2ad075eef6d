"""What docs/extending.md says works as it stands there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.backend_under_test import Backend, iso
from tests.docs.checkout import Checkout

START_SECONDS = 20


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("checkout"))


@contextmanager
def served(checkout: Checkout, storage: str) -> Iterator[str]:
    """Run the copy's backend on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = checkout.start(
        "-m", "hostpulse", "serve", "--no-auth", "--port", str(port), "--storage", storage
    )
    try:
        until = time.monotonic() + START_SECONDS
        while not answers(url):
            assert process.poll() is None, "the backend ended"
            assert time.monotonic() < until, "the backend does not answer"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=START_SECONDS)


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/api/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def get(url: str, path: str, **query: str) -> Any:
    answer = requests.get(f"{url}/api/{path}", params=query, timeout=20)
    assert answer.ok, answer.text
    return answer.json()


def post(url: str, report: dict[str, Any]) -> Any:
    answer = requests.post(f"{url}/api/metrics", json=report, timeout=20)
    assert answer.ok, answer.text
    return answer.json()


def test_a_metric_of_two_edits_goes_from_the_agent_to_every_answer(checkout: Checkout) -> None:
    made = json.loads(checkout.run("-m", "hostpulse_agent", "--print", "--once"))
    dirty = made["memory"]["memory_dirty"]
    with served(checkout, "memory://") as url:
        assert post(url, made)["rejected_fields"] == []
        server = made["hostname"]
        assert get(url, f"servers/{server}/memory")["current"]["memory_dirty"] == dirty
        history = get(url, f"servers/{server}/history", metrics="memory_dirty", start="-1m")
        assert history["series"][0]["mean"] == [dirty]
        assert "memory_dirty" in [line["name"] for line in get(url, "catalogue")["metrics"]]


def test_a_line_of_a_chart_is_two_lines(
    checkout: Checkout, needs_program: Callable[..., str]
) -> None:
    script = """
        import { METRICS, PLOTS } from "./dashboard/server/plots.js";
        const metric = "tcp_time_wait", one = [4];
        if (!METRICS.includes(metric)) throw new Error("not asked for");
        const series = [{ metric, instance: "", unit: "count", mean: one, min: one, max: one }];
        const history = { times: [1], series };
        const { draw } = PLOTS.find((plot) => plot.key === "processes");
        const plot = draw({ history, catalogue: new Map(), sizes: {}, choice: {} });
        console.log(plot.series.map((line) => line.label).join());
    """
    run = subprocess.run(
        [needs_program("node"), "--input-type=module", "--eval", script],
        cwd=checkout.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "TCP in TIME-WAIT\n"


def test_custom_numbers_reach_the_api_with_no_edit(checkout: Checkout, backend: Backend) -> None:
    backend.clock.now_ms = int(time.time() * 1000)
    agent = Path(sys.executable).with_name("hostpulse-agent")
    here = checkout.root
    custom = ["--custom-file", str(here / "custom.py"), "--custom-dir", str(here / "custom.d")]
    line = [str(agent), "--once", "--server", backend.url, "--hostname", "web-1", *custom]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    assert backend.json("/api/servers/web-1/latest")["report"]["agent"].get("errors", []) == []
    found = {
        (series["metric"], series["instance"])
        for series in backend.json("/api/servers/web-1/series")["series"]
        if series["metric"].startswith("custom.")
    }
    assert found == {
        ("custom.jobs_waiting", ""),
        ("custom.workers", "mail"),
        ("custom.workers", "web"),
        ("custom.backup_age_seconds", ""),
        ("custom.backup_bytes", "nas"),
        ("custom.orders_open", ""),
        ("custom.orders_by_shop", "fra"),
        ("custom.orders_by_shop", "nyc"),
        ("custom.certificate_days_left", ""),
    }
    names = [line["name"] for line in backend.json("/api/catalogue")["metrics"]]
    assert {metric for metric, _ in found} <= set(names)
    backend.clock.advance(10_000)
    asked = {"metrics": "custom.orders_open", "start": "-1m"}
    history = backend.json("/api/servers/web-1/history", **asked)
    assert history["series"][0]["mean"] == [17]


def test_the_example_of_a_storage_keeps_the_law_of_storages(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPULSE_TEST_ROUNDS", "2")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take longer than the tests
    law = ("-k", "sqlite", "tests/conformance/test_storage.py")
    said = checkout.run("-m", "pytest", "-q", "-c", os.devnull, *law)
    assert "passed" in said, said


def test_the_example_of_a_storage_remembers_over_a_restart(checkout: Checkout) -> None:
    now_ms = int(time.time() * 1000)
    for ago_ms in (2000, 1000):
        report = {
            "hostname": "web-1",
            "timestamp": iso(now_ms - ago_ms),
            "memory": {"memory_percent": ago_ms / 100},
        }
        with served(checkout, "sqlite:samples.db") as url:
            assert post(url, report)["durability"] == "commit"
            asked = {"metrics": "memory_percent", "start": "-5m"}
            history = get(url, "servers/web-1/history", **asked)
    assert history["series"][0]["mean"] == [20, 10]
