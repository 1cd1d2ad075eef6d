"""What a machine is: its system, kernel, processor, identity."""

from __future__ import annotations

import hashlib
import re

from hostpulse_agent.host import Host
from hostpulse_agent.kept import Kept
from hostpulse_agent.proc import Tree

FACTS_SECONDS = 600.0
CPU_MODEL = re.compile(r"^(?:model name|Model|Hardware|cpu model|cpu)\s*:\s*(.+)$", re.MULTILINE)
VENDORS = (
    ("QEMU", "kvm"),
    ("KVM", "kvm"),
    ("Amazon EC2", "kvm"),
    ("Google Compute Engine", "kvm"),
    ("OpenStack", "kvm"),
    ("VMware", "vmware"),
    ("VirtualBox", "virtualbox"),
    ("innotek", "virtualbox"),
    ("Virtual Machine", "hyperv"),
    ("Xen", "xen"),
    ("Parallels", "parallels"),
)


def system_name(os_release: str) -> str:
    """Return PRETTY_NAME of an os-release file."""
    for line in os_release.splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip().strip("\"'")
    return ""


def _container(tree: Tree) -> str:
    if "fuse.lxcfs" in tree.maybe("proc/self/mounts"):
        return "lxc"
    if tree.exists(".dockerenv"):
        return "docker"
    if tree.exists("run/.containerenv"):
        return "podman"
    return tree.maybe("run/systemd/container").strip()


def virtualization(tree: Tree, cpuinfo: str) -> str:
    """Return the kind of container or hypervisor; nothing on plain hardware."""
    container = _container(tree)
    if container:
        return container
    dmi = "sys/class/dmi/id/"
    names = tree.maybe(dmi + "sys_vendor") + tree.maybe(dmi + "product_name")
    for word, kind in VENDORS:
        if word in names:
            return kind
    kind = tree.maybe("sys/hypervisor/type").strip()
    return kind or ("vm" if re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE) else "")


def plain_machine_id(tree: Tree) -> str:
    """Return the machine's id, which is not to leave it; nothing where none is set."""
    text = tree.maybe("etc/machine-id") or tree.maybe("var/lib/dbus/machine-id")
    # A file that says "uninitialized", or nothing, names no machine.
    return text.strip() if re.fullmatch(r"[0-9a-f]{32}\s*", text) else ""


def machine_id(tree: Tree) -> str:
    """Return a hash that is stable for the machine and tells nothing about it."""
    plain = plain_machine_id(tree)
    return hashlib.sha256(b"hostpulse:" + plain.encode()).hexdigest() if plain else ""


class Facts:
    """Repeats in every report what seldom changes."""

    name = "facts"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._facts = Kept(FACTS_SECONDS, self._ask)

    def _ask(self) -> dict[str, str]:
        tree = self._host.tree
        cpuinfo = tree.maybe("proc/cpuinfo")
        model = CPU_MODEL.search(cpuinfo)
        facts = {
            "os": system_name(tree.maybe("etc/os-release") or tree.maybe("usr/lib/os-release")),
            "kernel": tree.maybe("proc/sys/kernel/osrelease").strip(),
            "architecture": self._host.architecture,
            "cpu_model": " ".join(model[1].split()) if model else "",
            "machine_id": machine_id(tree),
            "virtualization": virtualization(tree, cpuinfo),
        }
        return {name: value for name, value in facts.items() if value}

    def collect(self, errors: list[str]) -> dict[str, object]:
        return {"system": self._facts.get(self._host.monotonic())}
