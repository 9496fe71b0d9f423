"""What every decoder says of every payload that it can be given and not read, and that no other cause makes it say so.

Each framing is sent to every reader of a framing under the same flag, in the decoders of the default line-up: the
vendor libraries where they are, through their own peers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from multifd.codec import factories
from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.model import FRAMINGS
from multifd.lineup.devices import device_peers
from multifd.lineup.introduce import resolve
from multifd.lineup.peers import LineUp
from multifd.oracle.predict import predict
from multifd.oracle.question import Question
from multifd.oracle.rules import RULES
from multifd.oracle.verdict import Observation
from multifd.oracle.words import WORDS, Cause, expected
from multifd.plan.pairings import able, pairing_cell, question
from multifd.profile.load import load
from multifd.profile.model import PeerEntry
from multifd.run.bench import Bench
from multifd.run.stage import Stage
from tests.oracle.builder import READS_IAA, READS_QPL, ask, encoder

NEAR: Final = "qat-emulated[buffer=4]"
SENDERS: Final = ("zlib", "iaa-emulated", "qat-emulated", NEAR)
"""Streams that go on and windows of any size; complete streams of 4 KiB; several members; and members of 4 KiB, for IAA
alone, which refuses the distances of larger ones before it could miss the second."""
SIZES: Final = {"pc.ram": 1 << 20}
"""Two packets, on one channel."""


class Seen(NamedTuple):
    """A pairing, what was predicted of it and what it did."""

    label: str
    receiver: str
    decoder: DecoderCapability
    codec: str
    cause: Cause | None
    found: str
    """What the sender's payload is, as the receiver's error calls it."""
    outcome: str
    error: str | None
    """The expression that is expected."""
    observed: Observation


@pytest.fixture(scope="module")
def line_up() -> LineUp:
    profile = load("auto")
    near = PeerEntry(codec="qat-emulated", parameters={"buffer": 4}, roles=("sender",))
    profile = profile.model_copy(update={"peers": (*profile.peers, near)})
    return resolve("auto", profile, None, device_peers(profile, ()))


@pytest.fixture(scope="module")
def seen(line_up: LineUp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Seen]]:
    scratch: Path = tmp_path_factory.mktemp("words")
    bench = Bench(line_up, Stage(scratch, "only", 1, None))
    yield list(_all(line_up, bench))
    bench.close()


def _all(line_up: LineUp, bench: Bench) -> Iterator[Seen]:
    """Of pairings that are alike for their decoder one: what is refused for the same cause in the same words, and what
    is read whoever sends it."""
    alike = set()
    for sender in map(line_up.peer, SENDERS):
        for sent, shape in FRAMINGS.items():
            sizes_of_pages = (4096, 65536) if sent == "qpl" else (4096,)
            for page_size in sizes_of_pages:
                for read, other in FRAMINGS.items():
                    for receiver in line_up.receivers():
                        if shape.travels_as != other.travels_as or not able(sender, receiver, sent, read, page_size):
                            continue
                        if sender.name == NEAR and receiver.device != "IAA":
                            continue
                        cell = pairing_cell(
                            "wire", sender, receiver, (sent, read), "capture", SIZES, page_size=page_size, channels=1
                        )  # fmt: skip
                        assert receiver.decoder is not None and receiver.codec is not None
                        cause, error = cause_of(question(cell.pairing, sender, receiver)), cell.prediction.error
                        sort = (sent, page_size) if cause is None else (sender.name, cause, error)
                        if (key := (receiver.codec, receiver.decoder, read, *sort)) in alike:
                            continue
                        alike.add(key)
                        yield Seen(
                            f"{sender.name} {sent} ({page_size}) to {receiver.name} {read}",
                            receiver.name,
                            receiver.decoder,
                            receiver.codec,
                            cause,
                            found_in(error or ""),
                            cell.prediction.outcome,
                            error,
                            bench.run(cell.pairing).observation,
                        )


def cause_of(asked: Question) -> Cause | None:
    """Of the rule that decides."""
    decisions = (rule.decide(asked) for rule in RULES)
    return next((decision.cause for decision in decisions if decision is not None), None)


def found_in(error: str) -> str:
    return error.partition("found ")[2]


def test_what_is_read_and_what_is_refused_is_as_predicted(seen: list[Seen]) -> None:
    assert [(each.label, each.observed) for each in seen if each.observed.outcome != each.outcome] == []


def test_every_refusal_is_in_the_words_of_its_cause(seen: list[Seen]) -> None:
    other = [
        (each.label, each.cause, each.error, each.observed.error)
        for each in seen
        if each.outcome == "rejected" and not re.search(each.error or "(?!)", each.observed.error or "")
    ]

    assert other == []


def test_no_error_is_one_that_another_cause_of_the_same_decoder_has(seen: list[Seen]) -> None:
    refused = [each for each in seen if each.outcome == "rejected"]
    patterns = {(each.receiver, each.error, each.cause, each.found) for each in refused}
    texts = {(each.receiver, each.observed.error or "", each.cause, each.found) for each in refused}

    both = [
        (receiver, said, (cause, found), pattern, (other, sought))
        for receiver, said, cause, found in texts
        for of, pattern, other, sought in patterns
        if of == receiver and (cause, found) != (other, sought) and re.search(pattern or "", said)
    ]

    assert both == []


def test_every_cause_that_a_decoder_has_words_for_was_shown_by_it(seen: list[Seen]) -> None:
    shown = {(each.receiver, each.cause) for each in seen if each.cause is not None}
    decoders = {(each.receiver, each.codec, each.decoder) for each in seen}

    unseen = [
        (receiver, str(cause))
        for receiver, codec, decoder in decoders
        for cause in WORDS[codec]
        if (receiver, cause) not in shown and not _foreign(cause, decoder) and "[" not in receiver
    ]

    assert unseen == []


def _foreign(cause: Cause, decoder: DecoderCapability) -> bool:
    """Decoders of this kind do not know it; others of their family do."""
    match cause:
        case Cause.ENDS:
            return not decoder.streaming
        case Cause.NO_END:
            return not decoder.needs_end
        case Cause.NO_HEADER:
            return decoder.needs_end
        case Cause.WINDOW | Cause.DISTANCE:
            return decoder.window == 15
        case _:
            return False


@pytest.mark.parametrize("codec", factories())
def test_every_codec_has_words(codec: str) -> None:
    assert codec in WORDS


def test_a_codec_without_words_never_says_what_is_expected() -> None:
    asked = ask("zlib-packet", "zlib", to_codec="lz4")

    error = predict(asked).error

    assert error == "(?!)codec lz4 has no words for a stream that ends where it should go on"
    assert not re.search(error, "multifd 0: inflate returned 1 instead of Z_OK")


def test_libqpl_says_of_a_distance_behind_the_first_64_kib_only_how_far_it_came() -> None:
    asked = ask("raw-packet", to=READS_QPL, to_codec="qpl")
    place = "(channel 0, packet 2, RAM block pc.ram, byte 2752; found no header: bc7d0b9ca3179bf7…d2d2fe7f)"
    late = f"qpl: qpl decompressed len 65927, expected len 524288 (QPL_STS_OK with short output) {place}"
    early = f"qpl: qpl decompressed len 4096, expected len 524288 (QPL_STS_OK with short output) {place}"

    error = expected(Cause.DISTANCE, asked)

    assert error is not None
    assert re.search(error, late)
    assert not re.search(error, early)


def test_a_first_member_is_as_long_as_the_sender_makes_it() -> None:
    asked = ask("qatzip", by=encoder(15, member=65536), to_codec="libdeflate")
    place = "(channel 0, packet 2, RAM block pc.ram, byte 2752; found gzip-ext: 1f8b080400000000…00000100)"

    error = expected(Cause.MEMBERS, asked)

    assert error is not None
    assert re.search(error, f"multifd 0: packet size received 65536 size expected 524288 {place}")
    assert re.search(error, f"decompressed len 65536, expected len 131072 {place}")
    assert not re.search(error, f"multifd 0: packet size received 65535 size expected 524288 {place}")


def test_who_stores_now_and_then_has_a_distance_refused_or_a_second_member_missed() -> None:
    storing = replace(encoder(15, member=65536), stores=True)
    place = "(channel 0, packet 2, RAM block pc.ram, byte 2752; found zlib: 7801000000ffff00…00000100)"
    distance = f"iaa-emulated: qpl job failed with error 217 {place}"
    member = f"multifd 0: packet size received 65536 size expected 524288 {place}"

    error = said_of(storing)

    assert re.search(error, distance)
    assert re.search(error, member)
    for other in (replace(storing, stores=False), replace(storing, member=None), replace(storing, whole_below=1 << 20)):
        assert re.search(said_of(other), distance)
        assert not re.search(said_of(other), member)


def said_of(by: EncoderCapability) -> str:
    """What is expected of a window of 4 KiB, of a sender of 32 KiB."""
    error = predict(ask("zlib-packet[window=15]", by=by, to=READS_IAA)).error
    assert error is not None
    return error
