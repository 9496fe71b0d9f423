"""The rules one by one, and what they make of the questions of the thread that started all this."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, NamedTuple

import pytest

from multifd.oracle.predict import predict
from multifd.oracle.question import Question
from multifd.oracle.rules import RULES
from multifd.qemu.tls import Interruption, Tls
from multifd.result.record import Outcome
from multifd.wire.link import Boundary, Cut, Link, Order, Stranger
from multifd.wire.packet import PACKET_SIZE
from tests.oracle.builder import (
    DEFLATE,
    FORGETS,
    IAA,
    KEEPS_CLOSE,
    ONE_SHOT,
    PLAIN,
    QAT,
    READS_4K_HEADERS,
    READS_COMPLETE,
    READS_IAA,
    READS_IAA_STREAMS,
    READS_PIECES,
    READS_PLAIN,
    READS_QPL,
    READS_ZSTD,
    STORING,
    ZSTD,
    ask,
    decoder,
    encoder,
    telling,
)

AT: Final = " (channel 0, packet 2, RAM block pc.ram, byte 2752;"
"""Where the first payload of a recording is."""


class Decided(NamedTuple):
    """A question and what a rule decides of it."""

    rule: str
    question: Question
    outcome: Outcome
    reason: str
    error: str | None
    """As it is seen where such a pairing is run."""
    otherwise: str
    """What would decide if it were not for this rule."""


DECIDES: Final = (
    Decided(
        "told",
        ask("zlib", to_qemu=True, told=(telling("7.2", "qpl"),)),
        "rejected",
        "qemu-7.2.22 is told multifd-compression=qpl, and knows none, zlib, zstd",
        "destination refuses migrate-set-parameters: Parameter 'multifd-compression' does not accept value 'qpl'",
        "all-hold",
    ),
    Decided(
        "trust",
        ask("zlib", to_qemu=True, tls=Tls(hostname="elsewhere.example")),
        "rejected",
        "the destination's certificate is of destination.example, the source expects elsewhere.example",
        "source failed: Certificate does not match the hostname elsewhere.example",
        "all-hold",
    ),
    Decided(
        "interrupted",
        ask("zlib", to_qemu=True, tls=Tls(), interruption=Interruption.SOURCE_KILLED),
        "rejected",
        "the source dies at the handshake, and the destination says so",
        "destination setup: TLS handshake failed: The TLS connection was non-properly terminated.",
        "all-hold",
    ),
    Decided(
        "link",
        ask("zlib", link=Link("a channel is cut", cut=Cut(Boundary.IN_HEADER))),
        "rejected",
        "a channel is cut: what is missing does not come any more",
        "packet header: stream ended after 700 of 1344 bytes",
        "all-hold",
    ),
    Decided(
        "link",
        ask(
            "none",
            by=PLAIN,
            to=READS_PLAIN,
            link=Link("somebody else connects", stranger=Stranger.GARBAGE),
            to_qemu=True,
        ),
        "rejected",
        "somebody else connects: a receiver takes whoever connects for its sender",
        "unknown channel magic: 66051",
        "all-hold",
    ),
    Decided(
        "fault",
        ask("zlib", fault="magic"),
        "rejected",
        "a packet's magic is wrong: it is looked at",
        "multifd: received packet magic 11223345, expected 11223344",
        "all-hold",
    ),
    Decided(
        "hidden-flag",
        ask("qatzip", "none", to=READS_PLAIN, speaking="qemu-9.2", hearing="qemu-5.0"),
        "hazard",
        "with multifd-compression=qatzip: the mask 0xe of qemu-5.0 hides the flag 0x20 of qatzip: the receiver takes"
        " the payload for none and writes garbage pages",
        None,
        "layout",
    ),
    Decided(
        "channels",
        ask("zlib", channels=(3, 2)),
        "rejected",
        "the sender opens 3 channels, the receiver waits for 2",
        "multifd: received channel id 2 exceeds channel count 2",
        "all-hold",
    ),
    Decided(
        "channels",
        ask("none", by=PLAIN, to=READS_PLAIN, channels=(3, 2)),
        "rejected",
        "the sender opens 3 channels, the receiver waits for 2",
        "multifd: received id '2' already setup'",
        "all-hold",
    ),
    Decided(
        "channels",
        ask("zlib", "zstd", to=READS_ZSTD, channels=(2, 3)),
        "rejected",
        "the sender opens 2 channels, the receiver waits for 3",
        "socket_accept_incoming_migration: Extra incoming migration connection; ignoring",
        "flags",
    ),
    Decided(
        "flags",
        ask("qatzip", speaking="rfc-2023", hearing="qemu-9.2"),
        "rejected",
        "flags 0x6 under the mask 0x3e of qemu-9.2 are 0x6; qatzip expects 0x20",
        "multifd 1: flags received 6 flags expected 20",
        "all-hold",
    ),
    Decided(
        "flags",
        ask("zstd", "zlib", by=ZSTD),
        "rejected",
        "flags 0x4 under the mask 0x3e of qemu-10.0 are 0x4; zlib expects 0x2",
        "multifd 1: flags received 4 flags expected 2",
        "container",
    ),
    Decided(
        "layout",
        ask("zlib-packet", "zlib-page"),
        "rejected",
        "zlib-packet[window=15] sends no length table, zlib-page[window=15] expects a length table before the pages",
        "length table: sum is 191935724411, expected 184587 (the bytes that follow)"
        f"{AT} found zlib: 7801bc7d0b9ca317…65f1f7ff)",
        "all-hold",
    ),
    Decided(
        "layout",
        ask("zlib-page", "zlib-packet"),
        "rejected",
        "zlib-page[window=15] sends a length table before the pages, zlib-packet[window=15] expects no length table",
        "zlib: Error -3 while decompressing data: unknown compression method"
        f"{AT} found length table: 00000c9a00000b2d…fb7f1e1e)",
        "all-hold",
    ),
    Decided(
        "container",
        ask("qatzip", "4b-packet"),
        "rejected",
        "a reader of container 4B is given container gzip-ext",
        "4B header: length is 67668767, expected 14347 (the bytes that follow)"
        f"{AT} found gzip-ext: 1f8b080400000000…00000800)",
        "all-hold",
    ),
    Decided(
        "window",
        ask("zlib", to=READS_4K_HEADERS),
        "rejected",
        "the zlib header announces a window of 32768 bytes, receiver R accepts at most 4096",
        "zlib[window=12]: Error -3 while decompressing data: invalid window size"
        f"{AT} found zlib without end: 7801bc7d0b9ca317…0000ffff)",
        "all-hold",
    ),
    Decided(
        "window",
        ask("raw-packet", to=READS_IAA),
        "rejected",
        "distances reach 32768 bytes, receiver R accepts at most 4096",
        "iaa-emulated: qpl job failed with error 217 (QPL_STS_BAD_DIST_ERR): distance 9216 is beyond the history of"
        f" 4096 bytes{AT} found no header: bc7d0b9ca3179bf7…d2d2fe7f)",
        "all-hold",
    ),
    Decided(
        "window",
        ask("qpl", to=decoder(11), to_codec="qpl", page_size=16384),
        "rejected",
        "distances reach 4096 bytes, receiver R accepts at most 2048",
        "qpl: qpl job failed with error 217 (QPL_STS_BAD_DIST_ERR): distance beyond the history of 4096 bytes"
        " (channel 0, packet 2, RAM block pc.ram, page 3, byte 2802; found no header: bc7d0b9ca3179bf7…d2d2fe7f)",
        "all-hold",
    ),
    Decided(
        "window",
        ask("zstd", by=ZSTD, to=decoder(12, containers=READS_ZSTD.containers)),
        "rejected",
        "distances reach 32768 bytes, receiver R accepts at most 4096",
        None,
        "all-hold",
    ),
    Decided(
        "stream-ends",
        ask("zlib-packet", "zlib"),
        "rejected",
        "zlib-packet[window=15] ends its stream with every packet, zlib reads one stream for the whole channel",
        "multifd 1: inflate returned 1 instead of Z_OK (channel 1, packet 3, RAM block pc.ram, byte 2752;"
        " found zlib: 7801bc7d0b9ca317…65f1f7ff)",
        "all-hold",
    ),
    Decided(
        "stream-goes-on",
        ask("zlib", "zlib-packet"),
        "rejected",
        "zlib never ends its stream, zlib-packet[window=15] expects one that does",
        f"zlib: incomplete or truncated stream{AT} found zlib without end: 7801bc7d0b9ca317…0000ffff)",
        "all-hold",
    ),
    Decided(
        "receiver-streaming",
        ask("zlib", to=READS_COMPLETE),
        "rejected",
        "receiver R reads only complete streams, and zlib never ends one",
        f"libdeflate: Decompression failed{AT} found zlib without end: 7801bc7d0b9ca317…0000ffff)",
        "all-hold",
    ),
    Decided(
        "receiver-streaming",
        ask("zlib-sync-page[window=12]", by=encoder(12), to=READS_QPL, to_codec="qpl"),
        "rejected",
        "receiver R reads only complete streams, and zlib-sync-page[window=12] never ends one; the first packet is"
        " read all the same, the second has no header",
        "qpl: qpl job failed with error 104 (QPL_STS_ARCHIVE_HEADER_ERR) (channel 0, packet 4, RAM block pc.ram, byte"
        " 196543; found no header without end: bc7d0b9ca3179bf7…0000ffff)",
        "all-hold",
    ),
    Decided(
        "members",
        ask("qatzip", by=QAT, to=decoder(15, streaming=False, members=frozenset()), to_codec="libdeflate"),
        "rejected",
        "sender S begins a new member every 65536 bytes, receiver R reads the first member of gzip-ext only",
        f"multifd 0: packet size received 65536 size expected 524288{AT} found gzip-ext: 1f8b080400000000…00000100)",
        "all-hold",
    ),
    Decided(
        "members",
        ask("zlib-packet", by=QAT),
        "rejected",
        "sender S begins a new member every 65536 bytes, receiver R reads the first member of zlib only",
        f"zlib: 1234 bytes after the end of the stream{AT} found zlib: 789cbc7d0b9ca317…65f1f7ff)",
        "all-hold",
    ),
    Decided(
        "members",
        ask("4b-packet", by=encoder(15, member=8192), to=READS_PIECES),
        "rejected",
        "sender S begins a new member every 8192 bytes, receiver R has room for one every 65536",
        "qat-emulated: qzDecompress failed: QZ_BUF_ERROR: more than the expected 524288 bytes",
        "all-hold",
    ),
    Decided(
        "zero-pages",
        ask("zlib", hearing="qemu-5.0", becomes_zero=True),
        "hazard",
        "with zero-page-detection=multifd: qemu-10.0 announces zero pages in packets, a receiver of qemu-5.0 ignores"
        " that field: a page that becomes zero after its first transfer keeps its old content",
        None,
        "all-hold",
    ),
)


def case(decided: Decided) -> str:
    question = decided.question
    framings = f"{question.sender.framing.name} to {question.receiver.framing.name}"
    return f"{decided.rule}: {framings}, pages of {question.page_size}"


@pytest.mark.parametrize("decided", DECIDES, ids=case)
def test_a_rule_decides(decided: Decided) -> None:
    prediction = predict(decided.question)

    assert prediction.rule == decided.rule
    assert (prediction.outcome, prediction.reason) == (decided.outcome, decided.reason)


@pytest.mark.parametrize("decided", [row for row in DECIDES if row.error is not None], ids=case)
def test_the_error_that_is_seen_is_the_one_expected(decided: Decided) -> None:
    expected = predict(decided.question).error

    assert expected is not None
    assert re.search(expected, decided.error or "")


@pytest.mark.parametrize("decided", DECIDES, ids=case)
def test_and_it_alone(decided: Decided) -> None:
    prediction = predict(decided.question, [rule for rule in RULES if rule.name != decided.rule])

    assert prediction.rule == decided.otherwise


def test_every_rule_is_in_the_table() -> None:
    assert list(dict.fromkeys(row.rule for row in DECIDES)) == [rule.name for rule in RULES]


NEIGHBOURS: Final = (
    ("link", "a slow link is a link", ask("zlib", link=Link("slow", rate=1))),
    ("link", "so is one that is out of order", ask("zlib", link=Link("reversed", order=Order.MAIN_LAST))),
    ("link", "a channel that has ended is cut", ask("zlib", link=Link("cut", cut=Cut(Boundary.AT_END)))),
    ("link", "who comes last is passed over", ask("zlib", link=Link("one more", stranger=Stranger.LAST))),
    ("fault", "no receiver looks at that bit", ask("zlib", fault="flags-ignored-bit")),
    ("flags", "both know the method by the same flag", ask("zlib", hearing="qemu-5.0")),
    ("flags", "a proposal travels under the flag of a method", ask("zlib-packet", "zlib")),
    ("hidden-flag", "the mask shows it", ask("qatzip", speaking="qemu-9.2", hearing="qemu-10.0")),
    ("hidden-flag", "the flag of zlib is under every mask", ask("zlib", hearing="qemu-5.0")),
    ("layout", "both have a length table", ask("zlib-page[window=12]", "zlib-page[window=15]")),
    ("layout", "the stub is pages as they are", ask("qatzip-stub", "none", by=PLAIN, to=READS_PLAIN)),
    ("container", "gzip with an extra field is gzip (RFC 1952)", ask("qatzip", "gzip-packet")),
    ("container", "and the other way", ask("gzip-packet", "qatzip")),
    ("stream-ends", "a stream per packet for who reads packets", ask("zlib-packet")),
    ("stream-ends", "a stream per packet for who has no streams", ask("zlib-packet", "zlib", to=READS_COMPLETE)),
    ("stream-ends", "a flush on every page ends nothing", ask("zlib-sync-page", "zlib")),
    ("stream-goes-on", "a stream for the channel for who reads one", ask("zlib", "zlib-sync-page")),
    (
        "stream-goes-on",
        "all of its output is enough, and there is no second packet",
        ask("zlib", "zlib-packet", by=encoder(12), to=READS_QPL, goes_on=False),
    ),
    (
        "receiver-streaming",
        "all of its output is enough, and there is no second packet",
        ask("zlib", by=encoder(12), to=READS_QPL, goes_on=False),
    ),
    ("receiver-streaming", "it gets complete streams", ask("zlib-packet", to=READS_COMPLETE)),
    ("members", "a gzip reader goes on with the next member", ask("qatzip", by=QAT)),
    ("window", "what only stores has no distances", ask("raw-packet", by=STORING, to=READS_IAA)),
    ("window", "it keeps closer than its header says", ask("raw-packet", by=KEEPS_CLOSE, to=READS_IAA)),
    ("members", "a stream that goes on has none", ask("zlib", by=encoder(15, member=65536))),
    ("members", "raw has none", ask("raw-packet", by=QAT, to=READS_COMPLETE)),
    ("members", "a page is shorter than a member", ask("uadk", by=QAT, to=READS_COMPLETE)),
    ("members", "a page is exactly one member", ask("uadk", by=encoder(15, member=4096), to=READS_COMPLETE)),
    (
        "members",
        "a page is below the sender's threshold",
        ask("uadk", by=replace(QAT, member=1024, whole_below=4097), to=READS_COMPLETE),
    ),
    (
        "members",
        "a packet is exactly one member",
        ask("zlib-packet", by=encoder(15, member=PACKET_SIZE), to=READS_COMPLETE),
    ),
    ("window", "as large as the receiver's", ask("zlib-packet[window=12]", to=READS_4K_HEADERS)),
    ("members", "as large as the receiver has room for", ask("4b-packet", by=QAT, to=READS_PIECES)),
    ("members", "it says its size", ask("qatzip", by=encoder(15, member=8192), to=READS_PIECES)),
    ("members", "any", ask("4b-packet", by=encoder(15, member=8192), to=decoder(15, members=DEFLATE))),
    ("window", "its flushes forget", ask("zlib-sync-page", by=FORGETS, to=READS_IAA_STREAMS)),
    ("window", "no header, and the page is no farther", ask("qpl", by=ONE_SHOT, to=READS_IAA)),
    ("window", "what only stores is sent raw", ask("uadk", by=STORING, to=READS_4K_HEADERS)),
    ("window", "no window is declared, and none is needed", ask("qpl", by=encoder(streaming=False), to=READS_IAA)),
    ("window", "no window is declared, and DEFLATE has none of more than 32 KiB", ask("zlib-packet", by=encoder())),
    ("window", "pages as they are have no window", ask("none", by=PLAIN, to=READS_PLAIN)),
    ("zero-pages", "the receiver reads packets for them", ask("zlib", becomes_zero=True)),
    (
        "zero-pages",
        "zero-page-detection=legacy",
        ask("zlib", hearing="qemu-5.0", becomes_zero=True, legacy_zero_pages=True),
    ),
    ("zero-pages", "the memory was zero before", ask("zlib", hearing="qemu-5.0")),
    ("zero-pages", "an old sender", ask("zlib", speaking="qemu-5.0", hearing="qemu-10.0", becomes_zero=True)),
)
"""Questions that are close to one that the rule decides, and why it does not decide these."""


@pytest.mark.parametrize(
    "question",
    [
        ask("zlib", by=FORGETS, to=READS_IAA_STREAMS),
        ask("zlib-sync-page", by=FORGETS, to=READS_IAA_STREAMS, page_size=16384),
        ask("zlib-sync-page", to=READS_IAA_STREAMS),
    ],
)
def test_matches_reach_as_far_as_what_stands_between_two_full_flushes(question: Question) -> None:
    assert predict(question).rule == "window"


@pytest.mark.parametrize(
    ("rule", "question"),
    [pytest.param(rule, question, id=f"{rule}: {why}") for rule, why, question in NEIGHBOURS],
)
def test_a_rule_does_not_decide(rule: str, question: Question) -> None:
    steps = {step.rule: step.held for step in predict(question).chain}

    assert steps.get(rule) is True


def test_a_zstd_reader_goes_on_with_the_next_frame() -> None:
    """libzstd, and so QEMU: no framing of ours ends its frames, so none of the table's rows can show it."""
    ends = ask("zlib-packet", "zstd")

    assert next(rule for rule in RULES if rule.name == "stream-ends").decide(ends) is None


THREAD: Final = (
    ("qatzip's output, gzip-ext, into a gzip reader", ask("qatzip", "gzip-packet"), "all-hold"),
    ("qatzip's output into a raw reader", ask("qatzip", "raw-packet"), "container"),
    (
        "QAT under zlib: complete zlib streams into today's reader",
        ask("zlib-packet", "zlib", by=ONE_SHOT),
        "stream-ends",
    ),
    ("today's zlib compresses, IAA reads", ask("zlib", to=READS_IAA), "window"),
    ("today's zlib at 4 KiB compresses, IAA reads", ask("zlib", by=encoder(12), to=READS_IAA), "receiver-streaming"),
    ("a FIRST|LAST job per packet for Z_SYNC_FLUSH", ask("zlib-packet[window=12]", "zlib", by=IAA), "stream-ends"),
    ("option 1: IAA compresses, zlib reads packets", ask("zlib-packet[window=12]", by=IAA), "all-hold"),
    ("option 1 into a zlib reader of 15 bits", ask("zlib-packet[window=12]", "zlib-packet", by=IAA), "all-hold"),
    ("option 1 at 32 KiB into IAA", ask("zlib-packet", to=READS_IAA), "window"),
    ("option 1 at 4 KiB into IAA", ask("zlib-packet[window=12]", to=READS_IAA), "all-hold"),
    ("option 2: zlib compresses pages, IAA reads", ask("zlib-page", to=READS_IAA), "all-hold"),
    ("option 2: IAA compresses pages, zlib reads", ask("zlib-page", by=IAA), "all-hold"),
    ("option 2 with 64 KiB pages into IAA", ask("zlib-page", to=READS_IAA, page_size=65536), "window"),
    ("Z_SYNC_FLUSH on every page, IAA reads", ask("zlib-sync-page", to=READS_IAA), "window"),
    ("and at 4 KiB", ask("zlib-sync-page[window=12]", to=READS_IAA), "receiver-streaming"),
    ("Z_SYNC_FLUSH on every page, today's zlib reads", ask("zlib-sync-page", "zlib"), "all-hold"),
    ("raw deflate at 32 KiB into IAA", ask("raw-packet", to=READS_IAA), "window"),
    ("raw deflate at 4 KiB into IAA", ask("raw-packet[window=12]", to=READS_IAA), "all-hold"),
    ("raw deflate into a gzip reader", ask("raw-packet", "gzip-packet"), "container"),
    ("QEMU's qpl from any deflate", ask("qpl", by=ONE_SHOT, to=READS_IAA), "all-hold"),
    ("the stub: option accepted, NOCOMP sent", ask("qatzip-stub", "qatzip", by=PLAIN), "flags"),
)
"""Sent how and read how, and the rule that decides; ``all-hold`` where memory arrives identical."""


@pytest.mark.parametrize(
    ("question", "rule"), [pytest.param(question, rule, id=text) for text, question, rule in THREAD]
)
def test_the_questions_of_the_thread(question: Question, rule: str) -> None:
    prediction = predict(question)

    assert prediction.rule == rule
    assert prediction.outcome == ("identical" if rule == "all-hold" else "rejected")
