"""From two parties, at least one of them a QEMU, to a cell."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from multifd.lineup.peers import LineUp, QemuPeer
from multifd.lineup.qemus import MEMORY
from multifd.memory.blocks import GUESTS
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import Party, pairing_cell
from multifd.plan.work import USUAL_BLOCKS
from multifd.qemu.guest import RAM_BLOCK


def qemu_cell(
    sender: Party,
    receiver: Party,
    sent: str,
    read: str,
    *,
    scenario: str,
    channels: int = 2,
    expects: int | None = None,
    spoken: str | None = None,
    fault: str | None = None,
    corpus: str = "mixed",
    blocks: str = USUAL_BLOCKS,
    memory: int = MEMORY,
) -> PlannedCell:
    """One cell. A codec of ours speaks the dialect of the QEMU it faces, unless told otherwise.

    ``blocks`` is one of :data:`multifd.memory.blocks.GUESTS`, or all of the ``memory`` bytes in one block.
    """
    facts = [peer.facts for peer in (sender, receiver) if isinstance(peer, QemuPeer)]
    source, *others = [each.dialect.name for each in facts]
    return pairing_cell(
        "qemu", sender, receiver, (sent, read), scenario,
        GUESTS[blocks].sizes(memory) if blocks in GUESTS else {RAM_BLOCK: memory},
        dialects=(spoken or source, others[0] if others else source),
        channels=channels, receiver_channels=expects, fault=fault, corpus=corpus, blocks=blocks,
        page_size=facts[0].arch.page_size,
    )  # fmt: skip


def alike(line_up: LineUp) -> Iterator[tuple[QemuPeer, QemuPeer]]:
    """Every ordered pair of QEMUs of one architecture: a guest does not change it."""
    return (
        (sender, receiver)
        for sender, receiver in itertools.product(line_up.qemus, line_up.qemus)
        if sender.facts.target == receiver.facts.target
    )


def sent_methods(line_up: LineUp) -> Iterator[tuple[QemuPeer, str]]:
    """Every QEMU with every method that it has."""
    return ((sender, method) for sender in line_up.qemus for method in sender.methods)


def shared_methods(sender: QemuPeer, receiver: QemuPeer) -> list[str]:
    """The methods that both have."""
    return [method for method in sender.methods if method in receiver.methods]
