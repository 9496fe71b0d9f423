"""IAA's decompressor: a history of 4096 bytes, and the status that each defect has."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from multifd.codec.silicon.iaa_inflate import inflate
from multifd.codec.silicon.iaa_status import Refusal, Status
from multifd.fidelity.writer import Maker, put_symbols
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


def one_dynamic_block(period: int) -> tuple[bytes, bytes]:
    """Content that repeats at a distance, and its stream."""
    content = bytes(random.Random(period).choices(b"abcdefghijklmnop", k=period)) + b"."
    data = (content * 3)[: 2 * period]
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    stream = coder.compress(data) + coder.flush()
    assert [(block.kind, block.final) for block in walk(stream).blocks] == [("dynamic", True)]
    return data, stream


@pytest.mark.parametrize("distance", [4095, 4096])
def test_one_block_with_a_distance_up_to_4096_is_read(distance: int) -> None:
    data, stream = one_dynamic_block(distance - 1)

    assert walk(stream).max_distance == distance
    assert inflate(stream, len(data)) == data


@pytest.mark.parametrize("distance", [4097, 6144, 6145, 8193])
def test_one_block_with_a_distance_beyond_4096_is_refused(distance: int) -> None:
    data, stream = one_dynamic_block(distance - 1)

    refused = refusal(stream, len(data))

    assert walk(stream).max_distance == distance
    assert refused.status is Status.BAD_DIST_ERR
    assert data.startswith(refused.output)


def test_one_fixed_block_with_a_distance_beyond_4096_is_refused() -> None:
    data = bytes(random.Random(1).choices(range(256), k=5000)) * 2
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_FIXED)

    assert refusal(coder.compress(data) + coder.flush(), len(data)).status is Status.BAD_DIST_ERR


def test_one_block_with_the_code_that_isal_has_for_everything_is_read_by_its_distances() -> None:
    near, far = (bytes(random.Random(1).choices(range(256), k=size)) * 2 for size in (3000, 9000))
    streams = [isal_zlib.compress(data, 0, -15) for data in (near, far)]

    assert all(walk(stream).blocks[0].final for stream in streams)
    assert inflate(streams[0], len(near)) == near
    assert refusal(streams[1], len(far)).status is Status.BAD_DIST_ERR


@pytest.mark.parametrize("room", [PAGE, PAGE + 1])
def test_what_follows_the_stream_is_not_looked_at(room: int) -> None:
    assert inflate(raw(TEXT) + b"garbage", room) == TEXT


@pytest.mark.parametrize("data", [TEXT, NOISE, TEXT * 3])
def test_one_byte_too_little_room_is_an_overflow(data: bytes) -> None:
    refused = refusal(raw(data), len(data) - 1)

    assert (refused.status, refused.output) == (Status.MORE_OUTPUT_NEEDED, data[:-1])
    assert refused.detail == f"more than the expected {len(data) - 1} bytes"


def test_too_little_room_is_an_overflow_whatever_follows() -> None:
    literals = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
    cut = (literals.compress(TEXT) + literals.flush())[:200]

    followed, unfinished = refusal(raw(TEXT) + b"garbage" * 9, len(TEXT) - 1), refusal(cut, 10)

    assert (followed.status, followed.output) == (Status.MORE_OUTPUT_NEEDED, TEXT[:-1])
    assert (unfinished.status, unfinished.output) == (Status.MORE_OUTPUT_NEEDED, TEXT[:10])


def test_no_room_at_all_is_a_short_destination() -> None:
    assert refusal(raw(b"x"), 0).status is Status.DST_IS_SHORT_ERR


@settings(max_examples=60)
@given(st.binary(max_size=300), st.integers(1, 30), st.integers(0, 9), st.sampled_from((0, 5000)))
def test_what_zlib_writes_within_4096_bytes_is_read(data: bytes, times: int, level: int, more: int) -> None:
    assert inflate(raw(data * times, level), len(data) * times + more) == data * times


@settings(max_examples=150)
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
