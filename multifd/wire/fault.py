"""What a sender can do wrong, as declarations: what, in which packet of which round and channel, and nothing else.

A receiver can only be trusted with what it refuses. A fault is a pure description; it is applied to recorded packets by
:mod:`multifd.migrate.misbehave`, and the oracle predicts what follows from what the receiver's generation and framing
look at (:mod:`multifd.oracle.fault`). A new fault is one more row in :data:`FAULTS`: it is played for every framing
that it applies to, and in every dialect.

Written down, a fault is its name, and in brackets its place unless that is the usual one: ``lost``,
``lost[r2-last-c0]``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final, Literal, get_args
from uuid import UUID

import numpy as np

from multifd.errors import InputError
from multifd.wire.fields import INIT, RAM, Field, Layout

CHANNELS: Final = 3
"""Channels of the recordings of ours that faults are put into."""
PACKETS: Final = 3
"""Packets with pages that they have in each round, on each channel."""

SENT: Final[Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]]] = MappingProxyType(
    {1: (tuple(range(8)), ()), 2: ((1, 3, 5), (6,))}
)
"""Normal and zero pages of a packet, by round: pages of its RAM block, which has so many as are sent first."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What faults are put into, as far as it decides what follows."""

    sent: Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]]
    """Normal and zero pages of a packet, by round."""
    blocks: Mapping[str, int]
    """Bytes of the RAM block that the packets are of, ``a``, and of the one that comes before all others otherwise."""


OURS: Final = Recording(SENT, {"a": 1 << 30, "b": 1 << 30})
OF_QEMU: Final = Recording(
    MappingProxyType(
        {
            1: (tuple(range(128)), ()),
            2: (tuple(page for page in range(128) if page % 8 != 6), tuple(range(6, 128, 8))),
        }
    ),
    {"a": 4 << 20, "b": 128 << 10},
)
"""Full packets of the script ``again``; the other block is a PC's ROM."""

Which = Literal["first", "middle", "last"]
WHICH: Final[tuple[Which, ...]] = get_args(Which)


@dataclass(frozen=True, slots=True)
class Place:
    """Where: a packet with pages, among those of one round on one channel."""

    round: int = 1
    """From 1; rounds in which the channel sends no page do not count."""
    packet: Which = "first"
    channel: int = 1

    def __str__(self) -> str:
        return f"r{self.round}-{self.packet}-c{self.channel}"


USUAL: Final = Place()
"""Where a fault is unless it says so."""
_WRITTEN: Final = re.compile(r"([a-z-]+)(?:\[r(\d+)-(first|middle|last)-c(\d+)\])?")


class Change(Enum):
    """How a field's new value comes about."""

    SET = "set"
    ADD = "add"
    """To what is there; one less than nothing is all ones."""
    RAISE = "raise"
    """These bits are set."""
    CLEAR = "clear"
    """These bits are cleared."""


Value = int | str | UUID


@dataclass(frozen=True, slots=True)
class Overwrite:
    """One field of an init packet or of a RAM packet's header is overwritten, all others stay."""

    packet: Layout
    field: str
    value: Value
    change: Change = Change.SET

    @property
    def place(self) -> Field:
        """The field's row."""
        return self.packet[self.field]

    def write(self, packet: bytearray) -> None:
        """Overwrite the field of a packet that starts with these bytes."""
        value = self.value
        if self.change is not Change.SET:
            kept = self.place.read(packet)
            assert isinstance(value, int) and isinstance(kept, int)
            match self.change:
                case Change.ADD:
                    value = (value + kept) % (1 << 8 * self.place.size)
                case Change.RAISE:
                    value |= kept
                case _:
                    value = kept & ~value
        self.place.write(packet, value)


class Pages(StrEnum):
    """A RAM packet's header says something else of its pages."""

    SWAPPED = "the first two offsets are swapped"
    TWICE = "the first offset stands in the second place too"
    UNALIGNED = "the first offset is one more"
    AT_END = "the first offset is the size of the RAM block"
    BOTH = "the first normal page is announced as zero too"
    OTHER_BLOCK = "the RAM block is another one"
    ALL_ZERO = "all pages are announced as zero, the size of a payload stays and no payload follows"
    NO_NORMAL = "no page is normal, and the payload follows"

    def write(self, header: bytearray, page_size: int, blocks: Mapping[str, int]) -> None:
        """Change a header; ``blocks`` are the RAM blocks with their sizes in bytes."""
        offsets = np.frombuffer(header, ">u8", offset=RAM["offset"].offset)
        normal, zero = (int(RAM[name].read(header)) for name in ("normal_pages", "zero_pages"))
        block = str(RAM["ramblock"].read(header))
        match self:
            case Pages.SWAPPED:
                offsets[[0, 1]] = offsets[[1, 0]]
            case Pages.TWICE:
                offsets[1] = offsets[0]
            case Pages.UNALIGNED:
                offsets[0] += 1
            case Pages.AT_END:
                offsets[0] = blocks[block]
            case Pages.BOTH:
                offsets[normal + zero] = offsets[0]
                RAM["zero_pages"].write(header, zero + 1)
            case Pages.OTHER_BLOCK:
                RAM["ramblock"].write(header, next(name for name in blocks if name != block))
            case Pages.ALL_ZERO:
                RAM["zero_pages"].write(header, normal + zero)
                RAM["normal_pages"].write(header, 0)
            case Pages.NO_NORMAL:
                RAM["normal_pages"].write(header, 0)


class Packet(StrEnum):
    """A whole packet is not where it should be."""

    LOST = "lost"
    TWICE = "sent twice"
    ELSEWHERE = "sent on the next channel instead"
    BEHIND_SYNC = "sent behind the SYNC of its round"
    ROUND_LATE = "sent behind the packets of the next round"


class Bit(StrEnum):
    """One bit of the payload is flipped."""

    FIRST = "the first byte"
    INSIDE = "a byte behind the middle"
    LAST = "the last byte"


class Payload(StrEnum):
    """The payload is not what a stream should be; its size in the header is that of what is sent."""

    CUT = "cut to half"
    SHORT = "without its last byte"
    GARBAGE = "garbage behind it"
    NO_TRAILER = "its stream's trailer is missing"
    TWICE = "its stream is there twice"
    ENDED = "the stream of the channel ends with it"


class Lengths(StrEnum):
    """The table of the pages' lengths is wrong."""

    SHIFTED = "a byte of the second page counts as the first's"
    ZERO = "the first is zero"
    HUGE = "the first is all ones"


@dataclass(frozen=True, slots=True)
class Sync:
    """A SYNC is not sent, or once more."""

    lost: bool
    everywhere: bool = False
    """On all channels alike."""


class Ends(StrEnum):
    """The channel is closed where it should go on."""

    IN_INIT = "within its init packet"
    IN_HEADER = "within a packet's header"
    IN_PAYLOAD = "within a packet's payload"
    BETWEEN = "before a packet"


class Init(StrEnum):
    """The packet that opens a channel."""

    LOST = "not sent"
    TWICE = "sent twice"


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A packet of device state comes before the packet."""

    announced: int = 0
    """Bytes that its header announces more than follow."""


Deed = Overwrite | Pages | Packet | Bit | Payload | Lengths | Sync | Ends | Init | DeviceState

STATE_SIZE: Final = 96
"""Bytes of device state that a sender puts behind such a packet."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a sender does wrong, and where."""

    name: str
    deed: Deed
    why: str
    """What is wrong then, in words."""
    place: Place = field(default=USUAL)

    def at(self, place: Place) -> Fault:
        """The same somewhere else."""
        return replace(self, place=place)

    def __str__(self) -> str:
        return self.name if self.place == USUAL else f"{self.name}[{self.place}]"


_ADD, _RAISE, _CLEAR = Change.ADD, Change.RAISE, Change.CLEAR

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            Fault("init-magic", Overwrite(INIT, "magic", 0x11223345), "the init packet's magic is wrong"),
            Fault("init-version", Overwrite(INIT, "version", 2), "the init packet's version is wrong"),
            Fault("init-uuid", Overwrite(INIT, "uuid", UUID(int=1)), "the init packet carries another guest's uuid"),
            Fault("init-id", Overwrite(INIT, "id", 200), "the channel id is beyond the number of channels"),
            Fault("init-id-twice", Overwrite(INIT, "id", 0), "two channels have one id"),
            Fault("init-reserved", Overwrite(INIT, "reserved", 1), "reserved bytes of the init packet are not zero"),
            Fault("init-lost", Init.LOST, "a channel opens without an init packet"),
            Fault("init-twice", Init.TWICE, "a channel opens with two init packets"),
            Fault("magic", Overwrite(RAM, "magic", 0x11223345), "a packet's magic is wrong"),
            Fault("version", Overwrite(RAM, "version", 2), "a packet's version is wrong"),
            Fault("flags-unknown-method", Overwrite(RAM, "flags", 3 << 1, _RAISE),
                  "the flags name a method that does not exist"),
            Fault("flags-all", Overwrite(RAM, "flags", 0x1F << 1, _RAISE), "every method's flag is set"),
            Fault("flags-no-method", Overwrite(RAM, "flags", 0x1F << 1, _CLEAR), "no method's flag is set"),
            Fault("flags-ignored-bit", Overwrite(RAM, "flags", 1 << 12, _RAISE), "a flag bit without meaning is set"),
            Fault("flags-device-state", Overwrite(RAM, "flags", 64, _RAISE),
                  "a packet of pages has the flag of device state"),
            Fault("pages-alloc", Overwrite(RAM, "pages_alloc", 129), "the packet announces more slots than fit"),
            Fault("pages-alloc-one", Overwrite(RAM, "pages_alloc", 1), "the packet announces fewer slots than pages"),
            Fault("pages-alloc-zero", Overwrite(RAM, "pages_alloc", 0), "the packet announces pages, and no slots"),
            Fault("normal-pages", Overwrite(RAM, "normal_pages", 129), "more normal pages than slots"),
            Fault("normal-huge", Overwrite(RAM, "normal_pages", 0xFFFFFFFF), "more normal pages than any memory has"),
            Fault("normal-one-more", Overwrite(RAM, "normal_pages", 1, _ADD), "a normal page more than were sent"),
            Fault("normal-one-less", Overwrite(RAM, "normal_pages", -1, _ADD), "a normal page less than were sent"),
            Fault("normal-none", Pages.NO_NORMAL, "no page is announced as normal, and a payload follows"),
            Fault("zero-pages", Overwrite(RAM, "zero_pages", 129), "more zero pages than slots"),
            Fault("zero-one-more", Overwrite(RAM, "zero_pages", 1, _ADD), "a zero page more than there are"),
            Fault("zero-one-less", Overwrite(RAM, "zero_pages", -1, _ADD), "a zero page less than there are"),
            Fault("zero-with-size", Pages.ALL_ZERO, "zero pages only, and the size of a payload"),
            Fault("packet-size", Overwrite(RAM, "next_packet_size", 3 << 20), "the payload is larger than any"),
            Fault("size-one-more", Overwrite(RAM, "next_packet_size", 1, _ADD), "the payload's size is one too large"),
            Fault("size-one-less", Overwrite(RAM, "next_packet_size", -1, _ADD), "the payload's size is one too small"),
            Fault("size-zero", Overwrite(RAM, "next_packet_size", 0), "a payload of no size"),
            Fault("number", Overwrite(RAM, "packet_num", 1 << 63), "the packet's number is none that was due"),
            Fault("reserved", Overwrite(RAM, "reserved", 1), "reserved bytes of the header are not zero"),
            Fault("ramblock", Overwrite(RAM, "ramblock", "X"), "the RAM block does not exist"),
            Fault("ramblock-empty", Overwrite(RAM, "ramblock", ""), "the RAM block has no name"),
            Fault("ramblock-endless", Overwrite(RAM, "ramblock", "X" * 256), "the RAM block's name has no end"),
            Fault("ramblock-other", Pages.OTHER_BLOCK, "the pages are said to be of another RAM block"),
            Fault("offset", Overwrite(RAM, "offset", 1 << 40), "a page lies beyond its RAM block"),
            Fault("offset-at-end", Pages.AT_END, "a page lies right behind its RAM block"),
            Fault("offset-unaligned", Pages.UNALIGNED, "a page does not begin where pages do"),
            Fault("offsets-swapped", Pages.SWAPPED, "two pages have each other's offset"),
            Fault("offset-twice", Pages.TWICE, "two pages have one offset"),
            Fault("normal-and-zero", Pages.BOTH, "a page is normal and zero in one packet"),
            Fault("lost", Packet.LOST, "a packet is not sent"),
            Fault("duplicated", Packet.TWICE, "a packet is sent twice"),
            Fault("other-channel", Packet.ELSEWHERE, "a packet travels on another channel"),
            Fault("behind-sync", Packet.BEHIND_SYNC, "a packet comes behind the SYNC of its round"),
            Fault("round-late", Packet.ROUND_LATE, "a packet comes behind those of the next round"),
            Fault("bit-first", Bit.FIRST, "a bit of the payload's first byte is flipped"),
            Fault("bit-inside", Bit.INSIDE, "a bit inside the payload is flipped"),
            Fault("bit-last", Bit.LAST, "a bit of the payload's last byte is flipped"),
            Fault("payload-cut", Payload.CUT, "half of the payload is missing, and its size says so"),
            Fault("payload-short", Payload.SHORT, "the payload's last byte is missing, and its size says so"),
            Fault("payload-garbage", Payload.GARBAGE, "garbage stands behind the payload, and its size says so"),
            Fault("stream-no-trailer", Payload.NO_TRAILER, "a stream has no trailer"),
            Fault("stream-twice", Payload.TWICE, "a packet has its stream twice"),
            Fault("stream-ended", Payload.ENDED, "the stream of a channel ends early"),
            Fault("lengths-shifted", Lengths.SHIFTED, "the lengths of two pages are one off, their sum is right"),
            Fault("length-zero", Lengths.ZERO, "a page's length is zero"),
            Fault("length-huge", Lengths.HUGE, "a page's length is larger than any"),
            Fault("sync-lost", Sync(lost=True), "a channel does not send a SYNC"),
            Fault("sync-lost-everywhere", Sync(lost=True, everywhere=True), "no channel sends a SYNC"),
            Fault("sync-twice", Sync(lost=False), "a channel sends a SYNC twice"),
            Fault("sync-twice-everywhere", Sync(lost=False, everywhere=True), "every channel sends a SYNC twice"),
            Fault("ends-in-init", Ends.IN_INIT, "a channel ends within its init packet"),
            Fault("ends-in-header", Ends.IN_HEADER, "a channel ends within a packet's header"),
            Fault("ends-in-payload", Ends.IN_PAYLOAD, "a channel ends within a payload"),
            Fault("ends-between", Ends.BETWEEN, "a channel ends before the SYNC of its round"),
            Fault("device-state", DeviceState(), "a packet of device state comes among those of pages"),
            Fault("device-state-huge", DeviceState(3 << 20), "a packet of device state is larger than any"),
        )
    }
)  # fmt: skip
"""All faults by name, at the usual place."""


def fault(written: str) -> Fault:
    """The fault that is written so; raises :class:`InputError` naming what is known."""
    match = _WRITTEN.fullmatch(written)
    if match is None or match[1] not in FAULTS:
        known = ", ".join(FAULTS)
        raise InputError(f"fault {written!r} is unknown; expected one of {known}, alone or with a place like [{USUAL}]")
    name, number, packet, channel = match.groups()
    if number is None:
        return FAULTS[name]
    return FAULTS[name].at(Place(int(number), packet, int(channel)))  # type: ignore[arg-type]
