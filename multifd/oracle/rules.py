"""The rules, in the order in which a packet meets them: what a receiver looks at, byte by byte, as it comes in.

They are asked about pairings that can be tried: what a peer cannot do at all is no question (:mod:`.ability`).

A rule sees a question and says ``None`` (it does not decide: go on) or what follows. The first rule that decides
ends the chain; if none does, memory must be identical. Where several would decide, what they come to must not depend on
who is first (:mod:`.meetings`): the number of channels is counted in the main thread while the channels' own threads
read what has come and write pages. Removing or inverting any of them must make real cells
disagree with the prediction (tests/oracle/test_mutation.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from multifd.framing.container import Container
from multifd.framing.model import Flush, Framing, Scope
from multifd.oracle.decision import Decision
from multifd.oracle.fault import follows
from multifd.oracle.link import over
from multifd.oracle.question import Question, Step
from multifd.oracle.refusal import refused
from multifd.oracle.trust import distrusted, interrupted
from multifd.oracle.words import Cause
from multifd.result.record import Setting
from multifd.wire.dialect import ZeroPages

_LARGEST_WINDOW: Final = 15
"""Bits of the farthest distance that DEFLATE has (RFC 1951, section 2)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, what it guards (shown when it holds), and the decision."""

    name: str
    holds: str
    decide: Callable[[Question], Decision | None]
    held: Step = field(init=False)
    """The link in a chain of reasons where it does not decide."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "held", Step(self.name, True, self.holds))


def _fault(q: Question) -> Decision | None:
    decision = follows(q) if q.fault is not None else None
    return decision if decision is not None and decision.outcome != "identical" else None


def _channels(q: Question) -> Decision | None:
    sent, expected = q.channels
    if sent == expected:
        return None
    return Decision(
        "rejected",
        f"the sender opens {sent} channels, the receiver waits for {expected}",
        "|".join((*_too_high(range(expected, sent)), "Extra incoming migration connection")),
    )


def _too_high(ids: Collection[int]) -> Iterator[str]:
    if ids:
        numbers = "|".join(map(str, ids))
        yield rf"received channel id ({numbers}) "
        yield rf"received id '({numbers})' already setup"


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
    if not sent & ~mask or sent & mask != q.receiver.dialect.flag(q.receiver.framing.travels_as):
        return None
    setting = _set(q, "multifd-compression", q.sender.framing.travels_as, q.defaults.method if q.defaults else None)
    return Decision(
        "hazard",
        f"{_with(setting)}the mask {mask:#x} of {q.receiver.dialect.name} hides the flag {sent:#x} of"
        f" {q.sender.framing.name}: the receiver takes the payload for {q.receiver.framing.name} and writes garbage"
        " pages",
        setting=setting,
    )


def _readable_container(sent: Container, read: Container) -> bool:
    # gzip-ext is gzip with an extra field (RFC 1952, section 2.3.1), and a gzip decoder reads both.
    gzip = {Container.GZIP, Container.GZIP_EXT}
    return sent is read or (sent in gzip and read in gzip)


def _refused(because: str, cause: Cause) -> Decision:
    return Decision("rejected", because, cause=cause)


def _layout(q: Question) -> Decision | None:
    sent, read = q.sender.framing, q.receiver.framing
    if sent.length_table == read.length_table and sent.raw_pages == read.raw_pages:
        return None
    return _refused(
        f"{sent.name} sends {_table(sent)}, {read.name} expects {_table(read)}",
        Cause.NO_TABLE if read.length_table else Cause.TABLE,
    )


def _table(framing: Framing) -> str:
    return "a length table before the pages" if framing.length_table else "no length table"


def _container_mismatch(q: Question) -> Decision | None:
    sent, read = q.sender.framing.container, q.receiver.framing.container
    if _readable_container(sent, read):
        return None
    return _refused(f"a reader of container {read} is given container {sent}", Cause.CONTAINER)


def _window(q: Question) -> Decision | None:
    framing = q.sender.framing
    if framing.raw_pages or (framing.raw_escape and not q.encoder.shrinks):
        return None  # every page travels as it is
    announced = q.encoder.limit(framing.window) or max(q.encoder.windows, default=_LARGEST_WINDOW)
    if announced <= q.decoder.window:
        return None
    if q.decoder.header_window and framing.container is Container.ZLIB:
        return _refused(
            f"the zlib header announces a window of {1 << announced} bytes,"
            f" receiver {q.receiver.peer} accepts at most {1 << q.decoder.window}",
            Cause.WINDOW,
        )
    if _ends_too_early(q):
        return None  # that is looked for before any distance: libqpl's streams do not tell
    farthest = 1 << min(announced, q.encoder.reach) if q.encoder.shrinks else 0
    if framing.scope is Scope.PAGE or (framing.flush is Flush.PAGE and q.encoder.forgets):
        farthest = min(farthest, q.page_size)
    if farthest <= 1 << q.decoder.window:
        return None
    return _refused(
        f"distances reach {farthest} bytes, receiver {q.receiver.peer} accepts at most {1 << q.decoder.window}",
        Cause.DISTANCE,
    )


def _ends_too_early(q: Question) -> bool:
    sent, read = q.sender.framing, q.receiver.framing
    if read.scope is not Scope.CHANNEL or not q.decoder.streaming or sent.flush is not Flush.FINISH:
        return False  # one without streams reads every packet as if it were complete
    return read.container is not Container.ZSTD  # libzstd goes on with the next frame


def _ends_where_it_goes_on(q: Question) -> Decision | None:
    if not _ends_too_early(q):
        return None
    sent, read = q.sender.framing, q.receiver.framing
    return _refused(
        f"{sent.name} ends its stream with every {sent.scope}, {read.name} reads one stream for the whole channel",
        Cause.ENDS,
    )


def _goes_on_where_it_ends(q: Question) -> Decision | None:
    sent, read = q.sender.framing, q.receiver.framing
    if sent.scope is not Scope.CHANNEL or read.scope is Scope.CHANNEL:
        return None
    return _begins_anew(q, f"{sent.name} never ends its stream, {read.name} expects one that does")


def _receiver_streaming(q: Question) -> Decision | None:
    sent, read = q.sender.framing, q.receiver.framing
    if sent.scope is not Scope.CHANNEL or read.scope is not Scope.CHANNEL or q.decoder.streaming:
        return None
    return _begins_anew(q, f"receiver {q.receiver.peer} reads only complete streams, and {sent.name} never ends one")


def _begins_anew(q: Question, because: str) -> Decision | None:
    """What becomes of a stream that goes on where every packet is read by itself."""
    if q.decoder.needs_end:
        return _refused(because, Cause.NO_END)
    if q.goes_on:
        return _refused(f"{because}; the first packet is read all the same, the second has no header", Cause.NO_HEADER)
    return None


def _members(q: Question) -> Decision | None:
    piece = q.encoder.member
    if piece is None or q.members == 1:
        return None
    if q.receiver.framing.container in q.decoder.members:
        return _small_members(q, piece)
    return _refused(
        f"sender {q.sender.peer} begins a new member every {piece} bytes,"
        f" receiver {q.receiver.peer} reads the first member of {q.receiver.framing.container} only",
        Cause.MEMBERS,
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


def _zero_pages(q: Question) -> Decision | None:
    if q.zero_pages is not ZeroPages.PACKET or q.receiver.dialect.zero_pages is ZeroPages.PACKET:
        return None
    if not q.becomes_zero:
        return None
    setting = _set(q, "zero-page-detection", "multifd", q.defaults.zero_pages if q.defaults else None)
    return Decision(
        "hazard",
        f"{_with(setting)}{q.sender.dialect.name} announces zero pages in packets, a receiver of"
        f" {q.receiver.dialect.name} ignores that field: a page that becomes zero after its first transfer keeps its"
        " old content",
        setting=setting,
    )


def _set(q: Question, name: str, value: str, default: str | None) -> tuple[Setting, ...]:
    """A setting that it takes, none where that is the default."""
    return (Setting(name=name, value=value, default=default, machine=q.machine),) if value != default else ()


def _with(settings: Iterable[Setting]) -> str:
    """The beginning of a reason."""
    return "".join(f"with {setting}: " for setting in settings)


RULES: Final = (
    Rule("told", "each QEMU takes what it is told", refused),
    Rule("trust", "both ends speak TLS or neither, and let each other in", distrusted),
    Rule("interrupted", "nobody dies at the handshake", interrupted),
    Rule("link", "connections come and go as they should, or nobody minds", over),
    Rule("fault", "the sender does nothing wrong that has consequences", _fault),
    Rule("hidden-flag", "the mask does not make the sender's flag one that the receiver expects", _hidden_flag),
    Rule("channels", "both sides were told the same number of channels", _channels),
    Rule("flags", "the flags are those that the receiving method expects, under its mask", _flags),
    Rule("layout", "both sides agree on a length table before the pages", _layout),
    Rule("container", "what is sent is what is read", _container_mismatch),
    Rule("window", "distances and announced window are within the receiver's", _window),
    Rule("stream-ends", "the stream does not end where the reader goes on", _ends_where_it_goes_on),
    Rule("stream-goes-on", "the stream ends where the reader expects it to", _goes_on_where_it_ends),
    Rule("receiver-streaming", "the receiver takes streams that go on across packets", _receiver_streaming),
    Rule("members", "the receiver reads as many members as the sender writes", _members),
    Rule("zero-pages", "the receiver looks for zero pages where the sender puts them", _zero_pages),
)
"""All rules in order."""
BEFORE: Final = ("told", "trust", "interrupted")
"""Rules of what happens before anything is sent: whoever refuses, it says why."""
