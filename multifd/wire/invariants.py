"""What always holds of a multifd channel's packets, by what their sender promises (:mod:`multifd.wire.promise`).

=====================  =============================================================================================
field                  holds
=====================  =============================================================================================
magic, version         every packet begins with them
flags                  a packet with pages has its method's flag, one without has none, or the same (before 9.0);
                       SYNC beside it where the dialect puts it there
pages_alloc            the slots of a packet; 0 in a SYNC without pages since 9.0
normal_pages           at most ``pages_alloc``, together with ``zero_pages``
zero_pages             0 where they travel on the main channel
next_packet_size       as many bytes follow: 0 without normal pages (before 9.0: stale), all pages under ``none``
packet_num             see :class:`~multifd.wire.promise.Numbers`
ramblock               one that main has listed
offset                 a page of it, none twice in a packet
SYNC                   as often on every channel as main says so
id, uuid               ids from 0, each once; one uuid
=====================  =============================================================================================

Of what does not hold the first place is named, once for each rule and channel, with the number of further ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

import numpy as np

from multifd.errors import Place
from multifd.wire.dialect import FLAG_SYNC, Dialect, MainSync, SyncCarrier, ZeroPages
from multifd.wire.packet import PACKET_SIZE, Offsets, RamHeader, header_size, slots
from multifd.wire.promise import Numbers, Promise

MAX_PAYLOAD: Final = 2 * PACKET_SIZE


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose stream it is."""

    dialect: Dialect
    flag: int
    """Of its method, in packets with pages."""
    raw_pages: bool
    """Payloads are pages as they are in memory."""
    page_size: int
    """Bytes."""
    promise: Promise
    main_sync: MainSync
    """How its machine type marks a SYNC on main."""
    channels: int
    """That it was told."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that always holds and did not."""

    place: Place
    field: str
    value: object
    expected: str
    more: int = 0
    """Further ones of the kind, on the same channel."""

    def __str__(self) -> str:
        further = f" (and {self.more} more)" if self.more else ""
        where = f"{self.place}: " if str(self.place) else ""
        return f"{where}{self.field} is {self.value}, expected {self.expected}{further}"


@dataclass(slots=True)
class Channel:
    """What one channel has shown so far."""

    id: int
    sender: Sender
    uuid: bytes
    numbers: list[int] = field(default_factory=list)
    syncs: int = 0
    in_memory: int = 0
    """Bytes of headers, and of normal pages as they are in memory."""
    furthest: dict[str, tuple[int, Place]] = field(default_factory=dict)
    """The largest offset of each RAM block, and where it stood."""
    lost: bool = False
    """What follows cannot be told from payloads."""
    _first: dict[str, Violation] = field(default_factory=dict)
    _more: Counter[str] = field(default_factory=Counter)

    @property
    def violations(self) -> list[Violation]:
        """Of each rule the first."""
        return [replace(first, more=self._more[rule]) for rule, first in self._first.items()]

    def note(self, place: Place, name: str, value: object, expected: str) -> None:
        """Something does not hold; the name and what was expected are the rule."""
        rule = f"{name}: {expected}"
        if rule in self._first:
            self._more[rule] += 1
        else:
            self._first[rule] = Violation(place, name, value, expected)

    def packet(self, header: RamHeader, at: int) -> int:
        """A packet whose header stands at byte ``at``; returns the bytes of its payload."""
        place = Place(channel=self.id, packet=header.packet_num, offset=at)
        self._number(place, header.packet_num)
        self.syncs += header.flags & FLAG_SYNC
        self._flags(place, header)
        normal, zero = self._counts(place, header)
        self._offsets(place, header.ramblock, header.offsets[: normal + zero])
        self.in_memory += header_size(self.sender.page_size) + normal * self.sender.page_size
        return self._payload(place, header, normal)

    def _number(self, place: Place, number: int) -> None:
        if self.sender.promise.numbers is Numbers.GROWING and self.numbers and number < self.numbers[-1]:
            self.note(place, "packet_num", number, "no number below that of the packet before")
        self.numbers.append(number)

    def _flags(self, place: Place, header: RamHeader) -> None:
        sender, pages = self.sender, header.normal_pages + header.zero_pages
        own = sender.dialect.sync is SyncCarrier.OWN
        if own and not pages:
            allowed: tuple[int, ...] = (FLAG_SYNC,)
        elif own:
            allowed = (sender.flag,)
        else:
            allowed = tuple(method | sync for method in (sender.flag, *([0] if not pages else [])) for sync in (0, 1))
        if header.flags not in allowed:
            kind = "with" if pages else "without"
            self.note(place, "flags", header.flags, f"{' or '.join(map(str, sorted(set(allowed))))} {kind} pages")

    def _counts(self, place: Place, header: RamHeader) -> tuple[int, int]:
        sender, most = self.sender, slots(self.sender.page_size)
        alloc, normal, zero = header.pages_alloc, header.normal_pages, header.zero_pages
        empty = sender.dialect.sync is SyncCarrier.OWN and not (normal or zero)
        if alloc != (0 if empty else most):
            self.note(place, "pages_alloc", alloc, f"{0 if empty else most}")
        if zero and sender.dialect.zero_pages is ZeroPages.MAIN:
            self.note(place, "zero_pages", zero, "0, for zero pages travel on the main channel")
            zero = 0
        if normal + zero > alloc:
            self.note(place, "normal_pages + zero_pages", normal + zero, "at most pages_alloc")
            zero = 0
        return min(normal, most), zero

    def _offsets(self, place: Place, block: str, used: Offsets) -> None:
        if not len(used):
            return
        highest = int(np.maximum.reduce(used))
        if highest > self.furthest.get(block, (-1, place))[0]:
            self.furthest[block] = highest, place
        size = self.sender.page_size
        if int(np.bitwise_or.reduce(used)) % size:
            self.note(place, "offset", int(used[used % size != 0][0]), f"a multiple of {size}")
        ordered = np.sort(used)
        if (again := ordered[1:][ordered[1:] == ordered[:-1]]).size:
            self.note(place, "offset", int(again[0]), "each once in a packet")

    def _payload(self, place: Place, header: RamHeader, normal: int) -> int:
        sender, size = self.sender, header.next_packet_size
        if not normal:
            if size and sender.promise.exact_sizes:
                self.note(place, "next_packet_size", size, "0 where no page is normal")
            return 0
        whole = normal * sender.page_size
        if sender.raw_pages:
            if size != whole:
                self.note(place, "next_packet_size", size, "the size of the normal pages")
            return whole
        if not 0 < size <= MAX_PAYLOAD:
            self.note(place, "next_packet_size", size, f"1 to {MAX_PAYLOAD} where pages are normal")
        return size


def between(channels: list[Channel], flushes: int | None, *, whole: bool) -> Iterator[Violation]:
    """What does not hold between channels that were followed to their ends.

    ``flushes`` is how often main said SYNC, None where main could not be followed; ``whole`` that nothing is missing:
    of a migration that was broken off only what is there twice is wrong.
    """
    if whole and not channels:
        yield Violation(Place(), "channels", "nowhere", "some: nothing of multifd was sent")
    yield from _ids(channels, whole=whole)
    yield from _twice(channels)
    if not whole or any(channel.lost for channel in channels):
        return
    yield from _gaps(channels)
    for channel in channels:
        if flushes is not None and channel.syncs != flushes:
            yield Violation(Place(channel.id), "SYNC", f"sent {channel.syncs} times", f"{flushes}, as main says")
        elif flushes is None and channel.syncs != channels[0].syncs:
            yield Violation(
                Place(channel.id), "SYNC", f"sent {channel.syncs} times", f"{channels[0].syncs}, as on channel 0"
            )


def inside(channels: list[Channel], blocks: Mapping[str, int]) -> Iterator[Violation]:
    """Pages that are in none of main's RAM blocks; of each channel and block the furthest."""
    for channel in channels:
        for block, (offset, place) in channel.furthest.items():
            size = blocks.get(block)
            if size is None:
                yield Violation(place, "ramblock", repr(block), f"one of main's list: {', '.join(blocks)}")
            elif offset + channel.sender.page_size > size:
                yield Violation(
                    place, "offset", offset, f"at most {size - channel.sender.page_size} in RAM block {block}"
                )


def _ids(channels: list[Channel], *, whole: bool) -> Iterator[Violation]:
    if not channels:
        return
    ids, count = sorted(channel.id for channel in channels), channels[0].sender.channels
    due = list(range(count))
    if (ids != due) if whole else (len(set(ids)) < len(ids) or ids[-1] >= count):
        yield Violation(Place(), "id", ", ".join(map(str, ids)), f"0 to {count - 1}, each once")
    first = channels[0]
    for channel in channels[1:]:
        if channel.uuid != first.uuid:
            expected = f"{first.uuid.hex()}, as on channel {first.id}"
            yield Violation(Place(channel.id), "uuid", channel.uuid.hex(), expected)


def _twice(channels: list[Channel]) -> Iterator[Violation]:
    """Numbers that two packets have."""
    had: set[int] = set()
    for channel in channels:
        if channel.sender.promise.numbers is not Numbers.DENSE:
            return
        again = []
        for number in channel.numbers:
            again += [number] if number in had else []
            had.add(number)
        if again:
            place = Place(channel.id, again[0])
            yield Violation(place, "packet_num", again[0], "one that no other packet has", len(again) - 1)


def _gaps(channels: list[Channel]) -> Iterator[Violation]:
    """Numbers that no packet has."""
    if not channels or channels[0].sender.promise.numbers is not Numbers.DENSE:
        return
    numbers = sorted({number for channel in channels for number in channel.numbers})
    gaps = [before + 1 for before, after in pairwise([-1, *numbers]) if after > before + 1]
    if gaps:
        yield Violation(
            Place(), "packet_num", f"nowhere {gaps[0]}", f"every number from 0 to {numbers[-1]}", len(gaps) - 1
        )
