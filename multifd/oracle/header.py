"""What a receiver makes of a header: a model of its checks, in QEMU's order, and what follows where it takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from multifd.framing.container import Container
from multifd.oracle.consequence import (
    EMPTY_STATE,
    ENDS_EARLY,
    NO_DEVICE,
    RECORDED,
    TABLE,
    WRONG_SIZE,
    beyond,
    hazard,
    not_sent,
    of_payload,
    out_of_step,
    rejected,
    said,
    unnoticed,
)
from multifd.oracle.decision import Decision
from multifd.oracle.question import Question
from multifd.wire.channel import MAX_PAYLOAD
from multifd.wire.dialect import ZeroPages
from multifd.wire.fault import STATE_SIZE, DeviceState, Overwrite, Pages
from multifd.wire.fields import INIT, MAGIC, RAM, VERSION
from multifd.wire.packet import INIT_SIZE, Offsets, RamHeader, pack_init, pack_ram, slots, unpack_ram

_DEVICE_STATE_AT: Final = 276
"""Bytes of a header of device state: what follows is read as the next one."""
_SIZE: Final = 1000
"""Of the payload of the packet that is judged; only whether it changes counts."""


def init_packet(q: Question, deed: Overwrite) -> Decision:
    """Of a field of an init packet (``multifd_recv_initial_packet``)."""
    assert q.fault is not None
    packet = bytearray(pack_init(q.fault.place.channel))
    deed.write(packet)
    seen = {field.name: field.read(packet) for field in INIT.fields}
    expected = q.channels[1]
    looked_at: tuple[tuple[str, str, object], ...] = (
        ("magic", "init_magic", MAGIC),
        ("version", "init_version", VERSION),
        ("uuid", "init_uuid", INIT["uuid"].read(bytes(INIT_SIZE))),
    )
    for name, complaint, right in looked_at:
        if seen[name] != right:
            return rejected(q, "it is looked at", said(q, complaint, seen[name], right))
    number = seen["id"]
    assert isinstance(number, int)
    if number >= expected:
        return rejected(q, "it is looked at", said(q, "init_id", number, expected))
    if number != q.fault.place.channel:
        return rejected(q, "each channel has one id", said(q, "init_id_twice", number, number))
    return unnoticed(q, "nobody looks at it")


def _sent(q: Question) -> RamHeader:
    """The header of the packet that the fault is about, as it should be."""
    assert q.fault is not None
    normal, zero = q.recording.sent[q.fault.place.round]
    if q.zero_pages is ZeroPages.MAIN:
        zero = ()
    size = len(normal) * q.page_size if q.sender.framing.raw_pages else _SIZE
    offsets = np.array([q.page_size * page for page in (*normal, *zero)], np.uint64)
    flags = q.sender.dialect.flag(q.sender.framing.travels_as)
    return RamHeader(flags, slots(q.page_size), len(normal), size, 0, len(zero), "a", offsets)


def ram_header(q: Question, deed: Overwrite | Pages) -> Decision:
    """Of the header of a packet of pages."""
    sent = _sent(q)
    packet = pack_ram(sent, q.page_size)
    if isinstance(deed, Pages):
        deed.write(packet, q.page_size, q.recording.blocks)
    else:
        deed.write(packet)
    seen = unpack_ram(packet, q.page_size)
    for name, right in (("magic", MAGIC), ("version", VERSION)):
        if RAM[name].read(packet) != right:
            return rejected(q, "it is looked at", said(q, name, RAM[name].read(packet), right))
    if seen.flags & (q.receiver.dialect.device_state or 0):
        error = said(q, "magic", int.from_bytes(packet[_DEVICE_STATE_AT : _DEVICE_STATE_AT + 4]), MAGIC)
        because = "it is read as one of device state, which is shorter"
        return rejected(q, because, EMPTY_STATE if q.receiver.qemu else error)
    refusal = _refusal(q, seen)
    if refusal is not None:
        return refusal
    return _taken(q, sent, seen, payload=deed is not Pages.ALL_ZERO)


def _refusal(q: Question, seen: RamHeader) -> Decision | None:
    """What a receiver's checks of a header say, in their order (``multifd_ram_unfill_packet``, then the method)."""
    alloc, normal, zero = seen.pages_alloc, seen.normal_pages, _zero(q, seen)
    for complaint, value, allowed in (
        ("pages_alloc", alloc, slots(q.page_size)),
        ("normal_pages", normal, alloc),
        ("zero_pages", zero, alloc - normal),
    ):
        if value > allowed:
            return rejected(q, "it is looked at", said(q, complaint, value, allowed))
    if not (normal or zero):
        return None
    return _refused_pages(q, seen, seen.offsets[: normal + zero]) or _refused_payload(q, seen)


def _refused_pages(q: Question, seen: RamHeader, offsets: Offsets) -> Decision | None:
    if (size := q.recording.blocks.get(seen.ramblock)) is None:
        return rejected(q, "it is looked up", said(q, "ramblock", seen.ramblock, ""))
    if int(offsets.max()) > size - q.page_size:
        return rejected(q, "the farthest offset is looked at", said(q, "offset", RECORDED, RECORDED))
    if (offsets % q.page_size).any() and not q.receiver.qemu:
        return rejected(
            q, "QEMU takes it, and a page over two cannot be compared", "offset is .*a multiple of the page"
        )
    return None


def _refused_payload(q: Question, seen: RamHeader) -> Decision | None:
    dialect, framing = q.receiver.dialect, q.receiver.framing
    flag = dialect.flag(framing.travels_as)
    if seen.flags & dialect.mask != flag:
        return rejected(q, "it is looked at", said(q, "flags", seen.flags & dialect.mask, flag))
    if not framing.raw_pages and not seen.normal_pages and seen.next_packet_size:
        return rejected(q, "QEMU asserts that there is none", "where no page is normal")
    if not framing.raw_pages and seen.next_packet_size > MAX_PAYLOAD:
        return rejected(q, "it is looked at", said(q, "next_packet_size", "", ""))
    return None


def _zero(q: Question, seen: RamHeader) -> int:
    return seen.zero_pages if q.receiver.dialect.zero_pages is ZeroPages.PACKET else 0


def _taken(q: Question, sent: RamHeader, seen: RamHeader, *, payload: bool) -> Decision:
    """What a receiver makes of a header that it takes."""
    raw = q.receiver.framing.raw_pages
    there = sent.next_packet_size if payload else 0
    taken = seen.normal_pages * q.page_size if raw else seen.next_packet_size if seen.normal_pages else 0
    if taken > there:
        return beyond(q)
    if taken < there and (raw or (not taken and not seen.normal_pages)):
        return rejected(q, "what is left of the payload is read as a header", out_of_step(q))
    if taken < there or (not raw and seen.normal_pages != sent.normal_pages and seen.normal_pages):
        return _does_not_fit(q, fewer=taken == there and seen.normal_pages < sent.normal_pages)
    if _written(q, seen) == _written(q, sent):
        return unnoticed(q, "nobody looks at it, and it changes nothing")
    if not seen.normal_pages and not _zero(q, seen):
        return not_sent(q)
    return hazard(q, "a receiver takes counts and offsets as they come: pages hold what was not sent for them")


def _does_not_fit(q: Question, *, fewer: bool) -> Decision:
    """A payload of another number of pages than its header says, ``fewer`` in the header.

    ``multifd_zstd_recv`` (migration/multifd-zstd.c, QEMU 7.2.22 to 11.1.3) does not look for more than the pages that
    it was told of; what libzstd has decoded beyond them is the first that it gives next time. inflate fails then.
    """
    if fewer and q.receiver.qemu and q.receiver.framing.container is Container.ZSTD:
        return hazard(q, "what is left of the payload is taken for the beginning of the next one")
    error = of_payload(q, TABLE if q.receiver.framing.length_table else WRONG_SIZE)
    return rejected(q, "pages and payload do not fit", f"{error}|{out_of_step(q)}")


def _written(q: Question, header: RamHeader) -> Mapping[tuple[str, int], int | None]:
    """What a packet leaves where: which of its normal pages, None for zero. Zero pages are applied first."""
    normal, zero = header.normal_pages, _zero(q, header)
    offsets = [int(offset) for offset in header.offsets]
    left: dict[tuple[str, int], int | None] = dict.fromkeys(
        (header.ramblock, offset) for offset in offsets[normal : normal + zero]
    )
    return {**left, **{(header.ramblock, offset): place for place, offset in enumerate(offsets[:normal])}}


def device_state(q: Question, deed: DeviceState) -> Decision:
    """Of a packet of device state among those of pages."""
    if q.receiver.dialect.device_state is None:
        slots_read = int.from_bytes(b"vfio")
        return rejected(
            q, f"{q.receiver.dialect.name} has no such packets, and reads it as one of pages",
            said(q, "pages_alloc", slots_read, slots(q.page_size)),
        )  # fmt: skip
    if q.receiver.qemu:
        return rejected(q, "no device waits for it", ENDS_EARLY if deed.announced else NO_DEVICE)
    if deed.announced + STATE_SIZE > MAX_PAYLOAD:
        return rejected(q, "its size is looked at", said(q, "next_packet_size", "", ""))
    return unnoticed(q, f"{q.receiver.dialect.name} knows such packets, and there is no device to load one")
