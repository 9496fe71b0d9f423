"""What a migration asks of the devices of both ends, counted by the harness.

It follows from the packets that were sent, which a capture has, and a recording of a live migration: each end is asked
by the rules of its own library (:mod:`.routing`), the receiver for the payloads that it was really sent. Zero pages are
nobody's work: they travel as offsets.

Of a migration that nobody recorded there are bounds: pages with content are counted in the memory that is migrated,
packets are at least those that the pages fill, and more if either end says so; of escaped pages the sender tells, which
makes no difference to what is asked of itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import numpy as np

from multifd.accelerator import QAT, by_name
from multifd.errors import PeerError, WireError
from multifd.evidence.asked import Asked, Part
from multifd.evidence.routing import OnDevice, Sent, compressed, decompressed, endless, library, nothing, pagewise
from multifd.framing.model import Framing, Scope, framing
from multifd.memory.image import GuestMemory
from multifd.memory.layout import PageRun, Script
from multifd.migrate.capture import Capture
from multifd.peer import contract
from multifd.wire.packet import RamHeader, slots
from multifd.wire.scan import scan


class Demand(ABC):
    """What there was to compress and to decompress."""

    def of_sender(self, peer: OnDevice, name: str, reply: contract.Conclusion | PeerError) -> Part:
        """What is asked of a sender in the framing of that name; of one that did not do its part nothing is due."""
        return _part(self.encoding(peer, framing(name)), reply)

    def of_receiver(self, peer: OnDevice, name: str, reply: contract.Conclusion | PeerError) -> Part:
        """What is asked of a receiver, as above."""
        return _part(self.decoding(peer, framing(name)), reply)

    @abstractmethod
    def encoding(self, peer: OnDevice, spoken: Framing) -> Asked:
        """What is asked of a sender that did its part."""

    @abstractmethod
    def decoding(self, peer: OnDevice, spoken: Framing) -> Asked:
        """What is asked of a receiver that did its part."""


@dataclass(frozen=True, slots=True)
class Recorded(Demand):
    """That of packets that are known."""

    page_size: int
    packets: tuple[Sent, ...]

    @classmethod
    def of(cls, capture: Capture) -> Self:
        """Of a capture, as far as it can be read: what is wrong with it is for others to say."""
        return cls(capture.manifest.page_size, tuple(_packets(capture)))

    def encoding(self, peer: OnDevice, spoken: Framing) -> Asked:
        return compressed(peer, spoken, self.page_size, (packet.pages for packet in self.packets))

    def decoding(self, peer: OnDevice, spoken: Framing) -> Asked:
        return decompressed(peer, spoken, self.page_size, self.packets)


@dataclass(frozen=True, slots=True)
class Unseen(Demand):
    """Least numbers, where nobody saw the packets."""

    page_size: int
    pages: int
    """Pages with content, over all rounds."""
    packets: int
    """Packets with a payload, at least."""
    escaped: int | None
    """Pages that were sent as they are, None if nobody counted."""

    @classmethod
    def of(cls, script: Script, ends: Sequence[contract.Conclusion], changing: Sequence[PageRun] = ()) -> Self:
        """Of a migration from the first of these ends to the second; no ends are two that tell nothing.

        ``changing`` are pages of the first round that are rewritten meanwhile: they may be zero when they are sent,
        and are not counted.
        """
        contents = _contents(script, changing)
        told = [end.packets for end in ends if isinstance(end, contract.Done)]
        sent = ends[0] if ends else None
        return cls(
            script.page_size,
            sum(contents),
            max(sum(-(-count // slots(script.page_size)) for count in contents), *told, 0),
            sent.escaped if isinstance(sent, contract.Done) else None,
        )

    def encoding(self, peer: OnDevice, spoken: Framing) -> Asked:
        """As much as of packets of one page each, and as of all pages in one."""
        if spoken.raw_pages:
            return nothing(peer)
        if not self.pages:
            return Asked()
        rules = library(peer)
        page = rules.compressed(self.page_size)
        read = self.pages * page.read
        if pagewise(peer, spoken):
            return Asked(self.pages * page.least, read=read)
        whole = rules.compressed(self.pages * self.page_size)
        return Asked(max(self.packets * page.least, whole.least) if page.least else 0, read=read)

    def decoding(self, peer: OnDevice, spoken: Framing) -> Asked:
        """Where nobody counted what was escaped, a job for each packet; of libqatzip's payloads too little is known."""
        accelerator = by_name(peer.device)
        if spoken.raw_pages:
            return nothing(peer)
        if spoken.scope is Scope.CHANNEL and accelerator is not None and not accelerator.follows:
            return endless(None) if self.packets else Asked()
        if accelerator is QAT and peer.routing is not None:
            return Asked()
        if spoken.scope is not Scope.PAGE or (spoken.raw_escape and self.escaped is None):
            return Asked(self.packets)
        return Asked(max(self.pages - (self.escaped or 0) * spoken.raw_escape, 0))


def _part(asked: Asked, reply: contract.Conclusion | PeerError) -> Part:
    """One that failed has used its device for as much as it was asked for at most, which matters to the other end."""
    return Part(asked, reply) if isinstance(reply, contract.Done) else Part(Asked(most=asked.most))


def _packets(capture: Capture) -> Iterator[Sent]:
    page_size, raw = capture.manifest.page_size, capture.framing.raw_pages
    for channel, path in enumerate(capture.channel_paths()):
        with suppress(WireError):
            for packet in scan(path.read_bytes(), page_size, capture.dialect, raw_pages=raw):
                if isinstance(packet.header, RamHeader) and packet.header.normal_pages:
                    yield Sent(channel, packet.header.normal_pages, packet.payload)


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
                counts.append(int((sent & ~memory.zero_pages(block)).sum()))
    return counts
