"""Which machine type the QEMUs of a cell run."""

from __future__ import annotations

from multifd.lineup.peers import LineUp
from multifd.plan.work import Pairing
from multifd.qemu.facts import common_machine


def machine_of(line_up: LineUp, pairing: Pairing) -> str:
    """The machine type that both ends of a pairing run: the newest that they share."""
    qemus = [qemu.facts for name in (pairing.sender, pairing.receiver) if (qemu := line_up.qemu(name)) is not None]
    if pairing.plan.old_machine:
        qemus = [qemu.facts for qemu in line_up.qemus if qemu.facts.target == qemus[0].target]
    machine = common_machine(*qemus, family=pairing.plan.family)
    assert machine is not None, f"{pairing.place} has no machine type and should have been skipped"
    return machine
