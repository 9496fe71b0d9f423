"""Our sender: dirty rounds become packets on channels and words on the main channel. Sinks are sockets or files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

from multifd.framing.coder import Codec
from multifd.framing.encode import PayloadEncoder
from multifd.framing.model import Framing
from multifd.framing.pages import Indices, Pages, gather, runs, total, views, zero_mask
from multifd.memory.image import GuestMemory
from multifd.memory.layout import Round, Script
from multifd.migrate.crew import Task
from multifd.migrate.stream import Sink
from multifd.wire.dialect import Dialect, MainSync, SyncCarrier, ZeroPages
from multifd.wire.main_writer import MainWriter
from multifd.wire.packet import slots
from multifd.wire.sending import SendingChannel

MACHINE = "multifd-conformance"
"""Machine name in the configuration section of our main channel."""

_NONE: Indices = np.empty(0, np.uint64)


@dataclass(frozen=True, slots=True)
class Block:
    """A RAM block to send from."""

    name: str
    memory: GuestMemory

    @property
    def pages(self) -> Pages:
        """The guest's own pages."""
        return self.memory.pages(self.name)

    def read(self, first: int, rows: Pages) -> None:
        """Copy pages, a :class:`multifd.framing.pages.PageSource`."""
        self.memory.read(self.name, first * rows.shape[1], rows.data)

    def zero_mask(self, indices: Indices) -> npt.NDArray[np.bool_]:
        """Which of these pages hold only zeros; a hole does, and is not looked at, for in tmpfs that would fill it."""
        mask, at = np.ones(len(indices), np.bool_), 0
        for first, count in runs(indices):
            for start, stop in self.memory.data(self.name, first, count):
                there = np.arange(start, stop, dtype=np.uint64)
                mask[at + start - first : at + stop - first] = zero_mask(self.pages, there)
            at += count
        return mask


@dataclass(frozen=True, slots=True)
class Batch:
    """Pages of one RAM block that travel in one packet."""

    block: Block
    indices: Indices


@dataclass(frozen=True, slots=True)
class Transmission:
    """How a migration is sent."""

    framing: Framing
    dialect: Dialect
    zero_pages: ZeroPages
    main_sync: MainSync
    channels: int


class ChannelTransmitter:
    """One channel: encodes and writes its packets."""

    def __init__(
        self, transmission: Transmission, wire: SendingChannel, codec: Codec, page_size: int, sink: Sink
    ) -> None:
        self.packets = 0
        self.sink = sink
        self._wire = wire
        self._encoder = PayloadEncoder(transmission.framing, codec, page_size)
        self._zeros_in_packet = transmission.zero_pages is ZeroPages.PACKET
        self._sync_on_data = transmission.dialect.sync is SyncCarrier.DATA
        self._page_size = page_size
        self._raw_pages = transmission.framing.raw_pages
        self._scratch = np.empty((slots(page_size), page_size), np.uint8)
        self._places: Indices = np.arange(slots(page_size), dtype=np.uint64)

    @property
    def escaped(self) -> int:
        """Pages sent as they are so far, because they did not shrink."""
        return self._encoder.escaped

    def open(self) -> None:
        """Send the init packet."""
        self.sink.write([self._wire.open()])

    def round(self, batches: Sequence[Batch]) -> None:
        """Send the packets of a round and the SYNC that ends it."""
        last = len(batches) - 1
        for at, batch in enumerate(batches):
            self._send(batch, sync=self._sync_on_data and at == last)
        if not batches or not self._sync_on_data:
            self.sink.write([self._wire.sync()])
        else:
            self.sink.write([self._wire.trailing()])

    def _send(self, batch: Batch, *, sync: bool) -> None:
        normal, zero, payload = self._in_place(batch) if self._raw_pages else self._encoded(batch)
        size = total([memoryview(part) for part in payload])
        step = np.uint64(self._page_size)
        header = self._wire.packet(batch.block.name, normal * step, zero * step, size, sync=sync)
        self.sink.write([header, *payload])
        if len(normal):
            self.packets += 1

    def _in_place(self, batch: Batch) -> tuple[Indices, Indices, Sequence[Buffer]]:
        """Normal and zero pages, and the normal ones from where they are (migration/multifd-nocomp.c, QEMU 10.2)."""
        normal, zero = batch.indices, _NONE
        if self._zeros_in_packet:
            mask = batch.block.zero_mask(normal)
            normal, zero = normal[~mask], normal[mask]
        return normal, zero, views(batch.block.pages, normal)

    def _encoded(self, batch: Batch) -> tuple[Indices, Indices, Sequence[Buffer]]:
        """Normal and zero pages, and the payload of a copy of the normal ones."""
        rows, normal, zero = gather(batch.block, batch.indices, self._scratch), batch.indices, _NONE
        if self._zeros_in_packet:
            mask = zero_mask(rows, self._places[: len(rows)])
            if np.count_nonzero(mask):
                rows, normal, zero = rows[~mask], normal[~mask], normal[mask]
        return normal, zero, self._encoder.encode(rows.data.cast("B")) if len(normal) else []


class Transmitter:
    """A whole migration: the main channel and all multifd channels.

    ``at_once`` runs what each channel has to do in the thread of that channel (sockets, with
    :meth:`multifd.migrate.crew.Crew.run_in_lanes`); otherwise that is done one after the other (files).
    """

    def __init__(
        self,
        script: Script,
        transmission: Transmission,
        codec: Codec,
        main: Sink,
        channels: Sequence[Sink],
        at_once: Callable[[Sequence[Task]], None] | None = None,
    ) -> None:
        self._script = script
        self._transmission = transmission
        self._main = main
        self._writer = MainWriter(script.page_size)
        self._at_once = at_once
        self._next_channel = 0
        numbers = itertools.count()
        flag = transmission.dialect.flag(transmission.framing.travels_as)
        self.channels = [
            ChannelTransmitter(
                transmission,
                SendingChannel(transmission.dialect, at, flag=flag, page_size=script.page_size, numbers=numbers),
                codec,
                script.page_size,
                sink,
            )
            for at, sink in enumerate(channels)
        ]

    @property
    def packets(self) -> int:
        """Packets with a payload sent so far, on all channels."""
        return sum(channel.packets for channel in self.channels)

    @property
    def escaped(self) -> int:
        """Pages sent as they are so far, on all channels."""
        return sum(channel.escaped for channel in self.channels)

    def run(self) -> None:
        """Send everything; errors of any channel are raised here."""
        flush = self._transmission.main_sync is MainSync.FLUSH
        blocks = [(block.name, block.size) for block in self._script.rounds[0].image.blocks]
        for channel in self.channels:
            channel.open()
        self._on_channels([[] for _ in self.channels])
        self._main.write([self._writer.start(MACHINE, blocks, flush=flush)])
        last = len(self._script.rounds) - 1
        for at, dirty_round in enumerate(self._script.rounds):
            with GuestMemory.open(dirty_round.image, writable=False) as memory:
                zero_words, batches = self._batches(dirty_round, memory)
                self._on_channels(self._in_turns(batches))
                batches.clear()
            section = self._writer.end if at == last else self._writer.part
            self._main.write([section(zero_words, flush=flush)])

    def _batches(self, dirty_round: Round, memory: GuestMemory) -> tuple[bytes, list[Batch]]:
        """Packets of a round, and the zero pages that go to the main channel instead."""
        words: list[bytes] = []
        batches: list[Batch] = []
        fills = itertools.cycle(self._script.fill or (slots(self._script.page_size),))
        for block in (Block(each.name, memory) for each in dirty_round.image.blocks):
            listed = [
                np.arange(r.first, r.first + r.count, dtype=np.uint64)
                for r in dirty_round.pages
                if r.block == block.name
            ]
            if not listed:
                continue
            indices: Indices = np.concatenate(listed)
            if self._transmission.zero_pages is ZeroPages.MAIN:
                mask = block.zero_mask(indices)
                words += [
                    self._writer.zero_page(block.name, int(index) * self._script.page_size) for index in indices[mask]
                ]
                indices = indices[~mask]
            while len(indices):
                pages = next(fills)
                batches.append(Batch(block, indices[:pages]))
                indices = indices[pages:]
        return b"".join(words), batches

    def _in_turns(self, batches: Sequence[Batch]) -> Sequence[Sequence[Batch]]:
        """Packets by channel: each takes the next, also from one round to the next (``multifd_send_pages``, QEMU)."""
        count = len(self.channels)
        first, self._next_channel = self._next_channel, (self._next_channel + len(batches)) % count
        return [batches[(channel - first) % count :: count] for channel in range(count)]

    def _on_channels(self, work: Sequence[Sequence[Batch]]) -> None:
        tasks = [partial(channel.round, batches) for channel, batches in zip(self.channels, work, strict=True)]
        if self._at_once is not None and len(tasks) > 1 and any(work):
            self._at_once(tasks)
            return
        for task in tasks:
            task()
