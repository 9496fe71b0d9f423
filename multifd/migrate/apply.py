"""Our receiver's inner part: takes packets and main-channel words from sources and puts pages into guest memory.

Sources are sockets or files; who calls :meth:`ChannelApplier.run_epoch` decides whether channels run at the same
time (:mod:`multifd.migrate.receive`) or one after the other (:mod:`multifd.migrate.replay`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from multifd.errors import PayloadError, Place, WireError
from multifd.framing.coder import Codec
from multifd.framing.decode import PayloadDecoder
from multifd.framing.model import Framing
from multifd.framing.pages import Indices, PageStore, runs
from multifd.memory.image import GuestMemory
from multifd.migrate.stream import Source
from multifd.wire.channel import DeviceState, Opened, Packet, ReceivingChannel
from multifd.wire.channel import Event as WireEvent
from multifd.wire.dialect import Dialect, MainSync
from multifd.wire.main_reader import MainReader
from multifd.wire.main_stream import Blocks, EndOfSection, Event, Flush, Page, RamEnd, ZeroPage


@dataclass(frozen=True, slots=True)
class Reception:
    """How a migration is received. ``main_sync`` follows the machine type that both ends run."""

    framing: Framing
    dialect: Dialect
    main_sync: MainSync
    channels: int


class _Written:
    """A RAM block whose pages are stored with ``write``, not through the mapping.

    A store into a page that is not mapped yet is a fault for each page, which costs several times the copy; and
    on a full file system it kills the process where ``write`` raises EnvironmentBroke.
    """

    def __init__(self, memory: GuestMemory, block: str) -> None:
        self.shape = memory.pages(block).shape
        self._memory = memory
        self._block = block

    def __setitem__(self, place: int | slice, content: npt.NDArray[np.uint8]) -> None:
        first = place.start if isinstance(place, slice) else place
        self._memory.write(self._block, first * self.shape[1], content.data)


class Destination:
    """Guest memory as the receiver writes it."""

    def __init__(self, memory: GuestMemory) -> None:
        self.page_size = memory.layout.page_size
        self.sizes: Mapping[str, int] = memory.layout.sizes
        self._memory = memory
        self._stores = {block: _Written(memory, block) for block in self.sizes}

    def store(self, block: str) -> PageStore:
        """Where pages of a RAM block are put."""
        return self._stores[block]

    def zero(self, block: str, indices: Indices) -> None:
        """Make these pages zero; a page that is zero already is not touched, so that it stays unallocated."""
        for first, count in runs(indices):
            self._memory.clear(block, first * self.page_size, count * self.page_size)


class ChannelApplier:
    """One multifd channel: reads its packets and applies them, an epoch at a time."""

    def __init__(self, reception: Reception, codec: Codec, destination: Destination, source: Source) -> None:
        self.packets = 0
        self.channel = -1
        self._reception = reception
        self._codec = codec
        self._destination = destination
        self._source = source
        self._at = 0
        self._begin = 0
        self._wire = ReceivingChannel(
            reception.dialect,
            flag=reception.dialect.flag(reception.framing.travels_as),
            raw_pages=reception.framing.raw_pages,
            page_size=destination.page_size,
            blocks=destination.sizes,
            channels=reception.channels,
        )
        self._step = np.uint64(destination.page_size)

    def open(self) -> int:
        """Read the init packet; returns the channel id."""
        with self._placing():
            event = self._next()
        assert isinstance(event, Opened)
        self.channel = event.channel
        self._decoder = PayloadDecoder(self._reception.framing, self._codec, self._destination.page_size, self.channel)
        return self.channel

    def run_epoch(self) -> bool:
        """Apply packets up to the next SYNC (True) or the end of the channel (False)."""
        with self._placing():
            while (event := self._next()) is not None:
                match event:
                    case Packet():
                        self._apply(event)
                        if event.sync:
                            return True
                    case DeviceState() if event.payload_size:
                        self._skip(event.payload_size)
                    case _:
                        pass
        return False

    @contextmanager
    def _placing(self) -> Iterator[None]:
        """Errors from here on know where on this channel they are."""
        try:
            yield
        except WireError as problem:
            problem.place = Place(channel=self.channel if self.channel >= 0 else None, offset=self._begin)
            raise

    def _next(self) -> WireEvent | None:
        self._begin = self._at
        return self._wire.next(self._read)

    def _read(self, size: int) -> memoryview:
        data = self._source.read(size)
        self._at += len(data)
        return data

    def _apply(self, packet: Packet) -> None:
        destination, block = self._destination, packet.block
        if len(packet.zero):
            destination.zero(block, packet.zero // self._step)
        if not len(packet.normal):
            return
        indices = packet.normal // self._step
        start = self._at
        payload = self._read(packet.payload_size)
        if len(payload) < packet.payload_size and self._reception.framing.raw_pages:
            # QEMU reads straight into the pages (multifd_nocomp_recv): what came before the end is there.
            whole = len(payload) // destination.page_size
            self._decoder.decode(payload[: whole * destination.page_size], destination.store(block), indices[:whole])
        if len(payload) < packet.payload_size:
            self._wire.finish(len(payload))
        try:
            self._decoder.decode(payload, destination.store(block), indices)
        except PayloadError as problem:
            within = problem.place.offset or 0
            raise problem.at(packet=packet.number, block=block, offset=start + within) from None
        if packet.payload_size:
            self._wire.payload_done()
        self.packets += 1

    def _skip(self, size: int) -> None:
        received = len(self._read(size))
        if received < size:
            self._wire.finish(received)
        self._wire.payload_done()


def _zeroed(event: Event) -> str | None:
    """The RAM block of a zero page; what comes together is made zero together."""
    return event.block if isinstance(event, ZeroPage) else None


class MainApplier:
    """The main channel's RAM: zero pages of old dialects, and where the flush marks are."""

    def __init__(self, reception: Reception, destination: Destination) -> None:
        self._destination = destination
        self._flush_mark = Flush if reception.main_sync is MainSync.FLUSH else EndOfSection
        self._reader = MainReader(destination.page_size, flush_word=reception.dialect.main_sync is MainSync.FLUSH)
        self.ended = False
        """RAM has ended; what follows is device state."""

    def feed(self, data: memoryview) -> Iterator[None]:
        """Apply what arrived, in order; yields at each flush mark, where the channels must end their epoch."""
        for block, events in groupby(self._reader.feed(data), _zeroed):
            if block is None:
                yield from self._apply(events)
            else:
                offsets = (event.offset for event in events if isinstance(event, ZeroPage))
                indices = np.fromiter(map(self._index, offsets), np.uint64)
                self._destination.zero(block, indices)

    def _apply(self, events: Iterable[Event]) -> Iterator[None]:
        for event in events:
            match event:
                case Page(block, offset, content):
                    self._destination.store(block)[self._index(offset)] = np.frombuffer(content, np.uint8)
                case Blocks(blocks):
                    self._check(blocks)
                case RamEnd():
                    self.ended = True
                case _ if isinstance(event, self._flush_mark):
                    yield

    def finish(self) -> None:
        """The stream ended; raises TruncatedError if RAM had not."""
        self._reader.finish()

    def _index(self, offset: int) -> int:
        return offset // self._destination.page_size

    def _check(self, blocks: tuple[tuple[str, int], ...]) -> None:
        for name, size in blocks:
            ours = self._destination.sizes.get(name)
            if ours is None:
                raise WireError(
                    "RAM block", name, f"one of {', '.join(self._destination.sizes)}",
                    f'Unknown ramblock "{name}", cannot accept migration',
                )  # fmt: skip
            if ours != size:
                raise WireError(
                    f"size of RAM block {name}", size, ours,
                    f"Size mismatch: {name}: 0x{size:x} != 0x{ours:x}",
                )  # fmt: skip
