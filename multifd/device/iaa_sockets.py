"""Which processes reach an IAA device: libqpl takes those of the caller's socket.

With ``numa_id`` -1, its default, libqpl passes over devices of other sockets, and answers 503 where no other is left
(``hw_device::is_matching_user_numa_policy``, sources/middle-layer/dispatcher/hw_device.cpp, qpl 1.6.0;
github.com/intel/qpl/issues/17 and 58). A device whose node is not known serves all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from multifd.device.found import Device, Problem
from multifd.device.sysfs import Host

FACT: Final = "NUMA node"
"""Of a device's facts, the one that says where it is."""
NODES: Final = "/sys/devices/system/node"
PROCESSORS: Final = "/sys/devices/system/cpu"


def node(host: Host, path: str) -> int | None:
    """NUMA node of the device at ``path`` in sysfs, or of its PCI function; None where there is none."""
    for place in (path, path.rpartition("/")[0]):
        number = host.number(f"{place}/numa_node")
        if number is not None:
            return number if number >= 0 else None
    return None


def unserved(host: Host, devices: Sequence[Device]) -> Problem | None:
    """That processes of some sockets find no device, though others do."""
    usable = [device for device in devices if device.usable]
    nodes = [device.facts.get(FACT) for device in usable]
    if not usable or None in nodes:
        return None
    served = {socket(host, int(number)) for number in nodes if number is not None}
    homes = {device.name: socket(host, int(device.facts[FACT])) for device in devices if FACT in device.facts}
    lacking = sorted((_sockets(host) | set(homes.values())) - served)
    if not lacking:
        return None
    others = [name for name, home in homes.items() if home in lacking]
    names = " and ".join(str(number) for number in lacking)
    configure = f"# configure {others[0]}, which is there: what it lacks stands below its name\n" if others else ""
    nearest = min(int(number) for number in nodes if number is not None)
    return Problem(
        f"processes on socket {names} find no device (503): libqpl takes only those of the caller's socket",
        f"{configure}# or name the node of a device: numa_id={nearest} of qpl in the profile\n"
        f"# or keep everything near it: numactl --cpunodebind={nearest} --membind={nearest} multifd ...",
    )


def socket(host: Host, number: int) -> int:
    """The socket of a NUMA node; one socket has several nodes where the BIOS clusters them (SNC)."""
    first = (host.text(f"{NODES}/node{number}/cpulist") or "").partition(",")[0].partition("-")[0]
    package = host.number(f"{PROCESSORS}/cpu{first}/topology/physical_package_id") if first else None
    return number if package is None else package


def _sockets(host: Host) -> set[int]:
    """All that have processors; a node may have memory alone."""
    numbers = (int(path.rpartition("/node")[2]) for path in host.find(f"{NODES}/node[0-9]*"))
    return {socket(host, number) for number in numbers if host.text(f"{NODES}/node{number}/cpulist") != ""}
