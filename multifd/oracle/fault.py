"""What follows from what a sender does wrong: from what the receiver's generation and framing look at.

Three things protect a receiver, and nothing else does:

* the checks of a header (``multifd_recv_unfill_packet``): magic, version, flags under the mask, counts, RAM block, the
  farthest offset, the payload's size. A header is judged here by a model of them, in the order of QEMU;
* the form of a payload: a length table, a stream's header, its structure, its checksum where the container has one and
  the decoder compares it;
* the order of a stream: what a stream keeps from packet to packet does not fit where a packet is missing at its start.

What they do not see arrives. Packet numbers are not looked at, offsets are taken as they come, nothing that is not
compressed has a checksum: memory is then silently wrong, a hazard, unless the fault changes nothing that counts. What
is out of step is noticed at the next header, for no payload begins with the magic.
"""

from __future__ import annotations

from typing import Final

from multifd.framing.container import Container, trailer_length
from multifd.framing.model import Scope
from multifd.oracle.consequence import (
    BROKEN,
    INCOMPLETE,
    NOT_A_STREAM,
    RECORDED,
    TABLE,
    WRONG_SIZE,
    begins_stream,
    beyond,
    hazard,
    not_sent,
    nothing_follows,
    of_payload,
    out_of_step,
    rejected,
    said,
    unnoticed,
)  # fmt: skip
from multifd.oracle.decision import Decision
from multifd.oracle.guarded import unguarded
from multifd.oracle.header import device_state, init_packet, ram_header
from multifd.oracle.question import Question
from multifd.wire.dialect import SyncCarrier
from multifd.wire.fault import Bit, DeviceState, Ends, Init, Lengths, Overwrite, Packet, Pages, Payload, Sync
from multifd.wire.fields import INIT, MAGIC

_SYNC: Final = r"multifd: SYNC is '"
"""What a receiver says that waits for a SYNC of a channel, or of main, that has come to its end."""


def follows(q: Question) -> Decision:
    """What follows from the question's fault where everything else is right."""
    assert q.fault is not None
    match q.fault.deed:
        case Overwrite(packet=packet) as deed if packet is INIT:
            decision = init_packet(q, deed)
        case Overwrite() | Pages() as deed:
            decision = ram_header(q, deed)
        case Packet() as deed:
            decision = _packet(q, deed)
        case Bit() as deed:
            decision = _bit(q, deed)
        case Payload() as deed:
            decision = _payload(q, deed)
        case Lengths() as deed:
            error = of_payload(q, _lengths(q, deed))
            decision = rejected(q, f"the lengths of {q.receiver.framing.name} are looked at", error)
        case Sync(lost=False) if q.receiver.qemu:
            decision = unnoticed(q, "QEMU counts the SYNCs of all channels together, and has more than it waits for")
        case Sync():
            decision = rejected(q, "whoever has a SYNC waits for those of all others and of main", _SYNC)
        case Ends() as deed:
            decision = _ends(q, deed)
        case Init.LOST:
            decision = rejected(q, "the first packet is read as one", said(q, "init_uuid", RECORDED, RECORDED))
        case Init.TWICE:
            decision = rejected(q, "the second is read as a packet of pages", said(q, "magic", 0, MAGIC))
        case DeviceState() as deed:
            decision = device_state(q, deed)
    return decision


def _packet(q: Question, deed: Packet) -> Decision:
    assert q.fault is not None
    place, framing = q.fault.place, q.receiver.framing
    stream = framing.scope is Scope.CHANNEL
    if q.sender.dialect.sync is SyncCarrier.DATA and place.packet == "last":
        return rejected(q, "its SYNC goes with it", _SYNC)
    if deed is Packet.LOST:
        return not_sent(q)
    if begins_stream(q):
        error = BROKEN if deed is Packet.TWICE else f"{NOT_A_STREAM}|{BROKEN}"
        return rejected(q, "it begins the channel's stream", of_payload(q, error))
    if deed is Packet.ROUND_LATE:
        return hazard(q, "nobody looks at packets' numbers, its pages end with their old content")
    last = deed is Packet.BEHIND_SYNC and place.packet == "last"
    if stream and q.matches and not last:
        return hazard(q, "what the stream refers to is not what it was, and its checksum never comes")
    return unnoticed(q, "nobody looks at packets' numbers, and the same pages arrive")


def _ends(q: Question, deed: Ends) -> Decision:
    if deed is Ends.BETWEEN:
        return rejected(q, "whoever has a SYNC waits for those of all others", _SYNC)
    cut = {Ends.IN_INIT: "init packet", Ends.IN_HEADER: "packet header", Ends.IN_PAYLOAD: "packet payload"}[deed]
    return rejected(q, "what is due does not come", f"{cut}: stream ended")


def _silent(q: Question) -> Decision:
    return hazard(q, f"{unguarded(q.receiver, q.decoder)}, nothing on the wire can notice")


def _bit(q: Question, deed: Bit) -> Decision:
    framing = q.receiver.framing
    packet, channel = framing.scope is Scope.PACKET, framing.scope is Scope.CHANNEL
    of_zlib, trailer = framing.container is Container.ZLIB, trailer_length(framing.container) > 0
    match deed:
        case _ if framing.raw_pages:
            decision = _silent(q)
        case Bit.FIRST if packet and framing.container in q.decoder.skips_header:
            decision = unnoticed(q, f"receiver {q.receiver.peer} takes the header unseen")
        case Bit.FIRST:
            error = TABLE if framing.length_table else f"{NOT_A_STREAM}|{BROKEN}"
            decision = rejected(q, "it is part of what a payload must begin with", of_payload(q, error))
        case Bit.LAST if channel and of_zlib:
            decision = rejected(q, "it is part of the flush that ends the packet", of_payload(q, BROKEN))
        case _ if channel or framing.raw_escape:
            decision = _silent(q)
        case _ if trailer and q.decoder.checks_trailer:
            decision = rejected(q, "the stream's checksum is compared", of_payload(q, BROKEN))
        case Bit.LAST if trailer:
            decision = unnoticed(q, f"it is part of a checksum that receiver {q.receiver.peer} does not compare")
        case _:
            decision = _silent(q)
    return decision


def _payload(q: Question, deed: Payload) -> Decision:
    assert q.fault is not None
    framing = q.receiver.framing
    if framing.raw_pages:
        if deed is Payload.GARBAGE:
            return rejected(q, "it is read as a header", out_of_step(q))
        return beyond(q)
    if framing.length_table:
        return rejected(q, "the lengths do not add up to it", of_payload(q, TABLE))
    match framing.scope:
        case Scope.CHANNEL:
            return _of_stream(q, deed)
        case _:
            return _of_member(q, deed)


def _of_stream(q: Question, deed: Payload) -> Decision:
    assert q.fault is not None
    zstd = q.receiver.framing.container is Container.ZSTD
    last = nothing_follows(q.fault)
    match deed:
        case Payload.ENDED if zstd and last:
            decision = unnoticed(q, "nothing follows")
        case Payload.ENDED if zstd:
            decision = rejected(q, "what follows is no frame", of_payload(q, NOT_A_STREAM))
        case Payload.ENDED:
            error = of_payload(q, "inflate returned 1 instead of Z_OK")
            decision = rejected(q, "a receiver goes on reading one stream", error)
        case Payload.GARBAGE:
            decision = rejected(q, "it is read as a part of the stream", of_payload(q, BROKEN))
        case Payload.SHORT if not zstd and last:
            decision = unnoticed(q, "all pages are there before the flush that is cut, and nothing follows")
        case Payload.SHORT if not zstd:
            decision = rejected(q, "what follows is read as the rest of the flush", of_payload(q, BROKEN))
        case _:
            decision = rejected(q, "the stream gives fewer pages", of_payload(q, WRONG_SIZE))
    return decision


def _of_member(q: Question, deed: Payload) -> Decision:
    container, decoder = q.receiver.framing.container, q.decoder
    alone = container is not Container.FOUR_B and container not in decoder.members and not decoder.checks_end
    match deed:
        case Payload.SHORT | Payload.NO_TRAILER if container is Container.ZLIB and not decoder.needs_trailer:
            return unnoticed(q, f"receiver {q.receiver.peer} needs no trailer of zlib")
        case Payload.SHORT if container is Container.RAW and not decoder.needs_end:
            return unnoticed(q, f"receiver {q.receiver.peer} needs no end where all output is there")
        case Payload.GARBAGE | Payload.TWICE if alone:
            return unnoticed(q, f"receiver {q.receiver.peer} does not look behind the first stream")
        case Payload.GARBAGE | Payload.TWICE:
            return rejected(q, "there is more than one stream", of_payload(q, f"{BROKEN}|{WRONG_SIZE}|header"))
        case _:
            return rejected(q, "the stream does not come to its end", of_payload(q, INCOMPLETE))


def _lengths(q: Question, deed: Lengths) -> str:
    if deed is Lengths.SHIFTED and not q.receiver.framing.raw_escape:
        return f"{BROKEN}|{NOT_A_STREAM}"
    return TABLE
