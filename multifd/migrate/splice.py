"""The splice: stands between a sender and a receiver, and puts our codecs into their migration.

::

    sender  --- main ------------------->  byte for byte  --------------------->  receiver
            <--------------------------- (return path) -------------------------
            --- channel ---> header, payload --> pages --> payload, header --->

Compression is nowhere but in the payloads, so that the main channel, device state included, needs no reading. Of a
packet's header two fields are rewritten and all others pass as they are:

================  ====================================================================================
field             becomes
================  ====================================================================================
flags             with pages, zero pages included, the receiver's method flag in place of the sender's;
                  without pages no method flag; SYNC and all other bits stay
next_packet_size  the size of the new payload; 0 without normal pages, where QEMU before 9.0 leaves an
                  old one
================  ====================================================================================

Main is connected first, for QEMU 7.2 takes the first connection for it. The end of the sender's stream is passed on
as such; what else may end one side cuts the other, so that nobody waits for ever.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

from multifd.codec import create
from multifd.errors import EnvironmentBroke, PayloadError, WireError
from multifd.framing.coder import Codec
from multifd.framing.decode import PayloadDecoder
from multifd.framing.encode import PayloadEncoder
from multifd.framing.model import Framing, framing
from multifd.framing.pages import Indices
from multifd.migrate.address import connect
from multifd.migrate.crew import Crew
from multifd.migrate.stream import SocketSink, SocketSource, chunks
from multifd.wire.channel import DeviceState, Packet, ReceivingChannel
from multifd.wire.dialect import Dialect, dialect
from multifd.wire.fields import INIT, RAM
from multifd.wire.packet import INIT_SIZE, slots

_FLAGS_AT: Final = RAM["flags"].offset
_NEXT_PACKET_SIZE_AT: Final = RAM["next_packet_size"].offset
_U32: Final = struct.Struct(">I")
_UUID: Final = INIT["uuid"].place
"""Which guest it is, is between the two ends."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two speaks, and what codes it on our side."""

    framing: Framing
    dialect: Dialect
    flag: int
    """Method bits of packets with pages."""
    codec: Codec

    @classmethod
    def of(cls, framing_name: str, dialect_name: str, codec: Codec) -> Self:
        """A side by the names of what it speaks; under ``none`` there is nothing for ``codec`` to do.

        Raises InputError for a name that is unknown, and for a framing that the dialect has no flag for.
        """
        spoken, payload = dialect(dialect_name), framing(framing_name)
        flag = spoken.flag(payload.travels_as)
        return cls(payload, spoken, flag, create("none", {}) if payload.raw_pages else codec)


@dataclass(frozen=True, slots=True)
class Splicing:
    """Who is to be spliced. ``blocks`` are the sender's RAM blocks with their sizes in bytes."""

    sender: Side
    receiver: Side
    page_size: int
    blocks: Mapping[str, int]
    channels: int

    def header(self, packet: Packet, original: Buffer, size: int) -> bytearray:
        """The receiver's header for a packet whose new payload has ``size`` bytes."""
        header = bytearray(original)
        flags = packet.flags & ~self.sender.dialect.mask
        if len(packet.normal) or len(packet.zero):
            flags |= self.receiver.flag
        _U32.pack_into(header, _FLAGS_AT, flags)
        _U32.pack_into(header, _NEXT_PACKET_SIZE_AT, size)
        return header


class _Held:
    """Where a decoder puts the pages of one packet: all at once, and then they are kept where they are, or one by one.

    A framing does always the one or always the other.
    """

    def __init__(self, page_size: int) -> None:
        self.shape = (slots(page_size), page_size)
        self._pages = np.empty(self.shape, np.uint8)

    def __setitem__(self, place: int | slice, content: npt.NDArray[np.uint8]) -> None:
        if isinstance(place, slice):
            self._pages = content
        else:
            self._pages[place] = content

    def first(self, count: int) -> memoryview:
        """These pages, one after the other."""
        return self._pages[:count].data.cast("B")


class _Recoder:
    """One codec state for each direction of a channel."""

    def __init__(self, splicing: Splicing, channel: int) -> None:
        sender, receiver, page_size = splicing.sender, splicing.receiver, splicing.page_size
        self._decoder = PayloadDecoder(sender.framing, sender.codec, page_size, channel)
        self._encoder = PayloadEncoder(receiver.framing, receiver.codec, page_size)
        self._held = _Held(page_size)
        self._places: Indices = np.arange(slots(page_size), dtype=np.uint64)

    def recode(self, payload: memoryview, pages: int) -> list[memoryview]:
        """The new payload of a packet, valid until the next one; raises PayloadError."""
        self._decoder.decode(payload, self._held, self._places[:pages])
        return [memoryview(part) for part in self._encoder.encode(self._held.first(pages))]


class _Channel:
    """One multifd channel."""

    def __init__(
        self, splicing: Splicing, wire: ReceivingChannel, recoder: _Recoder, source: SocketSource, sink: SocketSink
    ) -> None:
        self.name = f"channel {wire.channel}"
        self.packets = 0
        self.sink = sink
        self._splicing = splicing
        self._wire = wire
        self._recoder = recoder
        self._source = source
        self._at = INIT_SIZE

    def run(self) -> None:
        """Forward the init packet and then every packet to the sender's end of stream, and that too."""
        self._write(self._wire.header)
        while (event := self._wire.next(self._read)) is not None:
            match event:
                case Packet():
                    self._forward(event)
                case DeviceState(payload_size=size):
                    self._write(self._wire.header, self._payload(size))
        self.sink.finish()

    def _forward(self, packet: Packet) -> None:
        count = len(packet.normal)
        payload = self._recoded(packet, count) if count else []
        header = self._splicing.header(packet, self._wire.header, sum(map(len, payload)))
        if count or len(packet.zero) or packet.sync:
            self._write(header, *payload)
            self.packets += bool(count)
        else:
            # QEMU before 9.0 may send these after the last SYNC, when the receiver has all and is gone.
            with suppress(ConnectionError):
                self._write(header)

    def _recoded(self, packet: Packet, count: int) -> list[memoryview]:
        start, payload = self._at, self._payload(packet.payload_size)
        try:
            return self._recoder.recode(payload, count)
        except PayloadError as problem:
            within = problem.place.offset or 0
            raise problem.at(packet=packet.number, block=packet.block, offset=start + within) from None

    def _payload(self, size: int) -> memoryview:
        if not size:
            return memoryview(b"")
        payload = self._read(size)
        if len(payload) < size:
            self._wire.finish(len(payload))
        self._wire.payload_done()
        return payload

    def _read(self, size: int) -> memoryview:
        with _closing("sender", self.name):
            data = self._source.read(size)
        self._at += len(data)
        return data

    def _write(self, *buffers: Buffer) -> None:
        with _closing("receiver", self.name):
            self.sink.write(buffers)


class Splice:
    """One migration, from the sender's first connection to the end of both.

    Raises InputError and Unsupported on creation if the codec cannot do what is asked.
    """

    def __init__(self, splicing: Splicing, upstream: str, deadline: float) -> None:
        self._splicing = splicing
        self._upstream = upstream
        self._deadline = deadline
        self._crew = Crew(deadline)
        self._recoders = [_Recoder(splicing, channel) for channel in range(splicing.channels)]
        self._channels: list[_Channel] = []
        self._open: set[str] = set()

    @property
    def packets(self) -> int:
        """Packets whose payload was coded anew."""
        return sum(channel.packets for channel in self._channels)

    @property
    def bytes_wire(self) -> int:
        """Bytes that the receiver was sent on multifd channels."""
        return sum(channel.sink.written for channel in self._channels)

    def run(self, server: socket.socket) -> None:
        """Accept a sender and forward what it sends; raises the first error when all connections are cut.

        WireError and PayloadError are the sender's, ConnectionError names who went away, DeadlineError what has not
        ended within ``deadline`` seconds.
        """
        with self._crew.watching():
            sender, receiver = self._connect(server)
            tasks: dict[str, Callable[[], None]] = {
                "the sender's main channel": partial(_forward, sender, receiver),
                "the receiver's main channel": partial(_return, receiver, sender),
                **{channel.name: channel.run for channel in self._channels},
            }
            self._open.update(tasks)
            self._crew.awaited = lambda: f"no end of {', '.join(sorted(self._open))}"
            self._crew.run([partial(self._to_end, name, run) for name, run in tasks.items()])

    def close(self) -> None:
        """Close every connection."""
        self._crew.close()

    def _to_end(self, name: str, run: Callable[[], None]) -> None:
        run()
        self._open.discard(name)

    def _connect(self, server: socket.socket) -> tuple[socket.socket, socket.socket]:
        """The main channels of both sides; the multifd channels are ready then."""
        accepted: dict[int, tuple[ReceivingChannel, SocketSource]] = {}
        for connection, is_main in self._crew.accept(server, self._splicing.channels):
            if is_main:
                sender = connection
                continue
            source = SocketSource(connection)
            wire = self._opened(source)
            if wire.channel in accepted:
                message = self._splicing.sender.dialect.wording.init_id_twice.format(value=wire.channel)
                raise WireError("channel id", wire.channel, "each id once", message)
            accepted[wire.channel] = wire, source
        receiver = self._to_receiver()
        for wire, source in accepted.values():
            sink = SocketSink(self._to_receiver())
            self._channels.append(_Channel(self._splicing, wire, self._recoders[wire.channel], source, sink))
        return sender, receiver

    def _opened(self, source: SocketSource) -> ReceivingChannel:
        """A channel whose init packet was read."""
        splicing, init = self._splicing, source.read(INIT_SIZE)
        wire = ReceivingChannel(
            splicing.sender.dialect,
            flag=splicing.sender.flag,
            raw_pages=splicing.sender.framing.raw_pages,
            page_size=splicing.page_size,
            blocks=splicing.blocks,
            channels=splicing.channels,
            uuid=bytes(init[_UUID]),
        )
        wire.feed(init)
        return wire

    def _to_receiver(self) -> socket.socket:
        try:
            return self._crew.add(connect(self._upstream, self._deadline))
        except EnvironmentBroke as problem:
            raise ConnectionError(f"receiver at {problem}") from None


def _forward(sender: socket.socket, receiver: socket.socket) -> None:
    """The sender's main channel, its end included; a receiver that has all may be gone by then."""
    for chunk in _coming(sender, "sender"):
        with _closing("receiver", "main"):
            receiver.sendall(chunk)
    with suppress(OSError):
        receiver.shutdown(socket.SHUT_WR)


def _return(receiver: socket.socket, sender: socket.socket) -> None:
    """The return path. A sender need not read it, but has to see it end."""
    for chunk in _coming(receiver, "receiver"):
        with suppress(OSError):
            sender.sendall(chunk)
    with suppress(OSError):
        sender.shutdown(socket.SHUT_WR)


def _coming(connection: socket.socket, who: str) -> Iterator[memoryview]:
    """What one of them sends on main."""
    coming = chunks(connection)
    while True:
        with _closing(who, "main"):
            chunk = next(coming, None)
        if chunk is None:
            return
        yield chunk


@contextmanager
def _closing(who: str, connection: str) -> Iterator[None]:
    """Say who has closed which connection, if the block finds it closed."""
    try:
        yield
    except OSError as problem:
        raise ConnectionError(f"{who} closed {connection}: {problem.strerror}") from None
