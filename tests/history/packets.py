"""What a defect does to the packets of a migration, while they are on their way.

Pure: a packet with its channel in, what travels instead out. A defect is made anew for every migration, and sees the
packets of all its channels, those of one channel in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from multifd.migrate.misbehave import Sent
from multifd.wire.fields import RAM
from multifd.wire.packet import OFFSETS_AT

LATE: Final = 2
"""SYNCs of a channel after which it carries what was sent before: one ends the setup, one the first round."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing goes on for so many seconds, None for ever."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is closed."""


Step = Sent | Pause | Cut
Rewrite = Callable[[int, Sent], Iterator[Step]]
"""What travels instead of a packet of that channel."""


def once(rewrite: Rewrite, where: Callable[[Sent], bool]) -> Rewrite:
    """Only the first packet of which this is true."""
    done = False

    def only(channel: int, packet: Sent) -> Iterator[Step]:
        nonlocal done
        if done or not where(packet):
            yield packet
            return
        done = True
        yield from rewrite(channel, packet)

    return only


def late(packet: Sent) -> bool:
    """It brings pages that were sent before."""
    return packet.epoch >= LATE and packet.pages


def last_sync(packet: Sent) -> bool:
    """It ends what is sent at the switchover."""
    return packet.epoch >= LATE and packet.sync


def zero_only(packet: Sent) -> bool:
    """It has zero pages and no others."""
    return bool(_number(packet, "zero_pages")) and not packet.pages


def dropped(_: int, _packet: Sent) -> Iterator[Step]:
    """It does not travel."""
    yield from ()


def doubled(_: int, packet: Sent) -> Iterator[Step]:
    """It travels twice."""
    yield packet
    yield packet.copy()


def cut(_: int, _packet: Sent) -> Iterator[Step]:
    """The channel ends instead."""
    yield Cut()


def stalled(_: int, packet: Sent, seconds: float | None = None) -> Iterator[Step]:
    """It comes later, or never."""
    yield Pause(seconds)
    yield packet


def flipped(_: int, packet: Sent) -> Iterator[Step]:
    """A bit of its payload is another."""
    packet.payload[len(packet.payload) // 2] ^= 1
    yield packet


def offsets_swapped(_: int, packet: Sent) -> Iterator[Step]:
    """Its first two pages go to each other's place."""
    offsets = np.frombuffer(packet.header, ">u8", offset=OFFSETS_AT)
    offsets[[0, 1]] = offsets[[1, 0]]
    yield packet


def no_zero_pages(_: int, packet: Sent) -> Iterator[Step]:
    """None of its zero pages is announced."""
    RAM["zero_pages"].write(packet.header, 0)
    yield packet


def numbered(packet: Sent, more: int) -> Iterator[Step]:
    """Its number is another."""
    RAM["packet_num"].write(packet.header, max(0, _number(packet, "packet_num") + more))
    yield packet


def stale_size(_: int, packet: Sent) -> Iterator[Step]:
    """It has the size of a payload, and none."""
    RAM["next_packet_size"].write(packet.header, 4096)
    yield packet


def without_sync(_: int, packet: Sent) -> Iterator[Step]:
    """It is no SYNC."""
    packet.sync = False
    yield packet


def leftovers(_: int, packet: Sent) -> Iterator[Step]:
    """Slots of its header that nobody is to look at hold something old."""
    used = _number(packet, "normal_pages") + _number(packet, "zero_pages")
    np.frombuffer(packet.header, ">u8", offset=OFFSETS_AT)[used:] = 4096
    yield packet


def always(rewrite: Rewrite, where: Callable[[Sent], bool]) -> Callable[[], Rewrite]:
    """Every packet of which this is true."""

    def each(channel: int, packet: Sent) -> Iterator[Step]:
        return rewrite(channel, packet) if where(packet) else iter((packet,))

    return lambda: each


def first(rewrite: Rewrite, where: Callable[[Sent], bool]) -> Callable[[], Rewrite]:
    """The first packet of a migration of which this is true."""
    return partial(once, rewrite, where)


def from_then_on(more: int, where: Callable[[Sent], bool]) -> Callable[[], Rewrite]:
    """From the first packet of which this is true all numbers are so many more."""

    def begin() -> Rewrite:
        begun = False

        def each(_: int, packet: Sent) -> Iterator[Step]:
            nonlocal begun
            begun |= where(packet)
            return numbered(packet, more) if begun else iter((packet,))

        return each

    return begin


def held_back() -> Rewrite:
    """The packets of channel 0 wait for their SYNC and then come in reverse, when those of the others are through."""
    held: list[Sent] = []

    def each(channel: int, packet: Sent) -> Iterator[Step]:
        if channel or packet.sync:
            yield from reversed(held[:] if not channel else [])
            if not channel:
                held.clear()
            yield packet
        else:
            held.append(packet)

    return each


def data_with_sync_dropped() -> Rewrite:
    """The last packet before each SYNC travels in one with it, whose data is not looked at."""
    waiting: dict[int, Sent] = {}

    def each(channel: int, packet: Sent) -> Iterator[Step]:
        before = waiting.pop(channel, None)
        if packet.sync:
            if before is not None and not before.pages:
                yield before
            if packet.pages:
                packet.payload.clear()
                RAM["normal_pages"].write(packet.header, 0)
            yield packet
        else:
            if before is not None:
                yield before
            waiting[channel] = packet

    return each


def _number(packet: Sent, field: str) -> int:
    value = RAM[field].read(packet.header)
    assert isinstance(value, int)
    return value
