"""`make bench`: measures what server, agent and pages cost, and says which targets are met."""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import agents
import comeback
import duty
import fleet
import growth
import ingest
import keys
import latency
import neighbours
import pages
import peers
import reads
import sizes
import storages
import views
from hostpulse import logs
from process import BenchError
from table import Result

README = Path(__file__).with_name("README.md")


def main() -> None:
    """Run what was asked for, print it, and write it down only when told to."""
    asked = _asked()
    logs.set_up("text", "warning")  # storages that run in this process
    parts: dict[str, Callable[[], Result]] = {
        "storages": lambda: storages.measure(asked.rounds, asked.quick),
        "ingest": lambda: ingest.measure(asked.rounds, asked.slow, asked.quick),
        "keys": lambda: keys.measure(asked.rounds, asked.quick),
        "duty": lambda: duty.measure(asked.quick),
        "sizes": lambda: sizes.measure(asked.quick),
        "reads": lambda: reads.measure(asked.quick),
        "growth": lambda: growth.measure(asked.quick),
        "history": lambda: latency.measure(asked.quick),
        "agents": lambda: agents.measure(asked.quick),
        "pages": pages.measure,
        "views": lambda: views.measure(asked.quick),
        "fleet": lambda: fleet.measure(asked.slow, asked.quick),
        "comeback": lambda: comeback.measure(asked.quick),
        "neighbours": lambda: neighbours.measure(asked.rounds, asked.quick),
    }
    for name in asked.parts or list(parts):
        print(f"bench {name} ...", file=sys.stderr, flush=True)
        try:
            said = f"{parts[name]()}\n\n{_machine()}"
        except BenchError as error:
            sys.exit(f"bench {name}: {error}")
        print(said, end="\n\n", flush=True)
        if asked.write:
            _write(name, said)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    names = [
        "ingest",
        "keys",
        "storages",
        "duty",
        "sizes",
        "reads",
        "growth",
        "history",
        "agents",
        "pages",
        "views",
        "fleet",
        "comeback",
        "neighbours",
    ]
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(names)}; else all")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of ingest (default 3)")
    parser.add_argument("--slow", type=int, default=300, help="slow senders (default 300)")
    parser.add_argument("--write", action="store_true", help="renew the results in bench/README.md")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(names):
        parser.error(f"there is no part {', '.join(sorted(unknown))}: use {', '.join(names)}")
    return asked


def _machine() -> str:
    """Name the command, the machine, its present speed and the versions."""
    command = " ".join(["bench/run.py", *sys.argv[1:]])
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in cpuinfo if line.startswith("model name")]
    git = ["git", "-C", str(README.parent), "rev-parse", "--short", "HEAD"]
    head = subprocess.run(git, check=False, capture_output=True, text=True).stdout.strip()
    used = peers.ALL
    versions = ", ".join(f"{name} {peers.version(name) or 'absent'}" for name in used)
    return "\n".join(
        [
            f"`{command}` on {datetime.now(UTC):%Y-%m-%d}, commit {head}:",
            f"{len(models)} x {models[0] if models else '?'}, Linux {platform.release()}, "
            f"Python {platform.python_version()}; {versions}.",
            f"5 million additions in Python took {_probe():.2f} s of CPU here.",
        ]
    )


def _probe() -> float:
    started, total = time.process_time(), 0
    for number in range(5_000_000):
        total += number
    return time.process_time() - started


def _write(name: str, text: str) -> None:
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = README.read_text().partition(begin)
    after = rest.partition(end)[2]
    README.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")


if __name__ == "__main__":
    main()
