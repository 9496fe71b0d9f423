"""Real QEMU: what its encoders emit, what its decoders accept, and what it says when it refuses.

Capabilities follow from the methods that a binary offers. QEMU's decoders take more than its encoders make:

========  ========================================================================================
method    what the decoder takes besides what the encoder makes (QEMU 10.2)
========  ========================================================================================
zlib      any level, window and flush; not a new stream per packet
zstd      a frame per packet or page, checksums, windows up to 128 MiB (``ZSTD_d_windowLogMax``)
qpl       any raw DEFLATE within a page
qatzip    any number of members, plain gzip
========  ========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container
from multifd.framing.model import framing
from multifd.oracle.consequence import ENDS_EARLY
from multifd.oracle.decision import Decision
from multifd.oracle.link import MAIN_BREAKS
from multifd.oracle.question import Question
from multifd.oracle.rules import BEFORE, RULES
from multifd.oracle.words import Cause, nothing
from multifd.wire.dialect import ZeroPages
from multifd.wire.fault import Bit, Ends, Lengths, Payload

_ZSTD_WINDOW: Final = 27
_GZIP: Final = frozenset({Container.GZIP, Container.GZIP_EXT})


def encoder_of(methods: Iterable[str]) -> EncoderCapability:
    """What a QEMU with these methods emits."""
    framings = [framing(method) for method in methods]
    return EncoderCapability(
        frozenset(f.container for f in framings),
        streaming=True,
        windows=frozenset(f.window for f in framings),
        reach=19,
    )


def decoder_of(methods: Iterable[str]) -> DecoderCapability:
    """What a QEMU with these methods accepts."""
    containers = frozenset(framing(method).container for method in methods)
    return DecoderCapability(
        containers, streaming=True, window=_ZSTD_WINDOW, header_window=False,
        members=containers & (_GZIP | {Container.ZSTD}), checks_trailer=True,
    )  # fmt: skip


TELLS_NOT: Final = "load of migration failed: (Invalid argument|Input/output error)|Not a migration stream"
"""What a receiver before 9.0 says, whatever a channel refuses: the main thread's word, for the channel's own error is
dropped (``multifd_recv_terminate_threads`` sets it, nobody prints it). The one error that several causes share."""
WORDS: Final[Mapping[tuple[str, Cause], str]] = {
    ("zlib", Cause.ENDS): "inflate returned 1 instead of Z_OK",
    ("zlib", Cause.TABLE): "inflate returned -3 instead of Z_OK",
    ("qatzip", Cause.CONTAINER): "qzDecompress failed",
}
"""What the decoder of a method says of a payload that it refuses (``migration/multifd-<method>.c``, 10.2), for each
cause that can be: under the flags of the others travels nothing but what they read."""
_LATER: Final[Mapping[str, str]] = {
    "init-magic": r"unknown channel magic: \d+",  # 11.1.3, where main's and channels' magics are told apart first
    "init-id": r"multifd: received channel id \d+ exceeds channel count \d+",  # 11.1.3
    "zero-with-size": r"multifd \d+: expected empty packet",  # 10.0.13, 11.1.3; 10.0.2 asserts
    "packet-size": r"multifd \d+: next_packet_size \d+ exceeds allocated \d+",  # 10.0.13, 11.1.3
}
"""What versions of dialect qemu-10.0 say in other words than its first one, 10.0.2, by fault (measured)."""


def says(question: Question, rule: str, decision: Decision) -> str:
    """What a real QEMU says where a rule refuses, a regular expression."""
    receiver, error = question.receiver, decision.error or ""
    if rule in BEFORE:
        return error
    old = receiver.dialect.zero_pages is ZeroPages.MAIN
    if rule in ("link", "channels"):
        further = (MAIN_BREAKS, *(() if old else _complaints(question))) if rule == "channels" else ()
        return "|".join((error, *further, *((TELLS_NOT,) if old else ())))
    if old:
        return TELLS_NOT
    fault = question.fault
    if rule == "fault" and fault is not None and not isinstance(fault.deed, Bit | Payload | Lengths):
        later = ENDS_EARLY if isinstance(fault.deed, Ends) else _LATER.get(fault.name)
        return f"{error}|{later}" if later is not None else error
    if decision.cause is None:
        return error
    method = receiver.framing.travels_as
    return WORDS.get((method, decision.cause)) or nothing(f"QEMU's {method} has no words for {decision.cause!s}")


def _complaints(question: Question) -> Iterator[str]:
    """A channel that was accepted before the one too many may be the first to complain, of its first packet."""
    alone = replace(question, channels=(question.channels[0],) * 2)
    for rule in RULES:
        decision = rule.decide(alone)
        if decision is not None:
            if decision.outcome == "rejected":
                yield says(alone, rule.name, decision)
            return
