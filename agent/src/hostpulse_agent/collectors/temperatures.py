"""Temperatures of the machine's sensors."""

from __future__ import annotations

from collections.abc import Iterator

from hostpulse_agent.host import Host
from hostpulse_agent.kept import Kept
from hostpulse_agent.proc import Tree

# A chip may take milliseconds to answer, and warms slowly.
READ_SECONDS = 15.0
LIST_SECONDS = 300.0
COLDEST, HOTTEST = -100.0, 300.0


def _hwmon(tree: Tree) -> Iterator[tuple[str, str]]:
    for chip in tree.names("sys/class/hwmon"):
        folder = f"sys/class/hwmon/{chip}"
        for entry in tree.names(folder):
            if entry.startswith("temp") and entry.endswith("_input"):
                sensor = entry[: -len("_input")]
                label = tree.maybe(f"{folder}/{sensor}_label").strip() or sensor
                name = tree.maybe(f"{folder}/name").strip() or chip
                yield f"{name} {label}", f"{folder}/{entry}"


def _zones(tree: Tree) -> Iterator[tuple[str, str]]:
    for zone in tree.names("sys/class/thermal"):
        if zone.startswith("thermal_zone"):
            folder = f"sys/class/thermal/{zone}"
            yield tree.maybe(f"{folder}/type").strip() or zone, f"{folder}/temp"


def sensors(tree: Tree) -> dict[str, str]:
    """Return the file of each sensor by its name; a second one of the same name is numbered."""
    found: dict[str, str] = {}
    for name, path in list(_hwmon(tree)) or list(_zones(tree)):
        unique, number = name, 2
        while unique in found:
            unique, number = f"{name} #{number}", number + 1
        found[unique] = path
    return found


class Temperatures:
    """Reads /sys/class/hwmon, or the thermal zones where there is no such chip."""

    name = "temperatures"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._sensors = Kept(LIST_SECONDS, lambda: sensors(host.tree))
        self._values = Kept(READ_SECONDS, self._read)

    def _read(self) -> dict[str, float]:
        values = {}
        for name, path in self._sensors.get(self._host.monotonic()).items():
            thousandths = self._host.tree.number(path)
            if thousandths is not None and COLDEST < thousandths / 1000.0 < HOTTEST:
                values[name] = round(thousandths / 1000.0, 1)
        return values

    def collect(self, errors: list[str]) -> dict[str, object]:
        values = self._values.get(self._host.monotonic())
        return {"temperatures": values} if values else {}
