"""Which cells may use a device: those in which a peer says that it does, and those of a real QEMU whose method may."""

from __future__ import annotations

from multifd.accelerator import by_method
from multifd.framing.model import framing
from multifd.lineup.peers import LineUp
from multifd.plan.cell import PlannedCell
from multifd.plan.work import Flips, Pairing, Work


def devices(work: Work, line_up: LineUp) -> frozenset[str]:
    """Names of the devices that the ends of this work may use; of a QEMU's method whether there is one or not."""
    match work:
        case Pairing():
            ends = ((work.sender, work.sender_framing), (work.receiver, work.receiver_framing))
        case Flips():
            ends = ((work.sender, work.framing), (work.receiver, work.framing))
        case _:
            return frozenset()
    methods = (by_method(framing(spoken).travels_as) for name, spoken in ends if line_up.qemu(name) is not None)
    return frozenset({each.name for each in methods if each is not None}) | {
        peer.device
        for peer in line_up.peers
        if peer.name in (work.sender, work.receiver) and peer.provenance == "hardware" and peer.device is not None
    }


def group(cell: PlannedCell, line_up: LineUp) -> str:
    """The group of a cell: those that use devices are one, for each of them is alone on its devices meanwhile, and one
    worker that does them leaves the others to cells that need none."""
    there = {peer.device for peer in line_up.peers if peer.provenance == "hardware"}
    return "hardware" if there & devices(cell.work, line_up) else cell.group
