"""A recording as a sender that misbehaves would have sent it: one declared fault, applied to packets.

Pure: recorded channels in, channels out. What a fault does not name stays byte for byte.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import numpy as np

from multifd.errors import HarnessError
from multifd.framing.container import Container, trailer_length
from multifd.framing.model import Framing
from multifd.wire import fault as faults
from multifd.wire.dialect import FLAG_SYNC, Dialect, SyncCarrier
from multifd.wire.fault import Bit, DeviceState, Ends, Fault, Init, Lengths, Overwrite, Packet, Pages, Payload, Sync
from multifd.wire.fields import INIT, RAM
from multifd.wire.packet import DeviceStateHeader, pack_device_state
from multifd.wire.scan import scan

_GARBAGE: Final = bytes(range(255, 239, -1))
"""No codec takes it for anything: a block of the reserved type (DEFLATE, zstd), no length, no magic."""
_BIT: Final = 4
"""Of a stored block's first byte it makes one with codes, of a length or magic another."""
_END_OF_FRAME: Final = bytes((1, 0, 0))
"""A last, raw and empty block (RFC 8878, section 3.1.1.2)."""
_LENGTH: Final = 4
"""Bytes of a page's length in the table before a payload."""
_DEVICE: Final = "vfio"


@dataclass(frozen=True, slots=True)
class Recorded:
    """How channels were recorded."""

    page_size: int
    """Bytes."""
    dialect: Dialect
    framing: Framing
    blocks: Mapping[str, int]
    """Bytes of each RAM block."""
    guest: frozenset[str]
    """Those whose content is known, a QEMU's without its ROMs: faults are about packets of these."""


@dataclass(slots=True)
class Sent:
    """One packet, to be changed in place."""

    header: bytearray
    payload: bytearray
    epoch: int
    """SYNCs before it on its channel."""

    @property
    def pages(self) -> bool:
        """It has normal pages, and so a payload."""
        return bool(RAM["normal_pages"].read(self.header))

    @property
    def block(self) -> str:
        """The RAM block of its pages."""
        return str(RAM["ramblock"].read(self.header))

    @property
    def sync(self) -> bool:
        """It ends an epoch."""
        return bool(self._flags & FLAG_SYNC)

    @sync.setter
    def sync(self, wanted: bool) -> None:
        RAM["flags"].write(self.header, self._flags & ~FLAG_SYNC | (FLAG_SYNC if wanted else 0))

    @property
    def _flags(self) -> int:
        flags = RAM["flags"].read(self.header)
        assert isinstance(flags, int)
        return flags

    def guest_pages(self, recorded: Recorded) -> list[tuple[str, int]]:
        """Its pages that are of blocks with known content, zero pages included: block and offset in bytes."""
        if self.block not in recorded.guest:
            return []
        counts = [RAM[name].read(self.header) for name in ("normal_pages", "zero_pages")]
        offsets = np.frombuffer(self.header, ">u8", offset=RAM["offset"].offset)
        return [(self.block, int(offset)) for offset in offsets[: sum(map(int, counts))]]

    def resize(self) -> None:
        """Say in the header how large the payload is now."""
        RAM["next_packet_size"].write(self.header, len(self.payload))

    def copy(self) -> Sent:
        """Another one like it."""
        return replace(self, header=bytearray(self.header), payload=bytearray(self.payload))


@dataclass(slots=True)
class _Channel:
    init: bytearray
    packets: list[Sent]

    def bytes(self) -> bytes:
        """As it travels."""
        return b"".join((self.init, *(part for sent in self.packets for part in (sent.header, sent.payload))))


def misbehave(channels: Sequence[bytes], fault: Fault, recorded: Recorded) -> list[bytes]:
    """The recorded channels with the fault in them; raises HarnessError where there is no such place."""
    return _Misdeed([_read(data, recorded) for data in channels], fault, recorded).done()


@dataclass(frozen=True, slots=True)
class Spot:
    """A packet that faults can be about."""

    sync: bool
    """It carries a SYNC."""
    again: bool
    """A page of it travels in another packet too."""
    pages: int
    """How many it has, zero pages included."""


def places(channels: Sequence[bytes], number: int, recorded: Recorded) -> list[list[Spot]]:
    """The packets that faults of one of the recorded channels are about, by round."""
    read = [_read(data, recorded).packets for data in channels]
    times = Counter(page for packets in read for packet in packets for page in packet.guest_pages(recorded))

    def spot(packet: Sent) -> Spot:
        pages = packet.guest_pages(recorded)
        return Spot(packet.sync, any(times[page] > 1 for page in pages), len(pages))

    return [[spot(read[number][at]) for at in part] for part in _rounds(read[number], recorded)]


def _rounds(packets: Sequence[Sent], recorded: Recorded) -> list[list[int]]:
    """Where the packets with pages are, by round."""
    with_pages = [at for at, sent in enumerate(packets) if sent.pages and sent.block in recorded.guest]
    return [list(part) for _, part in groupby(with_pages, lambda at: packets[at].epoch)]


def _read(data: bytes, recorded: Recorded) -> _Channel:
    packets, epoch = [], 0
    for seen in scan(data, recorded.page_size, recorded.dialect, raw_pages=recorded.framing.raw_pages):
        packets.append(sent := Sent(bytearray(seen.raw), bytearray(seen.payload), epoch))
        epoch += sent.sync
    return _Channel(bytearray(data[: INIT.size]), packets)


class _Misdeed:
    """One fault and the recording that it is put into."""

    def __init__(self, channels: list[_Channel], fault: Fault, recorded: Recorded) -> None:
        self._channels = channels
        self._fault = fault
        self._recorded = recorded
        self._channel = self._at(fault.place.channel)
        self._packets = self._channel.packets

    def done(self) -> list[bytes]:
        """Every channel as it is sent."""
        match self._fault.deed:
            case Overwrite(packet=packet) as deed if packet is INIT:
                deed.write(self._channel.init)
            case Overwrite() as deed:
                deed.write(self._target.header)
            case Pages() as deed:
                self._pages(deed)
            case Packet() as deed:
                self._packet(deed)
            case Bit() as deed:
                payload = self._target.payload
                payload[{Bit.FIRST: 0, Bit.INSIDE: 11 * len(payload) // 20, Bit.LAST: -1}[deed]] ^= _BIT
            case Payload() as deed:
                self._payload(deed)
            case Lengths() as deed:
                self._lengths(deed)
            case Sync() as deed:
                self._syncs(deed)
            case Ends() as deed:
                return self._ended(deed)
            case Init.LOST:
                self._channel.init.clear()
            case Init.TWICE:
                self._channel.init *= 2
            case DeviceState(announced=more):
                header = DeviceStateHeader(self._device_state, _DEVICE, 0, faults.STATE_SIZE + more)
                state = bytearray(_GARBAGE * (faults.STATE_SIZE // len(_GARBAGE)))
                self._packets.insert(self._place, Sent(bytearray(pack_device_state(header)), state, 0))
        return [channel.bytes() for channel in self._channels]

    @property
    def _device_state(self) -> int:
        """The flag of device state, also where the dialect has none."""
        return 64

    @property
    def _place(self) -> int:
        """Where the packet is that the fault is about, among those of its channel."""
        place, found = self._fault.place, self._round(self._fault.place.round)
        return found[{"first": 0, "middle": len(found) // 2, "last": -1}[place.packet]]

    def _round(self, number: int) -> list[int]:
        """Where the packets with pages of a round are."""
        rounds = _rounds(self._packets, self._recorded)
        if number > len(rounds):
            raise HarnessError(
                f"fault {self._fault}: channel {self._fault.place.channel} has {len(rounds)} rounds with pages"
            )
        return rounds[number - 1]

    @property
    def _target(self) -> Sent:
        return self._packets[self._place]

    def _at(self, number: int) -> _Channel:
        if number >= len(self._channels):
            raise HarnessError(f"fault {self._fault}: there are {len(self._channels)} channels")
        return self._channels[number]

    def _pages(self, deed: Pages) -> None:
        target = self._target
        deed.write(target.header, self._recorded.page_size, self._recorded.blocks)
        if deed is Pages.ALL_ZERO:
            target.payload.clear()

    def _packet(self, deed: Packet) -> None:
        packets, place = self._packets, self._place
        if deed is Packet.ROUND_LATE:
            following = packets[self._round(self._fault.place.round + 1)[0]].epoch
        if deed is Packet.TWICE:
            packets.insert(place, packets[place].copy())
            return
        target = packets.pop(place)
        match deed:
            case Packet.ELSEWHERE:
                others = self._channels[(self._fault.place.channel + 1) % len(self._channels)].packets
                others.insert(_end_of(target.epoch, others), target)
            case Packet.BEHIND_SYNC:
                packets.insert(_end_of(target.epoch, packets) + 1, target)
            case Packet.ROUND_LATE:
                packets.insert(_end_of(following, packets), target)
            case _:
                pass

    def _payload(self, deed: Payload) -> None:
        container, target = self._recorded.framing.container, self._target
        payload = target.payload
        match deed:
            case Payload.CUT:
                del payload[len(payload) // 2 :]
            case Payload.SHORT:
                del payload[-1]
            case Payload.GARBAGE:
                payload += _GARBAGE
            case Payload.NO_TRAILER:
                del payload[-trailer_length(container) :]
            case Payload.TWICE:
                payload *= 2
            case Payload.ENDED:
                payload += _END_OF_FRAME if container is Container.ZSTD else self._end_of_stream()
        target.resize()

    def _end_of_stream(self) -> bytes:
        """What ends a zlib stream here: a last, empty block, and the checksum of all that came before."""
        decoder = zlib.decompressobj()
        content = b"".join(decoder.decompress(sent.payload) for sent in self._packets[: self._place + 1] if sent.pages)
        return bytes((3, 0)) + zlib.adler32(content).to_bytes(4)

    def _lengths(self, deed: Lengths) -> None:
        table = self._target.payload
        first, second = (int.from_bytes(table[at : at + _LENGTH]) for at in (0, _LENGTH))
        match deed:
            case Lengths.SHIFTED:
                first, second = first + 1, second - 1
            case Lengths.ZERO:
                first = 0
            case Lengths.HUGE:
                first = 0xFFFFFFFF
        table[: 2 * _LENGTH] = first.to_bytes(_LENGTH) + second.to_bytes(_LENGTH)

    def _syncs(self, deed: Sync) -> None:
        epoch = self._target.epoch
        for channel in self._channels if deed.everywhere else [self._channel]:
            packets = channel.packets
            at = _end_of(epoch, packets)
            if not deed.lost:
                packets.insert(at + 1, again := packets[at].copy())
                again.payload.clear()
                RAM["normal_pages"].write(again.header, 0)
            elif self._recorded.dialect.sync is SyncCarrier.OWN:
                del packets[at]
            else:
                packets[at].sync = False

    def _ended(self, deed: Ends) -> list[bytes]:
        """The channel up to where it ends."""
        channels = [channel.bytes() for channel in self._channels]
        number = self._fault.place.channel
        if deed is Ends.IN_INIT:
            channels[number] = channels[number][: INIT.size // 2]
            return channels
        target = self._target
        at = len(_Channel(self._channel.init, self._packets[: self._place]).bytes())
        inside = {
            Ends.IN_HEADER: len(target.header) // 2,
            Ends.IN_PAYLOAD: len(target.header) + len(target.payload) // 2,
        }
        channels[number] = channels[number][: at + inside.get(deed, 0)]
        return channels


def _end_of(epoch: int, packets: Sequence[Sent]) -> int:
    """Where the SYNC is that ends an epoch."""
    return next(at for at, sent in enumerate(packets) if sent.epoch == epoch and sent.sync)
