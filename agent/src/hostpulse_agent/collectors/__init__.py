"""One file per subject; this list is the order in which they are asked."""

from __future__ import annotations

from typing import Callable, Protocol

from hostpulse_agent.collectors.cpu import Cpu
from hostpulse_agent.collectors.custom import Custom
from hostpulse_agent.collectors.disk import Disk
from hostpulse_agent.collectors.disk_io import DiskIo
from hostpulse_agent.collectors.facts import Facts
from hostpulse_agent.collectors.limits import Limits
from hostpulse_agent.collectors.memory import Memory
from hostpulse_agent.collectors.network import Network
from hostpulse_agent.collectors.pressure import Pressure
from hostpulse_agent.collectors.raid import Raid
from hostpulse_agent.collectors.sockets import Sockets
from hostpulse_agent.collectors.system import System
from hostpulse_agent.collectors.temperatures import Temperatures
from hostpulse_agent.host import Host


class Collector(Protocol):
    """Reads one subject and returns its part of the report, by section.

    What the kernel does not show is left out. A part that cannot be had for the moment is told in
    one sentence in `errors`; an exception means that the whole subject is missing this time.
    """

    name: str

    def collect(self, errors: list[str]) -> dict[str, object]: ...


COLLECTORS: tuple[Callable[[Host], Collector], ...] = (
    Cpu,
    Memory,
    DiskIo,
    Network,
    Disk,
    System,
    Sockets,
    Limits,
    Pressure,
    Raid,
    Temperatures,
    Facts,
    Custom,
)
