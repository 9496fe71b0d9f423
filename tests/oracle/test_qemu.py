"""Real QEMU as the oracle knows it: what it emits and accepts, and the words in which it refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, NamedTuple

import pytest

from multifd.framing.coder import EncoderCapability
from multifd.framing.container import Container
from multifd.framing.model import FRAMINGS, framing
from multifd.oracle.ability import cannot_read, cannot_send
from multifd.oracle.predict import predict
from multifd.oracle.qemu import TELLS_NOT, decoder_of, encoder_of
from multifd.oracle.question import Question
from multifd.wire.dialect import dialect
from tests.oracle.builder import ONE_SHOT, READS_IAA, STREAMING, ask, encoder

METHODS = ("none", "zlib", "zstd", "qpl", "uadk", "qatzip")


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


class Said(NamedTuple):
    """What a receiver said, and of what."""

    cause: str
    question: Question
    words: str


def to_qemu(sent: str, read: str | None = None, *, version: str = NEW, channels: tuple[int, int] = (2, 2)) -> Question:
    method = FRAMINGS[read or sent].travels_as
    return ask(
        sent, read, to=decoder_of([method]), speaking=version, channels=channels, to_qemu=True, to_codec=None
    )  # fmt: skip


SAID: Final = (
    Said("flags", to_qemu("zstd", "zlib"), "multifd 0: flags received 4 flags expected 2"),
    Said("flags", to_qemu("zlib", "zstd"), "multifd 0: flags received 2 flags expected 4"),
    Said("stream-ends", to_qemu("zlib-packet", "zlib"), "multifd 1: inflate returned 1 instead of Z_OK"),
    Said("layout", to_qemu("zlib-page", "zlib"), "multifd 1: inflate returned -3 instead of Z_OK"),
    Said("container", to_qemu("raw-packet", "qatzip"), "multifd 0: qzDecompress failed: -4"),
    Said(
        "channels",
        to_qemu("zlib", channels=(3, 2)),
        "multifd: received channel id 2 is greater than number of channels 2",
    ),
    Said(
        "channels",
        to_qemu("zlib", channels=(2, 3)),
        "socket_accept_incoming_migration: Extra incoming migration connection; ignoring",
    ),
)
"""Of receivers from 9.0 on, by cause; what they say of faults has tests of its own."""


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said.cause}: {said.words[-24:]}")
def test_of_all_that_is_said_only_what_the_cause_makes_them_say_is_expected(said: Said) -> None:
    expected = predict(said.question).error

    assert expected is not None
    assert re.search(expected, said.words)
    assert {other.cause for other in SAID if re.search(expected, other.words)} == {said.cause}


@pytest.mark.parametrize(
    "words",
    ["multifd: received id '2' already setup'", "multifd: received channel id 2 exceeds channel count 2", INVALID],
)
def test_an_old_receiver_has_three_ways_to_say_that_there_are_too_many_channels(words: str) -> None:
    expected = predict(to_qemu("zlib", version=OLD, channels=(3, 2))).error

    assert expected is not None
    assert re.search(expected, words)


def test_where_flags_are_wrong_besides_the_number_of_channels_either_may_be_seen_first() -> None:
    expected = predict(to_qemu("zstd", "zlib", channels=(3, 2))).error

    assert expected is not None
    assert re.search(expected, "multifd 0: flags received 4 flags expected 2")
    assert not re.search(expected, "multifd 0: flags received 6 flags expected 2")


@pytest.mark.parametrize("said", [said for said in SAID if said.cause in ("flags", "stream-ends", "layout")])
def test_a_receiver_before_9_0_says_one_thing_of_them_all(said: Said) -> None:
    spoken = dialect(OLD)
    question = said.question
    old = replace(
        question,
        sender=replace(question.sender, dialect=spoken),
        receiver=replace(question.receiver, dialect=spoken),
    )

    assert predict(old).error == TELLS_NOT
    assert re.search(TELLS_NOT, INVALID)


def test_a_new_receiver_says_more_than_that_it_failed() -> None:
    assert not [said.cause for said in SAID if re.search(predict(said.question).error or "", INVALID)]


def test_a_refusal_for_which_no_qemu_has_words_is_never_the_one_expected() -> None:
    never = replace(to_qemu("zlib-packet", "zlib"), decoder=READS_IAA)

    expected = predict(never).error

    assert expected == "(?!)QEMU's zlib has no words for a distance"
    assert not re.search(expected, "inflate returned -3 instead of Z_OK")
