"""How many jobs a migration demands of the devices of both ends, counted by the harness.

===============  ==================================  ==================================
stream per       encoding                            decoding
===============  ==================================  ==================================
page             one for each page with content      the same, less pages sent as they are
packet, channel  one for each packet with a payload  the same
===============  ==================================  ==================================

What silicon does not follow, a stream that does not end, is software's by the vendor's own rules, and demands nothing.
Zero pages are nobody's work: they travel as offsets. These are least numbers: a device may do a packet in several
jobs (libqatzip: one for each hw_buff_sz bytes).

Pages with content are counted in the memory that is migrated, packets and escaped pages in the capture. What passes
between live peers nobody sees: the packets are at least those that the pages fill, and more if either end says so; of
escaped pages the sender tells, which makes no difference to what is demanded of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from multifd.accelerator import by_name
from multifd.errors import PeerError
from multifd.evidence.asked import Asked, Part
from multifd.evidence.measure import Measurement
from multifd.framing.model import Framing, Scope, framing
from multifd.memory.image import GuestMemory, zero_rows
from multifd.memory.layout import PageRun, Script
from multifd.peer import contract
from multifd.wire.packet import slots


@dataclass(frozen=True, slots=True)
class Demand:
    """What there was to compress and to decompress."""

    pages: int
    """Pages with content, over all rounds."""
    packets: int
    """Packets with a payload."""
    escaped: int | None
    """Pages that were sent as they are, None if nobody counted."""

    @classmethod
    def of_capture(cls, script: Script, seen: Measurement) -> Self:
        """Of a migration into a capture."""
        return cls(sum(_contents(script)), seen.packets, seen.escaped)

    @classmethod
    def of_live(cls, script: Script, ends: Sequence[contract.Conclusion], changing: Sequence[PageRun] = ()) -> Self:
        """Of a migration from the first of these ends to the second; no ends are two that tell nothing.

        ``changing`` are pages of the first round that are rewritten meanwhile: they may be zero when they are sent,
        and are not counted.
        """
        contents = _contents(script, changing)
        told = [end.packets for end in ends if isinstance(end, contract.Done)]
        sent = ends[0] if ends else None
        return cls(
            sum(contents),
            max(sum(-(-count // slots(script.page_size)) for count in contents), *told, 0),
            sent.escaped if isinstance(sent, contract.Done) else None,
        )

    def of_sender(self, reply: contract.Conclusion | PeerError, name: str) -> Part:
        """What is asked of a sender in the framing of that name: nothing if it did not do its part."""
        if not isinstance(reply, contract.Done):
            return Part(Asked())
        return Part(Asked(self.encoding(framing(name))), reply)

    def of_receiver(self, reply: contract.Conclusion, name: str, device: str | None = None) -> Part:
        """What is asked of a receiver on that device, as above."""
        spoken, accelerator = framing(name), by_name(device)
        if not isinstance(reply, contract.Done):
            return Part(Asked())
        if accelerator is not None and not accelerator.follows and spoken.scope is Scope.CHANNEL:
            return Part(Asked(), reply)
        return Part(Asked(self.decoding(spoken)), reply)

    def encoding(self, spoken: Framing) -> int:
        """Jobs of the sender."""
        if spoken.raw_pages:
            return 0
        return self.pages if spoken.scope is Scope.PAGE else self.packets

    def decoding(self, spoken: Framing) -> int:
        """Jobs of the receiver; where nobody counted what was escaped, one for each packet."""
        if not spoken.raw_escape:
            return self.encoding(spoken)
        return self.packets if self.escaped is None else max(self.pages - self.escaped, 0)


def _contents(script: Script, changing: Sequence[PageRun] = ()) -> list[int]:
    """Pages with content, for each round and each of its RAM blocks."""
    counts = []
    for number, dirty_round in enumerate(script.rounds):
        with GuestMemory.open(dirty_round.image, writable=False) as memory:
            for block, pages in dirty_round.image.page_counts.items():
                sent = np.zeros(pages, bool)
                for run in dirty_round.pages:
                    sent[run.first : run.stop] |= run.block == block
                for run in changing if number == 0 else ():
                    sent[run.first : run.stop] &= run.block != block
                counts.append(int((sent & ~zero_rows(memory.pages(block))).sum()))
    return counts
