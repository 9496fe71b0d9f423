"""How many processes hold a device at a time, against how many it has room for.

Every peer on hardware is a process that holds the device from its start to its end. libqat gives a process a virtual
function of each PF, and a VF to one process only (POLICY 0 of qatmgr(8), qatlib 25.08): at most as many processes as
one PF has VFs. Intel's driver package has ``NumProcesses`` in the section that a process starts. IAA's shared queues
have no such number. A device that works for fewer processes than a cell has would fail its cells one after the other;
with as many a run ends what it needs no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from multifd.accelerator import ACCELERATORS
from multifd.device.found import Device
from multifd.errors import EnvironmentBroke
from multifd.lineup.peers import LineUp

LEAST: Final = 2
"""Processes of a cell: a sender and a receiver."""


def capacity(devices: Sequence[Device]) -> int | None:
    """How many processes can work on any of these devices at a time, None for no limit.

    A process may hold one of each, so they do not add up.
    """
    counts = [device.processes for device in devices]
    return max((count for count in counts if count is not None), default=None) if None not in counts else None


def too_few(devices: Sequence[Device]) -> str:
    """That not even one cell fits, in words; empty if it does."""
    most = capacity(devices)
    if most is None or most >= LEAST:
        return ""
    return f"{_processes(most)} at a time can hold {_names(devices)}"


def remedy(devices: Sequence[Device]) -> str:
    """What gives it room for more processes."""
    if any(device.facts.get("stack") == "adf" for device in devices):
        return "raise NumProcesses in the section of its configuration (/etc/*_dev*.conf), then: adf_ctl restart"
    return (
        "give it more virtual functions (sriov_numvfs), let a process take fewer of them (POLICY=1 in"
        " /etc/sysconfig/qat, where a restart of qat is felt by all who use it; QAT_POLICY=1 in the environment where"
        " no qatmgr runs), or end the processes that hold them"
    )


def cramped(devices: Sequence[Device]) -> str:
    """That not even one cell fits, and how many processes it has, in words; empty if it does."""
    few = too_few(devices)
    return f"{few}, a cell has {LEAST}, a sender and a receiver" if few else ""


def limited(line_up: LineUp) -> LineUp:
    """The line-up with the most processes that a run may have at each device, where it would have more.

    Raises EnvironmentBroke where a required device has not even room for what one cell needs.
    """
    holders, remarks = {}, []
    for kind, accelerator in ACCELERATORS.items():
        devices = [device for device in line_up.devices if device.kind == kind]
        most = capacity(devices) if devices else None
        peers = [peer for peer in line_up.peers if (peer.device, peer.provenance) == (accelerator.name, "hardware")]
        qemus = LEAST if any(accelerator.method in qemu.methods for qemu in line_up.qemus) else 0
        wanted = sum(len(peer.roles) for peer in peers) + qemus
        if most is None or not peers or wanted <= most:
            continue
        if most - qemus < LEAST:
            short = (
                f"{accelerator.name}: {_processes(most)} at a time can hold {_names(devices)}; two QEMUs and a sender"
                f" and a receiver of ours are {LEAST + qemus}; {remedy(devices)}"
            )
            if kind in line_up.required:
                raise EnvironmentBroke(short)
            remarks.append(short)
        else:
            remarks.append(
                f"{accelerator.name}: {_processes(most)} at a time can hold {_names(devices)}, this run has"
                f" {wanted}: it ends those that it does not need, and starts them again"
            )
        holders[accelerator.name] = max(most - qemus, LEAST)
    return line_up.model_copy(update={"holders": holders, "remarks": (*line_up.remarks, *remarks)})


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"


def _names(devices: Sequence[Device]) -> str:
    return ", ".join(f"{device.name} {device.pci or ''}".strip() for device in devices)
