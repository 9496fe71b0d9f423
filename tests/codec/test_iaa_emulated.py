"""IAA, emulated: what QEMU and libqpl do around the silicon, and what is on the wire."""

from __future__ import annotations

import zlib
from random import Random

import pytest

from multifd.codec import create
from multifd.codec.iaa_emulated import _IaaCodec
from multifd.codec.silicon.iaa_inflate import Inflation
from multifd.errors import PayloadError
from multifd.framing.coder import Codec, Routed, decompressor_of
from multifd.framing.container import Container, parse, wrap
from multifd.framing.deflate import walk
from tests.codec.deflates import (
    NOISE,
    PAGE,
    TEXT,
    begin,
    maker,
    raw,
    spanning,
)


def iaa(**parameters: int) -> _IaaCodec:
    codec = create("iaa-emulated", parameters)
    assert isinstance(codec, _IaaCodec)
    return codec


# --- what QEMU and libqpl do around it ------------------------------------------------------------------------


def failure(codec: _IaaCodec, data: bytes, container: Container = Container.RAW, size: int = PAGE) -> str:
    with pytest.raises(PayloadError) as caught:
        codec.decompress(data, container, size)
    return str(caught.value)


def test_a_job_that_fails_ends_the_migration_in_qemus_words() -> None:
    made = begin(maker(5000), "fixed")
    made.match(5, 5000)

    assert failure(iaa(), made.bits.take(), size=1 << 20) == (
        "iaa-emulated: qpl job failed with error 217 (QPL_STS_BAD_DIST_ERR):"
        " distance 5000 is beyond the history of 4096 bytes"
    )


def test_a_busy_queue_is_tried_three_times_more_and_then_software_computes() -> None:
    codec = iaa(queue=0)

    assert bytes(codec.decompress(raw(TEXT), Container.RAW, PAGE)) == TEXT
    assert (codec.queue.counters.submitted, codec.effort.retries, codec.effort.fallbacks) == (4, 3, 1)
    assert codec.queue.counters.jobs == 0


def test_a_queue_that_is_busy_now_and_then_costs_a_retry() -> None:
    codec = iaa(busy=2)

    for _ in range(3):
        codec.compress(TEXT, Container.RAW, 12)

    assert (codec.effort.retries, codec.effort.fallbacks, codec.queue.counters.jobs) == (2, 0, 3)


def test_whether_a_stream_is_taken_can_depend_on_how_busy_the_device_is() -> None:
    assert bytes(iaa(queue=0).decompress(spanning(), Container.RAW, PAGE)) == b"\0"
    assert failure(iaa(), spanning()).startswith("iaa-emulated: qpl job failed with error 206")


def test_a_page_fault_is_touched_and_submitted_once_more() -> None:
    codec = iaa(fault=2)

    assert [bytes(codec.decompress(raw(TEXT), Container.RAW, PAGE)) for _ in range(3)] == [TEXT] * 3
    assert (codec.effort.resubmissions, codec.queue.counters.faults, codec.queue.counters.jobs) == (2, 2, 5)


def test_a_second_page_fault_is_an_error_when_receiving() -> None:
    assert failure(iaa(fault=1), raw(TEXT)) == (
        "iaa-emulated[fault=1]: qpl job failed with error 303 (QPL_STS_INTL_PAGE_FAULT): page fault"
    )


@pytest.mark.parametrize("parameters", [{"fault": 1}, {}])
def test_a_page_that_the_device_cannot_compress_does_not_shrink_so_that_it_is_sent_raw(
    parameters: dict[str, int],
) -> None:
    stream = iaa(**parameters).compress(NOISE, Container.RAW, 12)

    assert len(memoryview(stream)) == PAGE + 5
    assert [block.kind for block in walk(stream).blocks] == ["stored"]


# --- encoder --------------------------------------------------------------------------------------------------


def test_a_page_becomes_one_block_of_the_fixed_code() -> None:
    blocks = walk(iaa().compress(TEXT, Container.RAW, 12)).blocks

    assert [(block.kind, block.final) for block in blocks] == [("fixed", True)]


def test_with_huffman_1_it_becomes_one_block_of_its_own_code() -> None:
    data = Random(1).choices(b"etaoin shrdlu", range(1, 14), k=PAGE)

    blocks = walk(iaa(huffman=1).compress(bytes(data), Container.RAW, 12)).blocks

    assert [(block.kind, block.final) for block in blocks] == [("dynamic", True)]


@pytest.mark.parametrize("huffman", [0, 1])
@pytest.mark.parametrize("period", [1, 1000, 4095, 4096, 4097, 5000])
def test_no_distance_is_beyond_4096(huffman: int, period: int) -> None:
    data = (NOISE * 2)[:period] * (60_000 // period)

    stream = iaa(huffman=huffman).compress(data, Container.RAW, 12)

    assert walk(stream, window=4096).far is None
    assert zlib.decompress(stream, -12) == data


@pytest.mark.parametrize("huffman", [0, 1])
def test_in_a_page_distances_are_as_long_as_they_can_be(huffman: int) -> None:
    page = b"-xyz" + bytes(4089) + b"xyz"

    assert walk(iaa(huffman=huffman).compress(page, Container.RAW, 12)).max_distance == 4092


def test_a_distance_of_4096_is_reached() -> None:
    data = NOISE * 3

    assert walk(iaa(huffman=1).compress(data, Container.RAW, 12)).max_distance == 4096


# --- what is told of it -------------------------------------------------------------------------------------------


def told(codec: Codec) -> tuple[str, int | None, int, int, int]:
    assert isinstance(codec, Routed)
    tally = codec.tally()
    return tally.unit, tally.device, tally.software, tally.busy, tally.faults


def test_a_job_of_each_direction_is_two() -> None:
    codec = iaa()

    codec.decompress(codec.compress(TEXT, Container.RAW, 12), Container.RAW, PAGE)

    assert told(codec) == ("jobs", 2, 0, 0, 0)


def test_a_page_that_does_not_shrink_was_a_job_all_the_same() -> None:
    codec = iaa()

    codec.compress(NOISE[:PAGE], Container.RAW, 12)

    assert told(codec) == ("jobs", 1, 0, 0, 0)


def test_a_code_made_for_the_data_takes_two_jobs() -> None:
    codec = iaa(huffman=1)

    codec.compress(TEXT, Container.RAW, 12)

    assert told(codec) == ("jobs", 2, 0, 0, 0)


def test_a_queue_that_takes_nothing_is_three_retries_and_then_software() -> None:
    codec = iaa(queue=0)

    codec.compress(TEXT, Container.RAW, 12)

    assert told(codec) == ("jobs", 0, 1, 3, 0)


def test_a_page_fault_is_a_job_made_again() -> None:
    codec = iaa(fault=2)

    for _ in range(2):
        codec.compress(TEXT, Container.RAW, 12)

    assert told(codec) == ("jobs", 2, 0, 0, 1)


# --- containers -----------------------------------------------------------------------------------------------


def test_the_zlib_header_announces_4096_bytes() -> None:
    stream = iaa().compress(TEXT, Container.ZLIB, 12)

    assert bytes(stream[:2]) == b"\x48\x0d"
    assert zlib.decompress(stream, 12) == TEXT


def test_the_gzip_header_is_that_of_libqpl() -> None:
    stream = iaa().compress(TEXT, Container.GZIP, 12)

    assert bytes(stream[:10]).hex() == "1f8b08000000000000ff"
    assert zlib.decompress(stream, 28) == TEXT


def test_a_zlib_header_may_announce_any_window() -> None:
    assert bytes(iaa().decompress(zlib.compress(TEXT), Container.ZLIB, PAGE)) == TEXT


@pytest.mark.parametrize("container", [Container.ZLIB, Container.GZIP])
def test_a_wrong_trailer_goes_unnoticed(container: Container) -> None:
    stream = bytearray(iaa().compress(TEXT, container, 12))
    stream[-1] ^= 0xFF

    assert bytes(iaa().decompress(stream, container, PAGE)) == TEXT


def test_the_last_8_bytes_of_gzip_are_cut_off_whatever_they_are() -> None:
    stream = bytes(iaa().compress(TEXT, Container.GZIP, 12))

    assert failure(iaa(), stream[:-8], Container.GZIP).endswith("no end of the final block")
    assert failure(iaa(), stream[:10] + bytes(7), Container.GZIP).endswith("no end of the final block")


def test_a_zlib_trailer_may_be_missing() -> None:
    stream = bytes(iaa().compress(TEXT, Container.ZLIB, 12))

    assert bytes(iaa().decompress(stream[:-4], Container.ZLIB, PAGE)) == TEXT


def test_a_gzip_header_crc_is_skipped() -> None:
    stream = bytes.fromhex("1f8b08020000000000ff") + b"??" + raw(TEXT) + bytes(8)

    assert bytes(iaa().decompress(stream, Container.GZIP, PAGE)) == TEXT


def test_of_several_members_the_first_is_read() -> None:
    stream = bytes(iaa().compress(TEXT, Container.GZIP, 12))

    assert bytes(iaa().decompress(stream * 2, Container.GZIP, 2 * PAGE)) == TEXT


def test_gzip_ext_is_read_and_its_extra_field_skipped() -> None:
    stream = wrap(raw(TEXT), TEXT, Container.GZIP_EXT)

    assert parse(stream, Container.GZIP_EXT).source_size == PAGE
    assert bytes(iaa().decompress(stream, Container.GZIP_EXT, PAGE)) == TEXT


def test_a_gzip_name_is_not_skipped_to_its_end() -> None:
    named = bytes.fromhex("1f8b08080000000000ff") + b"name\0" + raw(TEXT) + bytes(8)

    assert "error 214 (QPL_STS_INVALID_STORED_LEN_ERR)" in failure(iaa(), named, Container.GZIP)


@pytest.mark.parametrize(
    ("container", "data", "message"),
    [
        (Container.ZLIB, b"", "error 3 (QPL_STS_MORE_INPUT_NEEDED): incomplete or truncated zlib header of 0 bytes"),
        (Container.ZLIB, b"\x48\x0e", "error 104 (QPL_STS_ARCHIVE_HEADER_ERR): incorrect header check: 480e"),
        (Container.ZLIB, b"\x48\x2c", "error 3 (QPL_STS_MORE_INPUT_NEEDED): zlib header asks for a preset dictionary"),
        (Container.GZIP, b"\x1f\x8b\x08", "error 104 (QPL_STS_ARCHIVE_HEADER_ERR): incorrect header check: 1f8b08"),
        (
            Container.GZIP,
            bytes.fromhex("1f8b08080000000000ff") + b"name",
            "error 3 (QPL_STS_MORE_INPUT_NEEDED): incomplete or truncated gzip header: no end of a text",
        ),
    ],
)
def test_a_header_that_is_none_is_refused(container: Container, data: bytes, message: str) -> None:
    assert failure(iaa(), data, container) == f"iaa-emulated: qpl job failed with {message}"


# --- streams --------------------------------------------------------------------------------------------------

PACKETS = [TEXT, NOISE, bytes(PAGE), TEXT * 5, TEXT[::-1]]
STREAMED = {Container.ZLIB: 12, Container.RAW: -12, Container.GZIP: 28}


def flushed(container: Container, window: int = 12, packets: list[bytes] = PACKETS) -> list[bytes]:
    wbits = {Container.ZLIB: window, Container.RAW: -window}.get(container, 16 + window)
    stream = zlib.compressobj(6, zlib.DEFLATED, wbits)
    return [stream.compress(each) + stream.flush(zlib.Z_SYNC_FLUSH) for each in packets]


@pytest.mark.parametrize("container", STREAMED)
def test_a_stream_is_read_by_jobs_that_go_on(container: Container) -> None:
    codec = iaa(stream=1)
    reader = decompressor_of(codec, container)

    read = [bytes(reader.decompress(p, len(d))) for p, d in zip(flushed(container), PACKETS, strict=True)]

    assert (read, reader.ended, codec.queue.counters.jobs) == (PACKETS, False, len(PACKETS))


def test_history_is_kept_from_job_to_job_and_no_further_than_4096_bytes() -> None:
    near, far = [TEXT, TEXT], [NOISE, NOISE[:1000], NOISE]
    reader = decompressor_of(iaa(stream=1), Container.RAW)
    assert [bytes(reader.decompress(p, PAGE)) for p in flushed(Container.RAW, packets=near)] == near

    reader = decompressor_of(iaa(stream=1), Container.RAW)
    first, second, third = flushed(Container.RAW, window=13, packets=far)
    reader.decompress(first, PAGE)
    reader.decompress(second, 1000)
    with pytest.raises(PayloadError, match="distance 5096 is beyond the history of 4096 bytes"):
        reader.decompress(third, PAGE)


def test_a_block_may_go_on_in_the_next_job() -> None:
    (stream,) = flushed(Container.RAW, packets=[TEXT * 5])
    aecs = Inflation()

    read = b"".join(aecs.job(stream[at : at + 7], PAGE * 5) for at in range(0, len(stream), 7))

    assert read == TEXT * 5


def test_a_stream_that_ends_is_seen_before_the_engine_reads_on() -> None:
    reader = decompressor_of(iaa(stream=1), Container.ZLIB)

    output = reader.decompress(zlib.compress(TEXT), PAGE)

    assert (bytes(output), reader.ended) == (b"", True)


def test_software_cannot_go_on_where_the_engine_was() -> None:
    reader = decompressor_of(iaa(stream=1, queue=0), Container.ZLIB)

    with pytest.raises(PayloadError, match=r"error 5 .*: the queue stays busy, and the stream is the engine's"):
        reader.decompress(flushed(Container.ZLIB)[0], PAGE)


def test_a_page_fault_in_a_stream_is_a_job_submitted_again() -> None:
    codec = iaa(stream=1, fault=3)
    reader = decompressor_of(codec, Container.ZLIB)

    read = [bytes(reader.decompress(p, len(d))) for p, d in zip(flushed(Container.ZLIB), PACKETS, strict=True)]

    assert (read, codec.effort.resubmissions) == (PACKETS, 2)


def test_it_says_what_it_is() -> None:
    codec = iaa()

    assert (codec.provenance, codec.device, codec.decoder.window) == ("emulated", "IAA", 12)
