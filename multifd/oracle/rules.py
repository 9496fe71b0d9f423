"""The rules, in the order in which a packet meets them: what a receiver looks at, byte by byte, as it comes in.

They are asked about pairings that can be tried: what a peer cannot do at all is no question (:mod:`.ability`).

A rule sees a question and says ``None`` (it does not decide: go on) or what follows. The first rule that decides
ends the chain; if none does, memory must be identical. Removing or inverting any of them must make real cells
disagree with the prediction (tests/oracle/test_mutation.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from multifd.framing.container import Container
from multifd.framing.model import Flush, Framing, Scope
from multifd.oracle.question import Question
from multifd.result.record import Outcome
from multifd.wire.dialect import ZeroPages
from multifd.wire.packet import PACKET_SIZE

_LARGEST_WINDOW: Final = 15
"""Bits of the farthest distance that DEFLATE has (RFC 1951, section 2)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule decides: the outcome, why, and the error to expect (regular expression)."""

    outcome: Outcome
    because: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, what it guards (shown when it holds), and the decision."""

    name: str
    holds: str
    decide: Callable[[Question], Decision | None]


def _fault(q: Question) -> Decision | None:
    if q.fault is None:
        return None
    error = q.fault.error(q.receiver.dialect, q.receiver.framing.travels_as)
    return Decision("rejected", q.fault.why, error) if error else None


def _channels(q: Question) -> Decision | None:
    sent, expected = q.channels
    if sent == expected:
        return None
    return Decision(
        "rejected",
        f"the sender opens {sent} channels, the receiver waits for {expected}",
        r"received channel id \d+|received id '\d+' already setup|Extra incoming migration connection",
    )


def _flags(q: Question) -> Decision | None:
    sent = q.sender.dialect.flag(q.sender.framing.travels_as)
    expected = q.receiver.dialect.flag(q.receiver.framing.travels_as)
    received = sent & q.receiver.dialect.mask
    if received == expected:
        return None
    return Decision(
        "rejected",
        f"flags {sent:#x} under the mask {q.receiver.dialect.mask:#x} of {q.receiver.dialect.name} are {received:#x};"
        f" {q.receiver.framing.name} expects {expected:#x}",
        rf"multifd \d+: flags received {received:x} flags expected {expected:x}",
    )


def _hidden_flag(q: Question) -> Decision | None:
    sent = q.sender.dialect.flag(q.sender.framing.travels_as)
    mask = q.receiver.dialect.mask
    if not sent & ~mask:
        return None
    return Decision(
        "hazard",
        f"the mask {mask:#x} of {q.receiver.dialect.name} hides the flag {sent:#x} of {q.sender.framing.name}: the"
        f" receiver takes the payload for {q.receiver.framing.name} and writes garbage pages",
    )


def _readable_container(sent: Container, read: Container) -> bool:
    # gzip-ext is gzip with an extra field (RFC 1952, section 2.3.1), and a gzip decoder reads both.
    gzip = {Container.GZIP, Container.GZIP_EXT}
    return sent is read or (sent in gzip and read in gzip)


def _layout(q: Question) -> Decision | None:
    sent, read = q.sender.framing, q.receiver.framing
    if sent.length_table == read.length_table and sent.raw_pages == read.raw_pages:
        return None
    return Decision(
        "rejected",
        f"{sent.name} sends {_table(sent)}, {read.name} expects {_table(read)}",
        "length table" if read.length_table else _UNREADABLE[read.container],
    )


def _table(framing: Framing) -> str:
    return "a length table before the pages" if framing.length_table else "no length table"


_UNREADABLE: Final = {
    Container.RAW: r"invalid|incomplete or truncated|after the end of the stream|size received|failed",
    Container.ZLIB: r"incorrect header check|unknown compression method|wrapper specifies|failed",
    Container.GZIP: r"incorrect header check|wrapper specifies|failed",
    Container.GZIP_EXT: r"incorrect header check|wrapper specifies|failed",
    Container.FOUR_B: "4B header: length is|failed",
    Container.ZSTD: "Unknown frame descriptor|decompress",
    Container.NONE: "size received",
}
"""What a reader of a container says of bytes that are something else."""


def _container_mismatch(q: Question) -> Decision | None:
    sent, read = q.sender.framing.container, q.receiver.framing.container
    if _readable_container(sent, read):
        return None
    return Decision(
        "rejected",
        f"a reader of container {read} is given container {sent}",
        _UNREADABLE[read],
    )


def _ends_where_it_goes_on(q: Question) -> Decision | None:
    if q.receiver.framing.scope is not Scope.CHANNEL or q.sender.framing.flush is not Flush.FINISH:
        return None
    if q.receiver.framing.container is Container.ZSTD:
        return None  # libzstd goes on with the next frame
    return Decision(
        "rejected",
        f"{q.sender.framing.name} ends its stream with every {q.sender.framing.scope},"
        f" {q.receiver.framing.name} reads one stream for the whole channel",
        "inflate returned 1 instead of Z_OK",
    )


def _goes_on_where_it_ends(q: Question) -> Decision | None:
    if q.sender.framing.scope is not Scope.CHANNEL or q.receiver.framing.scope is Scope.CHANNEL:
        return None
    return Decision(
        "rejected",
        f"{q.sender.framing.name} never ends its stream, {q.receiver.framing.name} expects one that does",
        r"incomplete or truncated stream|failed",
    )


def _receiver_streaming(q: Question) -> Decision | None:
    if q.receiver.framing.scope is not Scope.CHANNEL or q.decoder.streaming:
        return None
    return Decision(
        "rejected",
        f"receiver {q.receiver.peer} reads only complete streams, and {q.receiver.framing.name} never ends one",
        rf"{re.escape(q.receiver.peer.split('[')[0])}.*failed",
    )


def _members(q: Question) -> Decision | None:
    framing, piece = q.sender.framing, q.encoder.member
    if piece is None or framing.scope is Scope.CHANNEL or framing.container in (Container.RAW, Container.NONE):
        return None
    whole = q.page_size if framing.scope is Scope.PAGE else PACKET_SIZE
    if whole <= piece:
        return None
    if q.receiver.framing.container in q.decoder.members:
        return _small_members(q, piece)
    return Decision(
        "rejected",
        f"sender {q.sender.peer} begins a new member every {piece} bytes,"
        f" receiver {q.receiver.peer} reads the first member of {q.receiver.framing.container} only",
        r"size received|decompressed len|after the end of the stream|4B header: length is|failed",
    )


def _small_members(q: Question, piece: int) -> Decision | None:
    taken = q.decoder.member
    if q.receiver.framing.container is not Container.FOUR_B or taken is None or piece >= taken:
        return None
    return Decision(
        "rejected",
        f"sender {q.sender.peer} begins a new member every {piece} bytes,"
        f" receiver {q.receiver.peer} has room for one every {taken}",
        "QZ_BUF_ERROR",
    )


def _window(q: Question) -> Decision | None:
    framing = q.sender.framing
    if framing.raw_pages or (framing.raw_escape and not q.encoder.shrinks):
        return None  # every page travels as it is
    announced = q.encoder.limit(framing.window) or max(q.encoder.windows, default=_LARGEST_WINDOW)
    if announced <= q.decoder.window:
        return None
    if q.decoder.header_window and framing.container is Container.ZLIB:
        return Decision(
            "rejected",
            f"the zlib header announces a window of {1 << announced} bytes,"
            f" receiver {q.receiver.peer} accepts at most {1 << q.decoder.window}",
            "invalid window size",
        )
    farthest = 1 << min(announced, q.encoder.reach) if q.encoder.shrinks else 0
    if framing.scope is Scope.PAGE or (framing.flush is Flush.PAGE and q.encoder.forgets):
        farthest = min(farthest, q.page_size)
    if farthest <= 1 << q.decoder.window:
        return None
    return Decision(
        "rejected",
        f"distances reach {farthest} bytes, receiver {q.receiver.peer} accepts at most {1 << q.decoder.window}",
        r"distance|decompressed len",
    )


def _zero_pages(q: Question) -> Decision | None:
    if q.zero_pages is ZeroPages.MAIN or q.receiver.dialect.zero_pages is ZeroPages.PACKET:
        return None
    if not q.becomes_zero:
        return None
    return Decision(
        "hazard",
        f"{q.sender.dialect.name} announces zero pages in packets, a receiver of {q.receiver.dialect.name} ignores"
        " that field: a page that becomes zero after its first transfer keeps its old content",
    )


RULES: Final = (
    Rule("fault", "nothing is changed on the way that a receiver looks at", _fault),
    Rule("channels", "both sides were told the same number of channels", _channels),
    Rule("flags", "the flags are those that the receiving method expects, under its mask", _flags),
    Rule("hidden-flag", "the receiver's mask shows all of the sender's flag", _hidden_flag),
    Rule("layout", "both sides agree on a length table before the pages", _layout),
    Rule("container", "what is sent is what is read", _container_mismatch),
    Rule("stream-ends", "the stream does not end where the reader goes on", _ends_where_it_goes_on),
    Rule("stream-goes-on", "the stream ends where the reader expects it to", _goes_on_where_it_ends),
    Rule("receiver-streaming", "the receiver takes streams that go on across packets", _receiver_streaming),
    Rule("window", "distances and announced window are within the receiver's", _window),
    Rule("members", "the receiver reads as many members as the sender writes", _members),
    Rule("zero-pages", "the receiver looks for zero pages where the sender puts them", _zero_pages),
)
"""All rules in order."""
