"""What a fault comes to, in words: decisions, the messages of the receiver's generation, and those of decoders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from multifd.framing.model import Scope
from multifd.oracle.decision import Decision
from multifd.oracle.question import Question
from multifd.wire.fault import SENT, Fault, Packet
from multifd.wire.fields import MAGIC

RECORDED: Final = "…"
"""Stands in a message for what the recording decides."""
_SPECIAL: Final = re.compile(r"[.^$*+?()\[\]{}\\|]")
"""Not :func:`re.escape`, which escapes spaces too: predictions are read by people."""
_FAILED: Final = (
    r"qzDecompress(Stream)? failed|inflate returned 1 instead|qpl job failed|Decompression failed|WD_IN_EPARA|4B header"
)
"""What decoders say that say no more."""
WRONG_SIZE: Final = rf"size received|more (output )?than|decompressed len|incomplete|after the end|{_FAILED}"
NOT_A_STREAM: Final = rf"header|wrapper|unknown compression method|Unknown frame|{_FAILED}"
BROKEN: Final = rf"[Ii]nvalid|[Ii]ncorrect|corrupt|size received|incomplete|after the end|{_FAILED}"
INCOMPLETE: Final = rf"incomplete|decompressed len|size received|{_FAILED}"
TABLE: Final = "length table: "
"""What decoders say of what is wrong; the first four of a stream. Where it is: :func:`of_payload`."""
EMPTY_STATE: Final = "multifd: received empty device state packet"
NO_DEVICE: Final = "Unknown idstr vfio or instance id 0 for load state buffer"
ENDS_EARLY: Final = "Unexpected end-of-file"
"""What a real QEMU says of device state (``multifd_device_state_recv``), and of a channel that ends within a packet."""
_INFLATE: Final = "inflate returned -3 instead of Z_OK"
_OF_QEMU: Final[Mapping[str, Mapping[str, str]]] = {
    "zlib": {
        WRONG_SIZE: f"{_INFLATE}|inflate returned -5 instead of Z_OK|inflate generated too few output|size received",
        NOT_A_STREAM: _INFLATE,
        BROKEN: _INFLATE,
    },
    "zstd": {
        WRONG_SIZE: "decompressStream buffer too small",
        NOT_A_STREAM: "decompressStream returned",
        BROKEN: "decompressStream returned",
    },
}
"""How the decoders of a real QEMU put it, by method (migration/multifd-zlib.c and migration/multifd-zstd.c, QEMU 10.0.2
to 11.1.3)."""


def rejected(q: Question, because: str, error: str) -> Decision:
    """A receiver refuses."""
    return Decision("rejected", _reason(q, because), error)


def unnoticed(q: Question, because: str) -> Decision:
    """Memory is right all the same."""
    return Decision("identical", _reason(q, because))


def hazard(q: Question, because: str) -> Decision:
    """Memory is wrong, and nobody says so in time."""
    return Decision("hazard", _reason(q, because))


def _reason(q: Question, because: str) -> str:
    assert q.fault is not None
    return f"{q.fault.why}: {because}"


def said(q: Question, complaint: str, value: object, expected: object) -> str:
    """A message of the receiver's generation as a regular expression; :data:`RECORDED` is any number or uuid."""
    assert q.fault is not None
    template: str = getattr(q.receiver.dialect.wording, complaint)
    open_ends = RECORDED in (value, expected)
    channel = RECORDED if complaint == "init_uuid" and open_ends else q.fault.place.channel
    text = re.sub(r":x\}", "}", template) if open_ends else template
    if open_ends and isinstance(expected, int):
        expected = f"{expected:x}"
    message = text.format(value=value, expected=expected, channel=channel)
    return _SPECIAL.sub(r"\\\g<0>", message).replace(RECORDED, "[0-9a-f-]+")


def of_payload(q: Question, words: str) -> str:
    """What a decoder says, of a payload of the fault's channel and no other.

    A QEMU says the channel first (``multifd %u: ``, migration/multifd-zlib.c, QEMU 10.2), ours last
    (:class:`multifd.errors.Place`); of others nobody knows.
    """
    assert q.fault is not None
    channel = str(q.fault.place.channel)
    if q.fault.deed is Packet.ELSEWHERE:
        channel = f"({channel}|{(q.fault.place.channel + 1) % q.channels[0]})"
    if q.receiver.qemu:
        for said_by_ours, said_by_qemu in _OF_QEMU.get(q.receiver.framing.travels_as, {}).items():
            words = words.replace(said_by_ours, said_by_qemu)
        return f"multifd {channel}: .*({words})"
    return rf"({words}).*\(channel {channel}," if q.receiver.codec is not None else words


def out_of_step(q: Question) -> str:
    """What the next header is then taken for."""
    return said(q, "magic", RECORDED, MAGIC)


def not_sent(q: Question) -> Decision:
    """The pages of a packet and their payload are not there at all."""
    if begins_stream(q):
        return rejected(q, "it begins the channel's stream", of_payload(q, f"{NOT_A_STREAM}|{BROKEN}"))
    return hazard(q, "nobody counts packets or looks at their numbers, its pages keep their old content")


def begins_stream(q: Question) -> bool:
    """The packet that the fault is about is the first of a stream that goes on."""
    assert q.fault is not None
    place = q.fault.place
    return q.receiver.framing.scope is Scope.CHANNEL and (place.round, place.packet) == (1, "first")


def beyond(q: Question) -> Decision:
    """A receiver takes more than was sent."""
    assert q.fault is not None
    if not q.receiver.framing.raw_pages:
        error = of_payload(q, TABLE if q.receiver.framing.length_table else BROKEN)
        return rejected(q, "the next header does not follow then", f"{error}|{out_of_step(q)}")
    if nothing_follows(q.fault):
        return rejected(q, "the stream ends before the last page", "packet payload: stream ended")
    return hazard(q, "a receiver of pages as they are reads whole pages: it takes what follows for one")


def nothing_follows(fault: Fault) -> bool:
    """No packet with pages comes after it on its channel."""
    return fault.place.round == len(SENT) and fault.place.packet == "last"
