"""Real QEMU as the oracle knows it: what it emits and accepts, and the words in which it refuses."""

from __future__ import annotations

import re

import pytest

from multifd.framing.coder import EncoderCapability
from multifd.framing.container import Container
from multifd.framing.model import framing
from multifd.oracle.ability import cannot_read, cannot_send
from multifd.oracle.predict import predict
from multifd.oracle.qemu import decoder_of, encoder_of, says
from multifd.oracle.question import Question, Side
from multifd.wire.dialect import dialect
from tests.oracle.builder import ONE_SHOT, STREAMING, ask, encoder

METHODS = ("none", "zlib", "zstd", "qpl", "uadk", "qatzip")


def side(method: str, version: str) -> Side:
    return Side("qemu", framing(method), dialect(version), qemu=True)


# Capabilities


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_read_by_the_same_qemu(method: str) -> None:
    question = ask(method, by=encoder_of([method]), to=decoder_of([method]))

    assert predict(question).outcome == "identical"


@pytest.mark.parametrize("method", METHODS[1:])
def test_a_binary_without_a_method_neither_emits_nor_accepts_it(method: str) -> None:
    others = [other for other in METHODS if other not in (method, "uadk" if method == "zlib" else "zlib")]

    container = framing(method).container
    assert cannot_send(encoder_of(others), framing(method), 4096) == f"it cannot emit container {container}"
    assert cannot_read(decoder_of(others), framing(method)) == f"it cannot read container {container}"


ACCEPTED = {
    "zlib flushed at every page": ask("zlib-sync-page", "zlib", to=decoder_of(["zlib"])),
    "zlib of a smaller window": ask("zlib", by=encoder(12), to=decoder_of(["zlib"])),
    "qpl from any DEFLATE": ask("qpl", by=STREAMING, to=decoder_of(["qpl"])),
    "plain gzip for qatzip": ask("gzip-packet", "qatzip", by=ONE_SHOT, to=decoder_of(["qatzip"])),
    "several members for qatzip": ask("qatzip", by=encoder(15, member=65536), to=decoder_of(["qatzip"])),
}
REFUSED = {
    "a new zlib stream for every packet": (ask("zlib-packet", "zlib", to=decoder_of(["zlib"])), "stream-ends"),
    "raw DEFLATE for qatzip": (ask("raw-packet", "qatzip", to=decoder_of(["qatzip"])), "container"),
}


@pytest.mark.parametrize("question", ACCEPTED.values(), ids=list(ACCEPTED))
def test_what_the_decoders_take_besides_what_the_encoders_make(question: Question) -> None:
    assert predict(question).outcome == "identical"


@pytest.mark.parametrize(("window", "outcome"), [(27, "identical"), (28, "rejected")])
def test_a_zstd_frame_may_have_a_window_of_128_mib_and_no_more(window: int, outcome: str) -> None:
    frames = EncoderCapability(frozenset({Container.ZSTD}), streaming=True, windows=frozenset({window}), reach=window)

    assert predict(ask("zstd", by=frames, to=decoder_of(["zstd"]))).outcome == outcome


@pytest.mark.parametrize("method", METHODS)
def test_a_decoder_checks_trailers_and_takes_any_window_that_a_zlib_header_announces(method: str) -> None:
    decoder = decoder_of([method])

    assert (decoder.checks_trailer, decoder.header_window) == (True, False)


@pytest.mark.parametrize(("question", "rule"), REFUSED.values(), ids=list(REFUSED))
def test_what_they_do_not_take(question: Question, rule: str) -> None:
    assert (predict(question).outcome, predict(question).rule) == ("rejected", rule)


# Words

OLD, NEW = "qemu-5.0", "qemu-10.0"
INVALID = "qemu-system-x86_64: load of migration failed: Invalid argument"
SAID = [
    ("flags", "zlib", NEW, "multifd 0: flags received 4 flags expected 2"),
    ("flags", "zlib", OLD, INVALID),
    ("stream-ends", "zlib", NEW, "multifd 1: inflate returned 1 instead of Z_OK"),
    ("stream-ends", "zlib", OLD, INVALID),
    ("container", "zstd", NEW, "multifd 0: decompressStream returned Unknown frame descriptor"),
    ("container", "qatzip", NEW, "multifd 0: qzDecompress failed: -4"),
    ("channels", "zlib", NEW, "multifd: received channel id 2 exceeds channel count 2"),
    ("channels", "zlib", OLD, "multifd: received id '2' already setup'"),
    ("channels", "zlib", OLD, INVALID),
]


@pytest.mark.parametrize(("rule", "method", "version", "words"), SAID)
def test_what_a_receiver_says_where_a_rule_refuses(rule: str, method: str, version: str, words: str) -> None:
    ours = r"multifd \d+: flags received 4 flags expected 2"

    expected = says(side(method, version), rule, ours)

    assert expected is not None
    assert re.search(expected, words)


@pytest.mark.parametrize(("rule", "method"), [("flags", "zlib"), ("stream-ends", "zlib"), ("container", "zstd")])
def test_a_new_receiver_says_more_than_that_it_failed(rule: str, method: str) -> None:
    expected = says(side(method, NEW), rule, "flags received 4 flags expected 2")

    assert expected is not None
    assert not re.search(expected, INVALID)


@pytest.mark.parametrize("version", [OLD, NEW])
def test_nothing_said_is_no_refusal(version: str) -> None:
    for rule, method, _, _ in SAID:
        assert not re.search(says(side(method, version), rule, "flags received") or "", "no message")
