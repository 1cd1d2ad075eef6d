"""`make bench`: measures the cost of server, agent and pages."""

from __future__ import annotations

import argparse

import ingest


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    print(ingest.measure(asked.rounds, asked.quick))


if __name__ == "__main__":
    main()
