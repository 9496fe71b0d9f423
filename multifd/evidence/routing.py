"""How many jobs the packets of a migration are for an end's device, by the rules that its vendor's library goes by.

==================  ============================================  ===========================================
library             compressing an input                          decompressing
==================  ============================================  ===========================================
libqatzip           a request for each piece                      a request for each member, while none is too
                                                                  large (:mod:`multifd.codec.silicon.libqatzip_routing`)
libqpl              a job, or two where it makes codes            a job
UADK                a job                                         a job
one that says       a job                                         a job
nothing of itself
==================  ============================================  ===========================================

An input is a page, where every page is compressed on its own, or what a packet holds. Pages that are sent as they are
are no input of the receiver's.

libqatzip's and UADK's numbers are exact: what finds a full ring is not taken, and given again (``CPA_STATUS_RETRY``,
``src/qatzip.c``, QATzip 1.3.1); a call of UADK's is one message (``wd_do_comp_sync``, ``wd_comp.c``, uadk 2.10).
libqpl's are least numbers: it submits a job again after a page fault (``process_descriptor``,
``sources/middle-layer/util/descriptor_processing.hpp``, qpl 1.6.0), and a caller of its own may have it verify, a job
more (``hw_submit_verify_job``, ``sources/c_api/legacy_hw_path/qpl_hw_check_job.cpp``, qpl 1.6.0; QEMU and we omit it).
One that says nothing of itself may cut its inputs.

Of a stream that does not end libqatzip gives each channel's first packet to the device, which refuses it; all of the
stream is then software's (``InflateOK``, ``src/qatzip.c``, QATzip 1.3.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import Final, Protocol

from multifd.accelerator import IAA, KUNPENG, QAT, by_name
from multifd.codec.silicon.libqatzip_routing import ENDLESS, Rules, Share
from multifd.evidence.asked import NOTHING, Asked
from multifd.framing.coder import Routing
from multifd.framing.container import Container
from multifd.framing.model import Flush, Framing, Scope

_LARGEST: Final = 1 << 32
"""Bytes; more than any input."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet with pages, as it was sent."""

    channel: int
    pages: int
    payload: memoryview


class OnDevice(Protocol):
    """Whoever works on a device: a peer, or what is known of another."""

    @property
    def device(self) -> str | None:
        """The accelerator, by its name."""
        ...

    @property
    def routing(self) -> Routing | None:
        """By what its library decides what the device is given, None if it does not say."""
        ...


@dataclass(frozen=True, slots=True)
class Worker:
    """One that is no peer of the contract: a real QEMU."""

    device: str | None
    routing: Routing | None = None


QEMU: Final[Mapping[str, Worker]] = MappingProxyType(
    {
        each.kind: Worker(each.name, routing)
        for each, routing in ((QAT, Routing(piece=64 << 10, threshold=1024)), (IAA, Routing()), (KUNPENG, Routing()))
    }
)
"""A real QEMU on each kind of accelerator: libqatzip's defaults (``qzGetDefaultsDeflate``, migration/multifd-qatzip.c,
QEMU 9.2), fixed codes that are not verified (migration/multifd-qpl.c, QEMU 9.1), a page at a time."""


class Library(Protocol):
    """What a vendor's library gives to its device."""

    def compressed(self, size: int, /) -> Share:
        """Of an input of so many bytes."""
        ...

    def decompressed(self, source: bytes, container: Container, room: int, /) -> Share:
        """Of a payload from which so many bytes are to come."""
        ...


@dataclass(frozen=True, slots=True)
class _Whole:
    """A library that gives its device every input, and all of it."""

    jobs: int = 1
    """Of a compression."""
    one_pass: int = 0
    """Bytes; an input up to it is one job all the same."""

    def compressed(self, size: int) -> Share:
        jobs = 1 if size <= self.one_pass else self.jobs
        return Share(jobs, jobs, size)

    def decompressed(self, source: bytes, container: Container, room: int) -> Share:
        return Share(1, 1, len(source))


def library(peer: OnDevice) -> Library:
    """The library of a peer that says by what it goes, or one that could be any."""
    routing, accelerator = peer.routing, by_name(peer.device)
    if routing is None:
        return _Whole()
    if accelerator is QAT:
        return Rules(buffer=routing.piece or _LARGEST, threshold=routing.threshold, raw=routing.raw)
    return _Whole(routing.jobs, routing.one_pass)


def exact(peer: OnDevice) -> bool:
    """Whether its jobs can be no more than those that there must be."""
    return peer.routing is not None and by_name(peer.device) in (QAT, KUNPENG)


def compressed(peer: OnDevice, spoken: Framing, page_size: int, packets: Iterable[int]) -> Asked:
    """What is asked of a sender for packets of so many pages each."""
    if spoken.raw_pages:
        return nothing(peer)
    alone = pagewise(peer, spoken)
    inputs = (size for pages in packets for size in ([page_size] * pages if alone else [page_size * pages]))
    return _total(peer, map(library(peer).compressed, inputs), "compressed", alone=alone)


def decompressed(peer: OnDevice, spoken: Framing, page_size: int, packets: Sequence[Sent]) -> Asked:
    """What is asked of a receiver of these packets."""
    if spoken.raw_pages:
        return nothing(peer)
    accelerator = by_name(peer.device)
    if spoken.scope is Scope.CHANNEL and accelerator is not None and not accelerator.follows:
        first = len({packet.channel for packet in packets})
        return endless(first if exact(peer) else None) if first else nothing(peer)
    rules = library(peer)
    shares = (
        rules.decompressed(bytes(part), spoken.container, room)
        for packet in packets
        for part, room in _parts(packet, spoken, page_size)
    )
    return _total(peer, shares, "decoded", alone=spoken.scope is Scope.PAGE)


def nothing(peer: OnDevice) -> Asked:
    """What is asked where nothing is to be coded; one that says nothing of itself may do as it likes."""
    return Asked() if peer.routing is None else NOTHING


def endless(most: int | None) -> Asked:
    """What is asked of a receiver whose device does not follow streams that go on, and of them gets so many jobs."""
    return Asked(most=most, software=f"decoded in software: {ENDLESS}")


def pagewise(peer: OnDevice, spoken: Framing) -> bool:
    """Whether a sender compresses every page by itself; one that says nothing of itself may flush as it likes."""
    return spoken.scope is Scope.PAGE or (spoken.flush is Flush.PAGE and peer.routing is not None)


def _parts(packet: Sent, spoken: Framing, page_size: int) -> Iterator[tuple[memoryview, int]]:
    """What of a payload is decompressed at once, and to how many bytes."""
    if not spoken.length_table:
        yield packet.payload, packet.pages * page_size
        return
    table = 4 * packet.pages
    lengths = [int.from_bytes(packet.payload[at : at + 4]) for at in range(0, table, 4)]
    for start, end in pairwise(accumulate(lengths, initial=table)):
        if not (spoken.raw_escape and end - start == page_size):
            yield packet.payload[start:end], page_size


def _total(peer: OnDevice, shares: Iterable[Share], how: str, *, alone: bool) -> Asked:
    inputs = list(shares)
    most = [share.most for share in inputs if share.most is not None]
    left = [share for share in inputs if share.software]
    return Asked(
        sum(share.least for share in inputs),
        sum(most) if exact(peer) and len(most) == len(inputs) else None,
        sum(share.read for share in inputs),
        _words(left, len(inputs), how, "pages" if alone else "packets"),
    )


def _words(left: Sequence[Share], inputs: int, how: str, unit: str) -> str:
    """What software does, and why it does the first of it."""
    if not left:
        return ""
    in_part = ", or a part of them," if any(share.least for share in left) else ""
    which = "" if len(left) == inputs and not in_part else f"{len(left)} of {inputs} {unit}{in_part} "
    return f"{which}{how} in software: {left[0].software}"
