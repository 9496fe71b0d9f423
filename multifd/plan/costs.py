"""One content with every framing, so that what framings cost can be compared: elsewhere content goes by combination."""

from __future__ import annotations

from collections.abc import Iterator

from multifd.framing.model import FRAMINGS
from multifd.memory.blocks import BLOCKS
from multifd.plan.cell import PlannedCell
from multifd.plan.pairings import pairing_cell
from multifd.plan.space import CAPTURE, PAGE_SIZES, Space
from multifd.plan.work import USUAL_BLOCKS


def compared(space: Space, size: int) -> Iterator[PlannedCell]:
    """Every codec as it comes by default, in every framing, with itself where it can: guests have ``size`` bytes."""
    for name in FRAMINGS:
        for sender in (peer for peer in space.senders if "[" not in peer.name):
            able = [peer for peer in space.receivers if space.fits(name, sender, peer, PAGE_SIZES[0])]
            able.sort(key=lambda peer: (peer.name != sender.name, peer.name))
            if able:
                yield pairing_cell("wire", sender, able[0], name, CAPTURE, BLOCKS[USUAL_BLOCKS].sizes(size))
