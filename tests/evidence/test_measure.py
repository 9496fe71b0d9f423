"""What an encoder emits is measured: every promise of a framing that a capture can break is seen to be broken."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from multifd.evidence.measure import BUDGET, Measurement, measure
from multifd.framing.coder import EncoderCapability
from multifd.framing.deflate import walk
from multifd.framing.model import FRAMINGS
from multifd.migrate.capture import Capture
from multifd.wire.packet import PACKET_SIZE, RamHeader
from multifd.wire.scan import scan
from tests.run.recording import PAGE, Change, changed, record, relabelled

PACKET = "zlib-packet[window=15]"
CODECS = {"none": "none", "qatzip-stub": "none", "zstd": "zstd"}


def pieces(member: int, whole_below: int = 0) -> EncoderCapability:
    """Of an encoder that begins a new member after so many bytes, from inputs of so many on."""
    windows = frozenset({15})
    return EncoderCapability(frozenset(), streaming=False, windows=windows, member=member, whole_below=whole_below)


def payload(make: Change) -> Change:
    """A change that keeps the header's payload size true."""

    def change(header: RamHeader, data: bytes) -> list[tuple[RamHeader, bytes]]:
        return [(replace(h, next_packet_size=len(d)), d) for h, d in make(header, data)]

    return change


@pytest.mark.parametrize("framing", FRAMINGS)
def test_an_honest_capture_has_no_problem(framing: str, tmp_path: Path) -> None:
    capture = record(tmp_path, framing, CODECS.get(framing, "zlib"))

    assert measure(capture).problems == []


def sent(capture: Capture, channel: int | None = None) -> list[tuple[int, memoryview]]:
    """Every payload with its number of pages, of one channel or of all."""
    return [
        (packet.header.normal_pages, packet.payload)
        for number, path in enumerate(capture.channel_paths())
        for packet in scan(path.read_bytes(), PAGE, capture.dialect, raw_pages=False)
        if channel in (None, number) and isinstance(packet.header, RamHeader) and len(packet.payload)
    ]


def test_pages_are_walked_until_24_kib_have_been(tmp_path: Path) -> None:
    """A page of random bytes is one stored block: with its header and checksum 4,107 bytes, of which six are 24 KiB."""
    seen = measure(record(tmp_path, "zlib-page[window=15]", corpus="random"))

    assert (seen.streams, seen.kinds, seen.max_distance) == (6, {"stored"}, 0)


def test_pages_as_they_are_are_not_walked(tmp_path: Path) -> None:
    seen = measure(record(tmp_path, "none", "none"))

    assert seen == Measurement()
    assert (seen.streams, seen.max_distance) == (0, 0)


def test_a_capture_that_is_short_is_walked_whole(tmp_path: Path) -> None:
    seen = measure(record(tmp_path, PACKET, corpus="constant"))

    assert (seen.streams, seen.problems) == (3, [])
    assert 0 < seen.max_distance <= 32768


def test_a_stream_that_goes_on_may_refer_to_the_packets_before(tmp_path: Path) -> None:
    capture = record(tmp_path, "zlib", corpus="period-4097")

    (_, first), (_, second) = sent(capture, 0)
    assert walk(second).too_far is not None
    assert len(first) + len(second) < BUDGET
    assert measure(capture).problems == []


# What breaks a promise


def test_an_old_dialect_may_repeat_its_packet_numbers(tmp_path: Path) -> None:
    capture = changed(record(tmp_path, "none", "none", dialect="qemu-5.0"), lambda h, d: [(h, d), (h, d)])

    assert measure(capture).problems == []


def test_a_repeated_number_is_found(tmp_path: Path) -> None:
    capture = changed(record(tmp_path, "none", "none"), lambda h, d: [(h, d), (h, d)])

    (problem,) = measure(capture).problems
    assert re.fullmatch(r"packet numbers are not contiguous: \[\d+\] twice, none missing", problem)


def test_a_missing_number_is_found(tmp_path: Path) -> None:
    capture = changed(record(tmp_path, "none", "none"), lambda h, d: [])

    (problem,) = measure(capture).problems
    assert re.fullmatch(r"packet numbers are not contiguous: none twice, \[\d+\] missing", problem)


def test_another_methods_flag_is_found(tmp_path: Path) -> None:
    capture = changed(record(tmp_path, PACKET), lambda h, d: [(replace(h, flags=4), d)])

    (problem,) = measure(capture).problems
    assert re.fullmatch(r"packet \d+ of channel 1: flags say 0x4, zlib-packet\[window=15\] travels under 0x2", problem)


def test_a_second_member_is_found(tmp_path: Path) -> None:
    extra = zlib.compress(b"more")

    capture = changed(record(tmp_path, PACKET, corpus="constant"), payload(lambda h, d: [(h, d + extra)]))

    assert _what(measure(capture).problems) == [f"{len(extra)} bytes after member 1, 1 declared"]


def test_a_stream_that_does_not_end_is_found(tmp_path: Path) -> None:
    def flushed(data: bytes) -> bytes:
        stream = zlib.compressobj(1)
        return stream.compress(zlib.decompress(data)) + stream.flush(zlib.Z_SYNC_FLUSH)

    capture = changed(record(tmp_path, PACKET, corpus="constant"), payload(lambda h, d: [(h, flushed(d))]))

    assert _what(measure(capture).problems) == ["the stream does not end"]


def test_a_stream_that_is_cut_is_found(tmp_path: Path) -> None:
    capture = changed(record(tmp_path, PACKET, corpus="constant"), payload(lambda h, d: [(h, d[: len(d) // 2])]))

    (what,) = _what(measure(capture).problems)
    assert re.fullmatch(r"deflate: input ends inside a dynamic block, at bit \d+", what)


@pytest.mark.parametrize("framing", [PACKET, "gzip-packet", "qatzip"])
@pytest.mark.parametrize("lacking", [1, 4])
def test_a_trailer_that_is_cut_is_found(framing: str, lacking: int, tmp_path: Path) -> None:
    whole = record(tmp_path, framing, corpus="constant")

    capture = changed(whole, payload(lambda h, d: [(h, d[:-lacking])]))

    assert _what(measure(capture).problems) == [f"the stream's trailer lacks {lacking} bytes"]


def test_a_window_in_the_header_that_is_too_large_is_found(tmp_path: Path) -> None:
    capture = relabelled(record(tmp_path, PACKET, corpus="constant"), "zlib-packet[window=12]")

    assert set(_what(measure(capture).problems)) == {"header announces a window of 32768"}


def test_a_window_in_the_header_that_is_the_next_larger_one_is_found(tmp_path: Path) -> None:
    header = (0x5800 + 31 - 0x5800 % 31).to_bytes(2)
    """CINFO 5: a window of 8 KiB (RFC 1950, section 2.2)."""
    whole = record(tmp_path, "zlib-packet[window=12]", corpus="constant")

    capture = changed(whole, payload(lambda h, d: [(h, header + d[2:])]))

    assert _what(measure(capture).problems) == ["header announces a window of 8192"]


def test_a_header_is_looked_at_however_long_the_stream_goes_on(tmp_path: Path) -> None:
    capture = relabelled(record(tmp_path, "zlib", corpus="random"), "zlib-sync-page[window=12]")

    assert "header announces a window of 32768" in _what(measure(capture).problems)


def test_a_distance_beyond_the_window_is_found(tmp_path: Path) -> None:
    capture = relabelled(record(tmp_path, "raw-packet", corpus="period-4097"), "raw-packet[window=12]")

    far = [walk(data, window=4096).far for _, data in sent(capture)]
    assert sorted(_what(measure(capture).problems)) == sorted(
        f"distance {at[1]} at output offset {at[0]}" for at in far if at
    )


def test_a_distance_to_before_the_stream_is_found(tmp_path: Path) -> None:
    def dependent(data: bytes) -> bytes:
        pages = zlib.decompress(data, -15)
        stream = zlib.compressobj(1, wbits=-15, zdict=pages[:1000])
        return stream.compress(pages) + stream.flush()

    capture = changed(record(tmp_path, "raw-packet"), payload(lambda h, d: [(h, dependent(d))]))

    (what,) = _what(measure(capture).problems)
    assert re.fullmatch(r"distance \d+ at output offset \d+, before the stream begins", what)


def test_a_packet_without_a_sync_flush_is_found(tmp_path: Path) -> None:
    capture = changed(record(tmp_path, "zlib", corpus="constant"), payload(lambda h, d: [(h, d + b"\x03\0")]))

    assert _what(measure(capture).problems) == ["the packet does not end with a sync flush"]


def test_a_final_block_that_looks_like_a_sync_flush_is_found(tmp_path: Path) -> None:
    capture = changed(
        record(tmp_path, "zlib", corpus="constant"), payload(lambda h, d: [(h, d + b"\x01\x00\x00\xff\xff")])
    )

    assert "the packet does not end with a sync flush" in _what(measure(capture).problems)


def test_a_stream_that_ends_where_it_should_go_on_is_found(tmp_path: Path) -> None:
    capture = relabelled(record(tmp_path, PACKET, corpus="constant"), "zlib")

    assert "the packet does not end with a sync flush" in _what(measure(capture).problems)


def test_a_frame_window_that_is_too_large_is_found(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=20)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = frame.compress(b"page") + frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    capture = changed(record(tmp_path, "zstd", "zstd"), payload(lambda h, d: [(h, data)]))

    assert _what(measure(capture).problems) == ["frame announces a window of 1048576"]


def test_a_payload_that_is_no_zstd_frame_is_found(tmp_path: Path) -> None:
    capture = changed(record(tmp_path, "zstd", "zstd"), payload(lambda h, d: [(h, b"x" * 100)]))

    (what,) = _what(measure(capture).problems)
    assert "Unknown frame descriptor" in what


def test_a_recording_that_ends_inside_a_packet_is_found(tmp_path: Path) -> None:
    capture = record(tmp_path, PACKET)
    path = capture.channel_path(1)
    path.write_bytes(path.read_bytes()[:-100])

    (problem,) = measure(capture).problems
    assert problem == (
        "multifd: packet header: stream ended after 1244 of 1344 bytes"
        " (Unexpected end-of-file before all data were read)"
    )


def _what(problems: list[str]) -> list[str]:
    """What is said of packets of channels, without who promised what."""
    found = [re.fullmatch(r"packet \d+ of channel \d: (.*), [\w\-\[\]=]+ promises .*", p) for p in problems]
    assert all(found), problems
    return [match[1] for match in found if match]


@pytest.mark.parametrize(("framing", "member"), [("uadk", PAGE), (PACKET, PACKET_SIZE)])
def test_what_is_exactly_one_member_is_one_member(framing: str, member: int, tmp_path: Path) -> None:
    capture = record(tmp_path, framing, corpus="constant")

    assert measure(capture, pieces(member)).problems == []
    problems = measure(capture, pieces(member - 1)).problems
    assert {re.sub(r".*: (\d members, \d declared),.*", r"\1", each) for each in problems} == {"1 members, 2 declared"}


def test_what_is_below_the_threshold_is_one_member(tmp_path: Path) -> None:
    capture = record(tmp_path, "uadk", corpus="constant")

    assert measure(capture, pieces(PAGE // 2, whole_below=PAGE + 1)).problems == []
    assert all("1 members, 2 declared" in each for each in measure(capture, pieces(PAGE // 2, PAGE)).problems)
    assert measure(capture, pieces(PAGE // 2, PAGE)).problems


def test_members_that_were_not_walked_are_not_missed(tmp_path: Path) -> None:
    capture = record(tmp_path, PACKET, corpus="random")

    assert all(len(data) > BUDGET for _, data in sent(capture))
    assert measure(capture, pieces(64 << 10)).problems == []


@pytest.mark.parametrize("framing", ["raw-packet", "qpl"])
def test_raw_deflate_has_no_members(framing: str, tmp_path: Path) -> None:
    assert measure(record(tmp_path, framing, corpus="constant"), pieces(1024)).problems == []


def test_the_members_that_an_encoder_declares_are_expected(tmp_path: Path) -> None:
    half = 32 << 10

    def split(data: bytes) -> bytes:
        pages = zlib.decompress(data)
        return b"".join(zlib.compress(pages[at : at + half]) for at in range(0, len(pages), half))

    whole = record(tmp_path, PACKET, corpus="constant")
    without = measure(whole, pieces(half)).problems

    split_in_one_packet = measure(changed(whole, payload(lambda h, d: [(h, split(d))])), pieces(half)).problems

    assert without and all(": 1 members, " in problem for problem in without)
    assert len(split_in_one_packet) == len(without) - 1
