"""What follows from what a sender does wrong: derived from what a receiver looks at, for each kind of framing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import pytest

from multifd.framing.container import Container
from multifd.oracle.fault import follows
from multifd.oracle.predict import predict
from multifd.oracle.question import Question
from multifd.wire.dialect import DIALECTS
from tests.oracle.builder import PLAIN, READS_COMPLETE, READS_IAA, READS_PLAIN, READS_STREAMS, READS_ZSTD, ZSTD, ask

OLD: Final = "qemu-5.0"
NEW: Final = "qemu-10.0"


def asked(framing: str, fault: str, **more: object) -> Question:
    """A question with whoever stands for the framing."""
    ends = {"none": {"by": PLAIN, "to": READS_PLAIN}, "zstd": {"by": ZSTD, "to": READS_ZSTD}}
    return ask(framing, fault=fault, **{**ends.get(framing, {}), **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("framing", "fault", "outcome"),
    [
        ("none", "lost", "hazard"),
        ("qpl", "lost", "hazard"),
        ("zlib", "lost", "rejected"),
        ("zlib", "lost[r1-middle-c1]", "hazard"),
        ("none", "duplicated", "identical"),
        ("qatzip", "duplicated", "identical"),
        ("zlib", "duplicated", "rejected"),
        ("zlib", "duplicated[r1-middle-c1]", "identical"),
        ("none", "other-channel", "identical"),
        ("zlib", "other-channel", "rejected"),
        ("none", "behind-sync[r2-first-c1]", "identical"),
        ("none", "round-late", "hazard"),
        ("none", "offsets-swapped", "hazard"),
        ("none", "offset-twice", "hazard"),
        ("none", "offset-unaligned", "rejected"),
        ("none", "ramblock-other", "hazard"),
        ("none", "normal-and-zero", "identical"),
        ("none", "normal-one-more", "hazard"),
        ("none", "normal-one-more[r2-last-c1]", "rejected"),
        ("zlib", "normal-one-more", "rejected"),
        ("none", "size-zero", "identical"),
        ("zlib", "size-zero", "rejected"),
        ("none", "size-one-more", "identical"),
        ("none", "bit-inside", "hazard"),
        ("qpl", "bit-inside", "hazard"),
        ("zlib", "bit-inside", "hazard"),
        ("qatzip", "bit-inside", "rejected"),
        ("zlib-page[window=15]", "bit-inside", "rejected"),
        ("zlib", "bit-last", "rejected"),
        ("zstd", "bit-last", "hazard"),
        ("none", "payload-cut", "hazard"),
        ("none", "payload-cut[r2-last-c1]", "rejected"),
        ("zlib", "payload-short[r2-last-c1]", "identical"),
        ("zlib", "payload-short", "rejected"),
        ("zstd", "stream-ended[r2-last-c1]", "identical"),
        ("zstd", "stream-ended", "rejected"),
        ("zlib", "sync-lost", "rejected"),
        ("zlib", "ends-between", "rejected"),
        ("zlib", "number", "identical"),
    ],
)
def test_it_depends_on_what_the_framing_keeps_and_guards(framing: str, fault: str, outcome: str) -> None:
    assert predict(asked(framing, fault)).outcome == outcome


@pytest.mark.parametrize(
    ("framing", "fault", "old", "new"),
    [
        ("zlib", "zero-with-size[r1-middle-c1]", "hazard", "rejected"),
        ("none", "zero-with-size", "hazard", "hazard"),
        ("zlib", "zero-one-more[r2-first-c1]", "identical", "hazard"),
        ("zlib", "zero-one-more", "identical", "identical"),
        ("zlib", "zero-one-less[r2-first-c1]", "identical", "hazard"),
        ("zlib", "zero-pages", "identical", "rejected"),
        ("none", "lost[r1-last-c1]", "rejected", "hazard"),
        ("zlib", "device-state", "rejected", "identical"),
        ("zlib", "device-state-huge", "rejected", "rejected"),
        ("zlib", "flags-device-state", "identical", "rejected"),
    ],
)
def test_it_depends_on_what_the_generation_looks_at(framing: str, fault: str, old: str, new: str) -> None:
    outcomes = [predict(asked(framing, fault, speaking=dialect)).outcome for dialect in (OLD, NEW)]

    assert outcomes == [old, new]


@pytest.mark.parametrize(
    ("fault", "compares", "outcome"),
    [("bit-inside", True, "rejected"), ("bit-inside", False, "hazard"), ("bit-last", False, "identical")],
)
def test_it_depends_on_whether_a_decoder_compares_the_checksum(fault: str, compares: bool, outcome: str) -> None:
    decoder = replace(READS_COMPLETE, checks_trailer=compares)

    assert predict(asked("zlib-packet", fault, to=decoder)).outcome == outcome


@pytest.mark.parametrize(
    ("fault", "changes", "outcome"),
    [
        ("bit-first", {"skips_header": frozenset({Container.ZLIB})}, "identical"),
        ("stream-no-trailer", {"needs_trailer": False}, "identical"),
        ("payload-garbage", {"checks_end": False}, "identical"),
        ("stream-twice", {"checks_end": False}, "identical"),
    ],
)
def test_what_a_decoder_does_not_look_at_is_not_noticed(fault: str, changes: dict[str, bool], outcome: str) -> None:
    assert predict(asked("zlib-packet", fault)).outcome == "rejected"
    assert predict(asked("zlib-packet", fault, to=replace(READS_STREAMS, **changes))).outcome == outcome  # type: ignore[arg-type]


def test_a_stream_that_refers_to_what_came_before_is_corrupt_after_a_packet_too_many() -> None:
    assert predict(asked("zlib", "duplicated[r1-middle-c1]", matches=True)).outcome == "hazard"


def test_a_real_qemu_takes_an_offset_within_its_block_wherever_it_is() -> None:
    assert predict(asked("zlib", "offset-unaligned", to_qemu=True)).outcome == "hazard"


def test_zstd_of_a_real_qemu_gives_the_next_packet_what_a_header_left_out() -> None:
    assert predict(asked("zstd", "normal-one-less", to_qemu=True)).outcome == "hazard"
    assert predict(asked("zstd", "normal-one-less")).outcome == "rejected"
    assert predict(asked("zlib", "normal-one-less", to_qemu=True)).outcome == "rejected"


def test_where_qemu_asserts_the_reason_says_so() -> None:
    assert "QEMU asserts" in predict(asked("zlib", "zero-with-size")).reason


def test_what_changes_nothing_says_why_before_what_holds() -> None:
    reason = predict(asked("zlib", "number")).reason

    assert reason.startswith(
        "the packet's number is none that was due: nobody looks at it, and it changes nothing: R reads"
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_hazard_names_what_is_not_looked_at(dialect: str) -> None:
    decision = follows(asked("none", "offsets-swapped", speaking=dialect))

    assert decision.because == (
        "two pages have each other's offset: a receiver takes counts and offsets as they come: pages hold what was not"
        " sent for them"
    )


def test_a_decoder_with_no_checksum_to_compare_is_not_blamed() -> None:
    assert "container raw has no checksum" in predict(asked("raw-packet", "bit-inside", to=READS_IAA, by=PLAIN)).reason


PLACE: Final = "(channel {}, packet 7, RAM block m, byte 100; found zlib: 7801000000ffff00…00000100)"


@pytest.mark.parametrize(
    ("framing", "fault", "said"),
    [
        ("zlib", "size-one-less", "multifd {}: packet size received 4096 size expected 32768"),
        ("zlib", "lost", "zlib: Error -3 while decompressing data: incorrect header check"),
        ("zlib", "bit-last", "zlib: Error -3 while decompressing data: invalid stored block lengths"),
        ("zlib", "stream-ended", "multifd {}: inflate returned 1 instead of Z_OK"),
        ("zlib-packet", "bit-inside", "zlib: Error -3 while decompressing data: incorrect data check"),
        ("zlib-packet", "payload-cut", "zlib: incomplete or truncated stream"),
        ("qpl", "length-huge", "length table: sum is 4294967299, expected 4096 (the bytes that follow)"),
    ],
)
def test_a_payload_is_refused_on_the_channel_of_the_fault(framing: str, fault: str, said: str) -> None:
    for channel in (0, 1):
        error = predict(asked(framing, f"{fault}[r1-first-c{channel}]")).error or ""

        assert re.search(error, f"{said.format(channel)} {PLACE.format(channel)}")
        assert not re.search(error, f"{said.format(1 - channel)} {PLACE.format(1 - channel)}")
        assert not re.search(error, f"{said.format(channel)} {PLACE.format(f'{channel}0')}")


def test_a_packet_on_another_channel_is_noticed_on_either() -> None:
    said = "zlib: Error -3 while decompressing data: incorrect header check"
    error = predict(asked("zlib", "other-channel[r1-first-c2]", channels=(3, 3))).error or ""

    assert [bool(re.search(error, f"{said} {PLACE.format(channel)}")) for channel in range(3)] == [True, False, True]


def test_a_real_qemu_says_the_channel_first() -> None:
    error = predict(asked("zlib", "size-one-less", to_qemu=True)).error or ""
    said = "Getting RAM address failed; multifd {}: packet size received 16384 size expected 32768"

    assert re.search(error, said.format(1))
    assert not re.search(error, said.format(0))


def test_a_peer_that_is_not_ours_need_not_say_where() -> None:
    assert re.search(predict(asked("zlib", "size-one-less", to_codec=None)).error or "", "incomplete")


def test_who_is_content_with_all_of_the_output_does_not_miss_the_last_byte_of_a_stream_without_trailer() -> None:
    short = asked("raw-packet", "payload-short", to=replace(READS_COMPLETE, needs_end=False))

    assert predict(asked("raw-packet", "payload-short", to=READS_COMPLETE)).outcome == "rejected"
    assert predict(short).outcome == "identical"
