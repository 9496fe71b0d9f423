"""One multifd channel as a state machine, for each direction.

A receiving channel asks for bytes and is fed exactly those::

    INIT --64 bytes--> IDLE --12 bytes--> HEADER --rest of header--> IDLE      (SYNC, empty, zero-only)
                        |                   |
                        |                   +----> PAYLOAD --payload bytes--> IDLE
                        +--end of stream--> CLOSED

=========  =================  ==========================  =============================
state      bytes wanted       what they are               end of stream here
=========  =================  ==========================  =============================
INIT       64                 init packet                 truncated
IDLE       12                 magic, version, flags       the sender is done
HEADER     header - 12        rest of the header          truncated
PAYLOAD    ``payload_size``   belongs to the framing      truncated
=========  =================  ==========================  =============================

The receiver behaves as the QEMU of its dialect does, holes included: it compares flags under its own mask, it
looks at flags only where pages follow, it ignores the zero-page count where its dialect has none, and under
``none`` it reads whole pages whatever ``next_packet_size`` says. The conformance suite needs these holes, for
they are what makes a pairing a hazard.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from typing_extensions import Buffer

from multifd.errors import TruncatedError, WireError
from multifd.wire import packet as wire
from multifd.wire.dialect import FLAG_SYNC, Dialect, SyncCarrier, ZeroPages

MAX_PAYLOAD = 2 * wire.PACKET_SIZE
"""QEMU's receive buffers hold twice a packet's memory (migration/multifd-{zlib,zstd,qatzip}.c)."""


class State(Enum):
    """States of a receiving channel; see the table above."""

    INIT = auto()
    IDLE = auto()
    HEADER = auto()
    PAYLOAD = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Opened:
    """The init packet was accepted."""

    channel: int


@dataclass(frozen=True, slots=True)
class Packet:
    """A RAM packet's header was accepted; ``payload_size`` bytes follow before the next packet."""

    number: int
    flags: int
    block: str
    normal: wire.Offsets
    zero: wire.Offsets
    payload_size: int
    sync: bool
    """The epoch of this channel ends after this packet's pages."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device-state packet; its ``payload_size`` bytes are skipped, for there is no device here to load them."""

    idstr: str
    instance_id: int
    payload_size: int


Event = Opened | Packet | DeviceState

_NO_PAGES: wire.Offsets = np.empty(0, np.uint64)


class ReceivingChannel:
    """A receiver's end of one channel.

    ``blocks`` maps the RAM blocks of the guest to their sizes in bytes. ``flag`` is what the receiving method
    expects under the dialect's mask. ``raw_pages`` says that the method reads whole pages and ignores
    ``next_packet_size``, as QEMU's ``none`` does.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        flag: int,
        raw_pages: bool,
        page_size: int,
        blocks: Mapping[str, int],
        channels: int,
        uuid: bytes = wire.NO_UUID,
    ) -> None:
        self.dialect = dialect
        self.state = State.INIT
        self.channel = -1
        self.wanted = wire.INIT_SIZE
        """Bytes that the next :meth:`feed` needs; 0 in PAYLOAD, where the framing reads, and in CLOSED."""
        self._flag = flag
        self._raw_pages = raw_pages
        self._page_size = page_size
        self._blocks = blocks
        self._channels = channels
        self._uuid = uuid
        self.header = b""
        """The init packet or header that made the last event, as it stands on the wire."""
        self._prefix = b""
        self._payload = 0

    def feed(self, data: Buffer) -> Event | None:
        """Take exactly :attr:`wanted` bytes; raises :class:`WireError` in QEMU's own words."""
        match self.state:
            case State.INIT:
                self.header = bytes(data)
                self.channel = wire.unpack_init(self.header, channels=self._channels, uuid=self._uuid)
                self._idle()
                return Opened(self.channel)
            case State.IDLE:
                self._prefix = bytes(data)
                flags = wire.unpack_prefix(self._prefix)
                self.state = State.HEADER
                whole = wire.DEVICE_STATE_SIZE if self._is_device_state(flags) else wire.header_size(self._page_size)
                self.wanted = whole - wire.PREFIX_SIZE
                return None
            case State.HEADER:
                self.header = self._prefix + bytes(data)
                if self._is_device_state(wire.unpack_prefix(self._prefix)):
                    return self._device_state(wire.unpack_device_state(self.header))
                return self._ram(wire.unpack_ram(self.header, self._page_size))
            case _:
                raise AssertionError(f"nothing is wanted in {self.state.name}")

    def next(self, read: Callable[[int], Buffer]) -> Event | None:
        """The next event of what ``read`` gives, None at the end of the stream; raises :class:`WireError`.

        ``read`` takes a number of bytes and gives fewer only at the end of the stream.
        """
        while True:
            data = memoryview(read(self.wanted))
            if len(data) < self.wanted:
                self.end_of_stream(len(data))
                return None
            event = self.feed(data)
            if event is not None:
                return event

    def payload_done(self) -> None:
        """The framing has taken the payload of the last event."""
        self._idle()

    def end_of_stream(self, received: int = 0) -> None:
        """The stream ended after ``received`` bytes of what was due here; only an idle channel may end."""
        match self.state:
            case State.IDLE if received == 0:
                self.state = State.CLOSED
                self.wanted = 0
            case State.INIT:
                raise TruncatedError("init packet", received, self.wanted)
            case State.IDLE | State.HEADER:
                raise TruncatedError("packet header", received, self.wanted)
            case State.PAYLOAD:
                raise TruncatedError("packet payload", received, self._payload)
            case State.CLOSED:
                raise AssertionError("the stream has ended before")

    def _idle(self) -> None:
        self.state = State.IDLE
        self.wanted = wire.PREFIX_SIZE

    def _follows(self, payload: int) -> None:
        if payload:
            self.state = State.PAYLOAD
            self.wanted = 0
            self._payload = payload
        else:
            self._idle()

    def _is_device_state(self, flags: int) -> bool:
        return self.dialect.device_state is not None and bool(flags & self.dialect.device_state)

    def _device_state(self, header: wire.DeviceStateHeader) -> DeviceState:
        self._check_payload_size(header.next_packet_size)
        self._follows(header.next_packet_size)
        return DeviceState(header.idstr, header.instance_id, header.next_packet_size)

    def _ram(self, header: wire.RamHeader) -> Packet:
        normal, zero = self._page_counts(header)
        has_data = bool(normal or zero)
        sync = bool(header.flags & FLAG_SYNC)
        if not has_data:
            self._idle()
            return Packet(header.packet_num, header.flags, header.ramblock, _NO_PAGES, _NO_PAGES, 0, sync)
        self._check_offsets(header, normal + zero)
        self._check_flags(header.flags)
        payload = self._payload_size(header, normal)
        self._follows(payload)
        return Packet(
            header.packet_num,
            header.flags,
            header.ramblock,
            header.offsets[:normal],
            header.offsets[normal : normal + zero],
            payload,
            sync,
        )

    def _page_counts(self, header: wire.RamHeader) -> tuple[int, int]:
        wording = self.dialect.wording
        maximum = wire.slots(self._page_size)
        alloc, normal, zero = header.pages_alloc, header.normal_pages, header.zero_pages
        if alloc > maximum:
            raise WireError("pages_alloc", alloc, maximum, wording.pages_alloc.format(value=alloc, expected=maximum))
        if normal > alloc:
            raise WireError("normal_pages", normal, alloc, wording.normal_pages.format(value=normal, expected=alloc))
        if self.dialect.zero_pages is ZeroPages.MAIN:
            return normal, 0
        if zero > alloc - normal:
            raise WireError(
                "zero_pages",
                zero,
                alloc - normal,
                wording.zero_pages.format(value=zero, expected=alloc - normal),
            )
        return normal, zero

    def _check_offsets(self, header: wire.RamHeader, count: int) -> None:
        size = self._blocks.get(header.ramblock)
        if size is None:
            raise WireError(
                "ramblock",
                header.ramblock,
                f"one of {', '.join(self._blocks)}",
                f"multifd: unknown ram block {header.ramblock}",
            )
        used = header.offsets[:count]
        # Ufuncs, for the methods max() and any() cost more than the work on so few numbers.
        highest = int(np.maximum.reduce(used))
        if highest > size - self._page_size:
            raise WireError(
                "offset", highest, f"at most {size - self._page_size}",
                f"multifd: offset too long {highest} (max {size:x})",
            )  # fmt: skip
        if int(np.bitwise_or.reduce(used)) % self._page_size:
            # QEMU takes unaligned offsets; a page that straddles two cannot be compared, so we do not.
            unaligned = int(used[(used % self._page_size) != 0][0])
            raise WireError("offset", unaligned, f"a multiple of the page size {self._page_size}")

    def _check_flags(self, flags: int) -> None:
        received = flags & self.dialect.mask
        if received != self._flag:
            raise WireError(
                "flags",
                received,
                self._flag,
                f"multifd {self.channel}: flags received {received:x} flags expected {self._flag:x}",
            )

    def _payload_size(self, header: wire.RamHeader, normal: int) -> int:
        if not normal:
            return 0
        if self._raw_pages:
            return normal * self._page_size
        self._check_payload_size(header.next_packet_size)
        return header.next_packet_size

    def _check_payload_size(self, size: int) -> None:
        if size > MAX_PAYLOAD:
            raise WireError(
                "next_packet_size",
                size,
                f"at most {MAX_PAYLOAD}",
                f"multifd {self.channel}: received unexpectedly large packet",
            )


class SendingChannel:
    """A sender's end of one channel: makes the headers, in order.

    ``numbers`` is shared by all channels of a migration, for packet numbers count over all of them.
    """

    def __init__(
        self,
        dialect: Dialect,
        channel: int,
        *,
        flag: int,
        page_size: int,
        numbers: Iterator[int] | None = None,
        uuid: bytes = wire.NO_UUID,
    ) -> None:
        self.dialect = dialect
        self.channel = channel
        self._flag = flag
        self._page_size = page_size
        self._numbers = numbers if numbers is not None else itertools.count()
        self._uuid = uuid
        self._last = 0
        self._stale_size = 0
        self._stale_block = ""

    def open(self) -> bytes:
        """The init packet."""
        return wire.pack_init(self.channel, self._uuid)

    def packet(
        self, block: str, normal: wire.Offsets, zero: wire.Offsets, payload_size: int, *, sync: bool = False
    ) -> bytearray:
        """Header of a packet with these pages; ``sync`` only where the dialect sets it on data packets."""
        self._stale_size, self._stale_block = payload_size or self._stale_size, block
        return wire.pack_ram(
            wire.RamHeader(
                flags=self._flag | (FLAG_SYNC if sync else 0),
                pages_alloc=wire.slots(self._page_size),
                normal_pages=len(normal),
                next_packet_size=payload_size,
                packet_num=self._next(),
                zero_pages=len(zero),
                ramblock=block,
                offsets=np.concatenate((normal, zero)) if len(zero) else normal,
            ),
            self._page_size,
        )

    def sync(self) -> bytearray:
        """Header of the packet that carries SYNC and no page."""
        if self.dialect.sync is SyncCarrier.OWN:
            return self._empty(FLAG_SYNC, pages_alloc=0, size=0, block="", number=self._next())
        return self._stale(FLAG_SYNC, self._next())

    def trailing(self) -> bytearray:
        """The empty packet that QEMU before 9.0 may send after a SYNC: the last packet's number and fields again."""
        return self._stale(0, self._last)

    def _stale(self, flags: int, number: int) -> bytearray:
        return self._empty(flags, wire.slots(self._page_size), self._stale_size, self._stale_block, number)

    def _next(self) -> int:
        self._last = next(self._numbers)
        return self._last

    def _empty(self, flags: int, pages_alloc: int, size: int, block: str, number: int) -> bytearray:
        header = wire.RamHeader(flags, pages_alloc, 0, size, number, 0, block, _NO_PAGES)
        return wire.pack_ram(header, self._page_size)
