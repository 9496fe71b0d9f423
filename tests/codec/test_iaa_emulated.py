"""The emulated accelerator: what the silicon refuses, and what QEMU and libqpl make of that."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multifd.codec import create
from multifd.codec.iaa_emulated import _IaaCodec
from multifd.codec.silicon.iaa import MAX_TRANSFER, Completion, Descriptor, WorkQueue, execute
from multifd.codec.silicon.iaa_inflate import inflate
from multifd.codec.silicon.iaa_status import Refusal, Status
from multifd.errors import PayloadError
from multifd.fidelity.writer import Maker, put_symbols
from multifd.framing.container import Container, parse, wrap
from multifd.framing.deflate import walk

PAGE: Final = 4096
TEXT: Final = (b"all work and no play makes a dull page, " * 103)[:PAGE]
NOISE: Final = Random(1).randbytes(PAGE)
LITERALS: Final = [8] * 225 + [9] * 61
DISTANCES: Final = [5] * 30


def iaa(**parameters: int) -> _IaaCodec:
    codec = create("iaa-emulated", parameters)
    assert isinstance(codec, _IaaCodec)
    return codec


def raw(data: bytes, level: int = 6, window: int = 12) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -window)
    return stream.compress(data) + stream.flush()


def maker(produced: int = 0) -> Maker:
    """A stream that has produced so many bytes, by stored blocks."""
    made = Maker(Random(1))
    while made.produced < produced:
        made.stored(min(65535, produced - made.produced))
    return made


def begin(made: Maker, kind: str) -> Maker:
    if kind == "fixed":
        made.fixed(final=True)
    else:
        made.dynamic(LITERALS, DISTANCES, final=True)
    return made


def spanning() -> bytes:
    """A zero byte, valid for RFC 1951; a run of the code length 2 goes from end-of-block on into the distances."""
    made = maker()
    made.dynamic([1, *[0] * 255, 2, 2], [2, 2, 2, 2], "spanning", final=True)
    made.literal()
    made.end()
    return made.bits.take()


def refusal(data: bytes, room: int = 1 << 20, *, spanning: bool = False) -> Refusal:
    with pytest.raises(Refusal) as caught:
        inflate(data, room, spanning=spanning)
    return caught.value


# --- the history of 4096 bytes --------------------------------------------------------------------------------

OFFSETS: Final = (4097, 8192, 12_289, 65_535, 65_536, 65_537, 100_000)
KINDS: Final = ("fixed", "dynamic")


@pytest.mark.parametrize("offset", [4096, *OFFSETS])
@pytest.mark.parametrize("kind", KINDS)
def test_a_distance_of_4096_is_taken_at_any_offset(kind: str, offset: int) -> None:
    made = begin(maker(offset), kind)
    made.match(5, 4096)
    made.end()

    output = inflate(made.bits.take(), offset + 5)

    assert output[offset:] == output[offset - 4096 : offset - 4091]


@pytest.mark.parametrize("distance", [4097, 32_768])
@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_distance_beyond_4096_is_refused_at_any_offset(kind: str, offset: int, distance: int) -> None:
    made = begin(maker(offset), kind)
    made.match(5, distance)
    made.end()

    refused = refusal(made.bits.take())

    assert (refused.status, refused.detail) == (
        Status.BAD_DIST_ERR,
        f"distance {distance} is beyond the history of 4096 bytes",
    )


def test_history_goes_on_across_blocks_of_every_kind() -> None:
    made = maker(4000)
    made.fixed(final=False)
    made.match(96, 1)
    made.end()
    made.stored(0)
    begin(made, "dynamic").match(3, 4096)
    made.end()

    output = inflate(made.bits.take(), 5000)

    assert output[4096:] == output[:3]


def test_a_page_cannot_hold_a_distance_that_is_too_long() -> None:
    for level in range(1, 10):
        assert inflate(raw(TEXT, level, 15), PAGE) == TEXT


# --- error codes ----------------------------------------------------------------------------------------------


def _reserved_type(made: Maker) -> None:
    made.header(3, final=True)


def _stored_lengths(made: Maker) -> None:
    made.header(0, final=True)
    made.bits.put_bytes(b"\x05\x00\xfb\xff")


def _before_start(made: Maker) -> None:
    made.fixed(final=True)
    made.literal()
    made.match(3, 2)


def _counts(literals: int, distances: int) -> Callable[[Maker], None]:
    def make(made: Maker) -> None:
        made.header(2, final=True)
        put_symbols(made.bits, made.rng, literals, distances, [(8, 0)])

    return make


def _symbols(*symbols: tuple[int, int]) -> Callable[[Maker], None]:
    """Code-length symbols for 257 literal/length and 2 distance codes."""

    def make(made: Maker) -> None:
        made.header(2, final=True)
        put_symbols(made.bits, made.rng, 257, 2, symbols)
        made.bits.put_bytes(bytes(20))

    return make


def _lengths(literals: list[int], distances: list[int]) -> Callable[[Maker], None]:
    def make(made: Maker) -> None:
        made.header(2, final=True)
        symbols = [(length, 0) for length in (*literals, *distances)]
        put_symbols(made.bits, made.rng, len(literals), len(distances), symbols)
        made.bits.put_bytes(bytes(20))

    return make


def _code_length_code(*lengths: int) -> Callable[[Maker], None]:
    def make(made: Maker) -> None:
        made.header(2, final=True)
        put_symbols(made.bits, made.rng, 257, 1, [], [*lengths, *[0] * (19 - len(lengths))])
        made.bits.put_bytes(b"\xff" * 20)

    return make


def _reserved_literal(made: Maker) -> None:
    made.fixed(final=True)
    made.literals.put(made.bits, 286)


def _reserved_distance(made: Maker) -> None:
    made.fixed(final=True)
    made.literal()
    made.put_length(3)
    made.distances.put(made.bits, 30)


def _no_end(made: Maker) -> None:
    made.fixed(final=True)
    made.literal()


ERRORS: Final[dict[str, tuple[Callable[[Maker], None], Status, str]]] = {
    "block type": (_reserved_type, Status.INVALID_BLOCK_TYPE, "block type is 3, expected 0 to 2"),
    "stored": (_stored_lengths, Status.INVALID_STORED_LEN_ERR, "LEN is 0x0005, NLEN 0xfffb"),
    "before start": (_before_start, Status.REF_BEFORE_START_ERR, "distance 2 is before the start, 1 back"),
    "literal count": (
        _counts(287, 1),
        Status.TOO_MANY_LL_CODES_ERR,
        "287 literal/length codes, expected at most 286",
    ),
    "distance count": (_counts(257, 31), Status.TOO_MANY_D_CODES_ERR, "31 distance codes, expected at most 30"),
    "first is 16": (
        _symbols((16, 0)),
        Status.FIRST_LL_CODE_16_ERR,
        "the first literal/length length repeats the one before",
    ),
    "first distance is 16": (
        _symbols((18, 127), (18, 107), (1, 0), (16, 0)),
        Status.FIRST_D_CODE_16_ERR,
        "the first distance length repeats the one before",
    ),
    "run across": (
        _symbols((18, 127), (18, 106), (1, 0), (17, 0)),
        Status.WRONG_NUM_LL_CODES_ERR,
        "a repeat of 3 runs from literal/length 256 into the distances, after 257",
    ),
    "run beyond": (
        _symbols((18, 127), (18, 107), (1, 0), (17, 0)),
        Status.WRONG_NUM_DIST_CODES_ERR,
        "a repeat of 3 runs beyond the last distance length",
    ),
    "code-length code": (
        _code_length_code(1, 1, 1),
        Status.BAD_CL_CODE_LEN_ERR,
        "the code-length code is over-subscribed",
    ),
    "code-length hole": (_code_length_code(2, 2), Status.UNDEF_CL_CODE_ERR, "bits that are no code-length code"),
    "literal code": (
        _lengths([1, 1, 1, *[0] * 254], [0]),
        Status.BAD_LL_CODE_LEN_ERR,
        "the literal/length code is over-subscribed",
    ),
    "distance code": (
        _lengths([1, *[0] * 255, 1], [1, 1, 1]),
        Status.BAD_DIST_CODE_LEN_ERR,
        "the distance code is over-subscribed",
    ),
    "no literals": (_lengths([0] * 257, [1]), Status.NO_LL_CODE_ERR, "all literal/length codes have length 0"),
    "literal": (_reserved_literal, Status.BAD_LL_CODE_ERR, "bits that are no literal/length code"),
    "distance": (_reserved_distance, Status.BAD_D_CODE_ERR, "bits that are no distance code"),
    "no end": (_no_end, Status.BAD_EOF_ERR, "incomplete or truncated stream: no end of the final block"),
}


@pytest.mark.parametrize("room", [PAGE, 1 << 20])
@pytest.mark.parametrize("error", ERRORS)
def test_each_defect_has_the_code_that_status_h_gives_it(error: str, room: int) -> None:
    defect, status, detail = ERRORS[error]
    made = maker()
    defect(made)

    refused = refusal(made.bits.take(), room)

    assert (refused.status, refused.detail) == (status, detail)


def test_statuses_have_the_numbers_and_names_of_status_h() -> None:
    assert (Status.BAD_DIST_ERR, Status.BAD_DIST_ERR.label) == (217, "QPL_STS_BAD_DIST_ERR")


def test_code_lengths_may_run_from_one_alphabet_into_the_other_in_software_only() -> None:
    assert zlib.decompress(spanning(), -15) == b"\0"
    assert inflate(spanning(), PAGE, spanning=True) == b"\0"
    assert refusal(spanning(), PAGE).status is Status.WRONG_NUM_LL_CODES_ERR


@pytest.mark.parametrize("stream", [raw(TEXT), raw(NOISE), raw(TEXT, 0), raw(b"")], ids=["text", "noise", "0", "empty"])
@pytest.mark.parametrize("room", [PAGE, 1 << 20])
def test_every_prefix_ends_before_its_final_block_does(stream: bytes, room: int) -> None:
    step = 1 if len(stream) < 300 else 37

    assert {refusal(stream[:size], room).status for size in range(0, len(stream), step)} == {Status.BAD_EOF_ERR}


def test_all_but_one_bit_of_a_literal_that_stands_for_nothing_is_an_end_of_the_input() -> None:
    made = maker()
    made.fixed(final=True)
    for _ in range(6):
        made.literals.put(made.bits, 200)  # 9 bits each, so that the last bit of the next begins a byte
    made.literals.put(made.bits, 286)

    assert refusal(made.bits.take()[:8]).status is Status.BAD_EOF_ERR


def test_all_but_one_bit_of_a_distance_that_stands_for_nothing_is_an_end_of_the_input() -> None:
    assert refusal(bytes.fromhex("fb82f4")).status is Status.BAD_EOF_ERR


@pytest.mark.parametrize("room", [PAGE, PAGE + 1])
def test_what_follows_the_stream_is_not_looked_at(room: int) -> None:
    assert inflate(raw(TEXT) + b"garbage", room) == TEXT


@pytest.mark.parametrize("data", [TEXT, NOISE, TEXT * 3])
def test_one_byte_too_little_room_is_an_overflow(data: bytes) -> None:
    refused = refusal(raw(data), len(data) - 1)

    assert (refused.status, refused.output) == (Status.MORE_OUTPUT_NEEDED, data[:-1])
    assert refused.detail == f"more than the expected {len(data) - 1} bytes"


def test_no_room_at_all_is_a_short_destination() -> None:
    assert refusal(raw(b"x"), 0).status is Status.DST_IS_SHORT_ERR


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 30), st.integers(0, 9), st.sampled_from((0, 5000)))
def test_what_zlib_writes_within_4096_bytes_is_read(data: bytes, times: int, level: int, more: int) -> None:
    assert inflate(raw(data * times, level), len(data) * times + more) == data * times


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 8 * 60 - 1), st.integers(0, 8 * 60 - 1))
def test_what_zlib_reads_after_bits_flipped_is_read_the_same(first: int, second: int) -> None:
    stream = bytearray(raw(TEXT[:1500] + NOISE[:200]))
    for bit in (first, second):
        stream[bit // 8] ^= 1 << bit % 8
    decoder = zlib.decompressobj(-15)
    try:
        expected = decoder.decompress(stream, PAGE + 1)
    except zlib.error:
        return

    if decoder.eof and len(expected) <= PAGE:
        assert inflate(bytes(stream), 1 << 20, spanning=True) == expected


# --- descriptors and the queue --------------------------------------------------------------------------------


def test_a_job_holds_2_mib_and_not_a_byte_more() -> None:
    just, more = (execute(Descriptor("compress", bytes(size), MAX_TRANSFER)) for size in (2 << 20, (2 << 20) + 1))

    assert just.completion is Completion.SUCCESS
    assert (more.completion, more.status) == (Completion.INVALID_SIZE, Status.TRANSFER_SIZE_INVALID)
    assert more.detail == "source is 2097153 bytes, expected at most 2097152"


def test_a_job_writes_2_mib_at_most() -> None:
    record = execute(Descriptor("decompress", raw(bytes((2 << 20) + 1)), 3 << 20))

    assert (record.completion, len(record.output)) == (Completion.OUTPUT_OVERFLOW, 2 << 20)


def test_no_state_survives_a_job() -> None:
    stream = zlib.compressobj(1, zlib.DEFLATED, -12)
    first = stream.compress(TEXT) + stream.flush(zlib.Z_SYNC_FLUSH)
    second = stream.compress(TEXT) + stream.flush()

    assert execute(Descriptor("decompress", first, PAGE)).status is Status.BAD_EOF_ERR
    assert execute(Descriptor("decompress", second, PAGE)).status is Status.REF_BEFORE_START_ERR


def test_compression_that_does_not_fit_is_an_overflow() -> None:
    record = execute(Descriptor("compress", NOISE, PAGE - 1))

    assert (record.completion, record.status) == (Completion.ANALYTICS_ERROR, Status.DST_IS_SHORT_ERR)


def test_a_queue_takes_its_depth_and_completes_in_order() -> None:
    queue = WorkQueue(depth=2)
    jobs = [Descriptor("decompress", raw(text), 9) for text in (b"first", b"second", b"third")]

    assert [queue.submit(job) for job in jobs] == [True, True, False]
    assert [queue.complete().output, queue.complete().output] == [b"first", b"second"]
    assert queue.submit(jobs[2])


def test_every_so_manieth_job_ends_with_a_page_fault() -> None:
    queue = WorkQueue(depth=1, fault=3)
    completions = []
    for _ in range(6):
        queue.submit(Descriptor("decompress", raw(b"x"), 1))
        completions.append(queue.complete().completion)

    assert completions == [Completion.SUCCESS, Completion.SUCCESS, Completion.PAGE_FAULT] * 2


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


def test_it_says_what_it_is() -> None:
    codec = iaa()

    assert (codec.provenance, codec.device, codec.decoder.window) == ("emulated", "IAA", 12)
