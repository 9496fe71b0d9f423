"""A receiver's end of one multifd channel, as a state machine that asks for bytes and is fed exactly those.

::

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
CLOSED     none
ERROR      none               (:mod:`multifd.wire.state`)
=========  =================  ==========================  =============================

The receiver behaves as the QEMU of its dialect does, holes included: it compares flags under its own mask, it
looks at flags only where pages follow, it ignores the zero-page count where its dialect has none, and under
``none`` it reads whole pages whatever ``next_packet_size`` says. The conformance suite needs these holes, for
they are what makes a pairing a hazard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NoReturn

import numpy as np

from multifd.errors import HarnessError, TruncatedError, WireError
from multifd.wire import packet as wire
from multifd.wire.dialect import FLAG_SYNC, Dialect, ZeroPages
from multifd.wire.state import StateMachine

MAX_PAYLOAD = 2 * wire.PACKET_SIZE
"""QEMU's receive buffers hold twice a packet's memory (migration/multifd-{zlib,zstd,qatzip}.c)."""


class State(StrEnum):
    """States of a receiving channel; see the table above."""

    INIT = "INIT"
    IDLE = "IDLE"
    HEADER = "HEADER"
    PAYLOAD = "PAYLOAD"
    CLOSED = "CLOSED"
    ERROR = "ERROR"


class Step(StrEnum):
    """What takes a receiving channel from state to state."""

    INIT_PACKET = "an init packet"
    PREFIX = "the first bytes of a header"
    EMPTY = "a header without payload"
    LOADED = "a header with payload"
    PAYLOAD = "the end of a payload"
    END = "the end of the stream"


TRANSITIONS: Final[Mapping[State, Mapping[Step, State]]] = MappingProxyType(
    {
        State.INIT: {Step.INIT_PACKET: State.IDLE},
        State.IDLE: {Step.PREFIX: State.HEADER, Step.END: State.CLOSED},
        State.HEADER: {Step.EMPTY: State.IDLE, Step.LOADED: State.PAYLOAD},
        State.PAYLOAD: {Step.PAYLOAD: State.IDLE},
        State.CLOSED: {},
        State.ERROR: {},
    }
)

_DUE: Final = {
    State.INIT: "init packet",
    State.IDLE: "packet header",
    State.HEADER: "packet header",
    State.PAYLOAD: "packet payload",
}
"""What is cut where the stream ends in a state."""


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


class ReceivingChannel(StateMachine[State, Step]):
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
        super().__init__(TRANSITIONS, State.INIT, State.ERROR)
        self.dialect = dialect
        self.channel = -1
        self.wanted = wire.INIT_SIZE
        """Bytes that the next :meth:`feed` needs; 0 in PAYLOAD, where the framing reads, in CLOSED and in ERROR."""
        self.header = b""
        """The init packet or header that made the last event, as it stands on the wire."""
        self._wording = dialect.wording
        self._device_state_flag = dialect.device_state or 0
        self._flag = flag
        self._raw_pages = raw_pages
        self._page_size = page_size
        self._header_size = wire.header_size(page_size)
        self._blocks = blocks
        self._channels = channels
        self._uuid = uuid
        self._prefix = b""
        self._is_device_state = False
        self._payload = 0

    def feed(self, data: bytes | bytearray | memoryview) -> Event | None:
        """Take exactly :attr:`wanted` bytes.

        Raises :class:`WireError` in QEMU's own words, and HarnessError for any other number of bytes.
        """
        self._check()
        if len(data) != self.wanted or not self.wanted:
            raise HarnessError(f"{len(data)} bytes were fed in state {self.state}, {self.wanted} are wanted")
        try:
            match self.state:
                case State.IDLE:
                    self._take_prefix(bytes(data))
                    return None
                case State.HEADER:
                    return self._take_header(self._prefix + bytes(data))
                case _:
                    return self._take_init(bytes(data))
        except WireError as problem:
            self._fail(problem)

    def next(self, read: Callable[[int], bytes | memoryview]) -> Event | None:
        """The next event of what ``read`` gives, None at the end of the stream; raises as :meth:`feed` does.

        ``read`` takes a number of bytes and gives fewer only at the end of the stream.
        """
        while True:
            data = read(self.wanted)
            if len(data) < self.wanted:
                self.finish(len(data))
                return None
            event = self.feed(data)
            if event is not None:
                return event

    def payload_done(self) -> None:
        """The framing has taken the payload of the last event."""
        self._check()
        self._move(Step.PAYLOAD)
        self.wanted = wire.PREFIX_SIZE

    def finish(self, received: int = 0) -> None:
        """The stream ended after ``received`` bytes of what was due here; only an idle channel may end.

        Raises TruncatedError naming what is cut, HarnessError where nothing is.
        """
        self._check()
        due = self._payload if self.state is State.PAYLOAD else self.wanted
        if self.state in _DUE and received >= due:
            raise HarnessError(f"the stream ended in state {self.state} after {received} of {due} bytes, which is all")
        if self.state in _DUE and (received or self.state is not State.IDLE):
            self._fail(TruncatedError(_DUE[self.state], received, due))
        self._move(Step.END)
        self.wanted = 0

    def _fail(self, error: WireError) -> NoReturn:
        self.wanted = 0
        super()._fail(error)

    def _take_init(self, packet: bytes) -> Opened:
        self.channel = wire.unpack_init(packet, channels=self._channels, uuid=self._uuid, wording=self._wording)
        self.header = packet
        self._move(Step.INIT_PACKET)
        self.wanted = wire.PREFIX_SIZE
        return Opened(self.channel)

    def _take_prefix(self, prefix: bytes) -> None:
        flags = wire.unpack_prefix(prefix, self._wording)
        self._prefix = prefix
        self._is_device_state = bool(flags & self._device_state_flag)
        self._move(Step.PREFIX)
        self.wanted = (wire.DEVICE_STATE_SIZE if self._is_device_state else self._header_size) - wire.PREFIX_SIZE

    def _take_header(self, header: bytes) -> Packet | DeviceState:
        event = (
            self._device_state(wire.unpack_device_state(header))
            if self._is_device_state
            else self._ram(wire.unpack_ram(header, self._page_size))
        )
        self.header = header
        self._payload = event.payload_size
        if event.payload_size:
            self._move(Step.LOADED)
            self.wanted = 0
        else:
            self._move(Step.EMPTY)
            self.wanted = wire.PREFIX_SIZE
        return event

    def _device_state(self, header: wire.DeviceStateHeader) -> DeviceState:
        self._check_payload_size(header.next_packet_size)
        return DeviceState(header.idstr, header.instance_id, header.next_packet_size)

    def _ram(self, header: wire.RamHeader) -> Packet:
        normal, zero = self._page_counts(header)
        sync = bool(header.flags & FLAG_SYNC)
        if not (normal or zero):
            return Packet(header.packet_num, header.flags, header.ramblock, _NO_PAGES, _NO_PAGES, 0, sync)
        self._check_offsets(header, normal + zero)
        self._check_flags(header.flags)
        return Packet(
            header.packet_num,
            header.flags,
            header.ramblock,
            header.offsets[:normal],
            header.offsets[normal : normal + zero],
            self._payload_size(header, normal),
            sync,
        )

    def _page_counts(self, header: wire.RamHeader) -> tuple[int, int]:
        maximum = wire.slots(self._page_size)
        alloc, normal, zero = header.pages_alloc, header.normal_pages, header.zero_pages
        if alloc > maximum:
            raise self._wrong("pages_alloc", alloc, maximum)
        if normal > alloc:
            raise self._wrong("normal_pages", normal, alloc)
        if self.dialect.zero_pages is ZeroPages.MAIN:
            return normal, 0
        if zero > alloc - normal:
            raise self._wrong("zero_pages", zero, alloc - normal)
        return normal, zero

    def _check_offsets(self, header: wire.RamHeader, count: int) -> None:
        size = self._blocks.get(header.ramblock)
        if size is None:
            raise self._wrong("ramblock", header.ramblock, f"one of {', '.join(self._blocks)}")
        used = header.offsets[:count]
        # Ufuncs, for the methods max() and any() cost more than the work on so few numbers.
        highest = int(np.maximum.reduce(used))
        if highest > size - self._page_size:
            message = self._wording.offset.format(value=highest, expected=f"{size:x}")
            raise WireError("offset", highest, f"at most {size - self._page_size}", message)
        if int(np.bitwise_or.reduce(used)) % self._page_size:
            # QEMU takes unaligned offsets; a page that straddles two cannot be compared, so we do not.
            unaligned = int(used[(used % self._page_size) != 0][0])
            raise WireError("offset", unaligned, f"a multiple of the page size {self._page_size}")

    def _check_flags(self, flags: int) -> None:
        received = flags & self.dialect.mask
        if received != self._flag:
            raise self._wrong("flags", received, self._flag)

    def _payload_size(self, header: wire.RamHeader, normal: int) -> int:
        if not normal:
            self._check_no_payload(header.next_packet_size)
            return 0
        if self._raw_pages:
            return normal * self._page_size
        self._check_payload_size(header.next_packet_size)
        return header.next_packet_size

    def _check_no_payload(self, size: int) -> None:
        """Of zero pages only; a method without compression does not look at the size."""
        if size and not self._raw_pages:
            raise WireError(
                "next_packet_size", size, "0 where no page is normal",
                f"multifd {self.channel}: payload of {size} bytes where no page is normal:"
                " QEMU asserts that there is none (assert(in_size == 0))",
            )  # fmt: skip

    def _check_payload_size(self, size: int) -> None:
        if size > MAX_PAYLOAD:
            raise self._wrong("next_packet_size", size, f"at most {MAX_PAYLOAD}")

    def _wrong(self, field: str, value: object, expected: object) -> WireError:
        """What this dialect says of a field."""
        template: str = getattr(self._wording, field)
        return WireError(field, value, expected, template.format(value=value, expected=expected, channel=self.channel))
