"""The walker measures what decoders see: the same counts, the same distances as zlib."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip_lib

from multifd.framing.deflate import walk
from multifd.framing.walked import Block, Walk
from tests.framing.bits import (
    A_MATCH_AND_END,
    DISTANCE_BASES,
    Bits,
    literal_lengths,
)
from tests.framing.deflaters import DATA, ENCODERS, PERIOD, SIZE, STRATEGIES, raw, text
from tests.framing.inflate import strict_window_output

# --- Counts agree with what decoders produce. ---


def test_there_are_many_encoders() -> None:
    assert len(ENCODERS) > 200


@cache
def walked(name: str, encoder: str) -> Walk:
    return walk(ENCODERS[encoder][1](DATA[name]))


@pytest.mark.parametrize("name", DATA)
def test_every_encoder_is_walked_to_its_end(name: str) -> None:
    ends = {encoder: walked(name, encoder) for encoder in ENCODERS}

    assert {
        encoder: seen
        for encoder, seen in ends.items()
        if (seen.final, seen.output, seen.far, seen.too_far) != (True, SIZE, None, None)
    } == {}


@pytest.mark.parametrize("name", DATA)
def test_no_encoder_exceeds_the_distance_it_promises(name: str) -> None:
    distances = {encoder: (walked(name, encoder).max_distance, most) for encoder, (most, _) in ENCODERS.items()}

    assert {encoder: both for encoder, both in distances.items() if both[0] > both[1]} == {}


def test_distances_in_periodic_data_are_multiples_of_the_period() -> None:
    distances = {encoder: walked("periodic", encoder).max_distance for encoder in ENCODERS}

    assert {encoder: distance for encoder, distance in distances.items() if distance % PERIOD} == {}


@given(
    pieces=st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 60)), max_size=20),
    level=st.integers(0, 9),
    bits=st.integers(9, 15),
    strategy=st.sampled_from(STRATEGIES),
)
def test_output_is_counted_exactly(pieces: list[tuple[bytes, int]], level: int, bits: int, strategy: int) -> None:
    data = b"".join(piece * count for piece, count in pieces)

    seen = walk(raw(data, level, bits, strategy))

    assert (seen.final, seen.output) == (True, len(data))


def test_blocks_add_up_to_the_stream() -> None:
    stream = raw(text(4 * SIZE))

    seen = walk(stream)

    assert len(seen.blocks) > 1
    assert [block.start_bit for block in seen.blocks] == [0, *(block.end_bit for block in seen.blocks[:-1])]
    assert sum(block.output for block in seen.blocks) == seen.output
    assert max(block.max_distance for block in seen.blocks) == seen.max_distance
    assert [block.final for block in seen.blocks] == [False] * (len(seen.blocks) - 1) + [True]


def test_a_fixed_block_is_measured() -> None:
    stream = Bits().fixed([97, 98, 200, (258, 3), (5, 2)])

    (block,) = walk(stream.to_bytes()).blocks

    assert block == Block(
        kind="fixed",
        final=True,
        start_bit=0,
        end_bit=stream.count,
        output=266,
        max_distance=3,
        max_length=258,
        tokens=5,
        longest_code=9,
    )


def test_a_stored_block_is_measured() -> None:
    stream = Bits().fixed([], final=False).stored(b"page", final=True)

    block = walk(stream.to_bytes()).blocks[1]

    assert block == Block(
        kind="stored",
        final=True,
        start_bit=10,
        end_bit=stream.count,
        output=4,
        max_distance=0,
        max_length=0,
        tokens=0,
        longest_code=0,
    )


def test_a_dynamic_block_is_measured() -> None:
    header = Bits().dynamic(A_MATCH_AND_END, [0, 0, 0, 1])
    stream = header.code(0, 1).code(0, 1).code(0, 1).code(0, 1).code(0b11, 2).code(0, 1).code(0b10, 2)

    (block,) = walk(stream.to_bytes()).blocks

    assert block == Block(
        kind="dynamic",
        final=True,
        start_bit=0,
        end_bit=stream.count,
        output=7,
        max_distance=4,
        max_length=3,
        tokens=5,
        longest_code=2,
    )


def test_the_longest_code_of_a_dynamic_block_is_what_it_declares() -> None:
    lengths = literal_lengths({97 + place: place + 1 for place in range(14)} | {200: 15, 256: 15})
    stream = Bits().dynamic(lengths, [0]).code(0, 1).code((1 << 15) - 2, 15).code((1 << 15) - 1, 15)

    (block,) = walk(stream.to_bytes()).blocks

    assert (block.longest_code, block.tokens) == (15, 2)


@pytest.mark.parametrize("length", range(3, 259))
def test_every_match_length_is_read(length: int) -> None:
    stream = Bits().fixed([97, (length, 1)]).to_bytes()

    seen = walk(stream)

    assert (seen.output, seen.blocks[0].max_length) == (1 + length, length)


def test_symbol_284_with_all_its_extra_bits_is_a_match_of_258() -> None:
    stream = Bits().put(0b011, 3).fixed_symbol(97).fixed_symbol(284).put(31, 5).code(0, 5).fixed_symbol(256)

    seen = walk(stream.to_bytes())

    assert seen.blocks[0].max_length == 258


@pytest.mark.parametrize("literals", range(130))
def test_the_longest_token_is_read_wherever_it_starts(literals: int) -> None:
    # Two codes of 15 bits with 5 and 13 extra bits, after as many literals of one bit as move it by a refill.
    lengths = literal_lengths({97 + place: place + 1 for place in range(14)} | {256: 15, 284: 15}, 285)
    distances = [*range(1, 15), *[0] * 14, 15, 15]
    stream = Bits().dynamic(lengths, distances)
    for _ in range(literals):
        stream.code(0, 1)
    stream.code((1 << 15) - 1, 15).put(30, 5).code((1 << 15) - 1, 15).put((1 << 13) - 1, 13)
    for _ in range(200):
        stream.code(0, 1)
    stream.code((1 << 15) - 2, 15)

    (block,) = walk(stream.to_bytes()).blocks

    assert (block.max_length, block.max_distance) == (257, 32768)
    assert (block.output, block.tokens) == (literals + 257 + 200, literals + 1 + 200)


# --- Distances. ---

EDGES: Final = sorted({*DISTANCE_BASES, *(base - 1 for base in DISTANCE_BASES[1:]), 32768})


@pytest.mark.parametrize("distance", EDGES)
def test_every_distance_code_is_read(distance: int) -> None:
    stream = Bits().stored(bytes(32768)).fixed([(3, distance)]).to_bytes()

    seen = walk(stream)

    assert (seen.max_distance, seen.too_far) == (distance, None)


@pytest.mark.parametrize(("distance", "far"), [(4096, None), (4097, (5000, 4097))])
def test_a_match_beyond_the_window_is_far(distance: int, far: tuple[int, int] | None) -> None:
    stream = Bits().stored(bytes(5000)).fixed([(3, distance)]).to_bytes()

    seen = walk(stream, window=4096)

    assert seen.far == far


def test_only_the_first_far_match_is_reported() -> None:
    stream = Bits().stored(bytes(9000)).fixed([97, (3, 4096), (3, 4097), (3, 8000)]).to_bytes()

    seen = walk(stream, window=4096)

    assert seen.far == (9004, 4097)


def test_a_far_match_of_an_earlier_block_stays_the_first() -> None:
    stream = Bits().stored(bytes(9000)).fixed([(3, 4097)], final=False).fixed([(3, 8000)]).to_bytes()

    seen = walk(stream, window=4096)

    assert (seen.far, seen.max_distance) == ((9000, 4097), 8000)


@pytest.mark.parametrize("bits", range(9, 15))
@pytest.mark.parametrize("encode", [raw, igzip_lib.compress], ids=["zlib", "igzip"])
def test_far_is_where_an_inflate_with_that_window_refuses(encode: Callable[[bytes], bytes], bits: int) -> None:
    stream = encode(text(20_000))

    seen = walk(stream, window=1 << bits)

    assert (seen.far[0] if seen.far else None) == strict_window_output(stream, bits)


@pytest.mark.parametrize(("distance", "too_far"), [(2, None), (3, (2, 3)), (32768, (2, 32768))])
def test_a_match_from_before_the_start_is_too_far(distance: int, too_far: tuple[int, int] | None) -> None:
    stream = Bits().fixed([97, 98, (3, distance)]).to_bytes()

    seen = walk(stream)

    assert seen.too_far == too_far


@pytest.mark.parametrize(("history", "too_far"), [(98, None), (97, (2, 100))])
def test_history_is_within_reach(history: int, too_far: tuple[int, int] | None) -> None:
    stream = Bits().fixed([97, 98, (3, 100)]).to_bytes()

    seen = walk(stream, history=history)

    assert seen.too_far == too_far


def test_only_the_first_match_that_is_too_far_is_reported() -> None:
    stream = Bits().fixed([97, (3, 2), (3, 9), (3, 100)], final=False).fixed([(3, 500)]).to_bytes()

    seen = walk(stream)

    assert seen.too_far == (1, 2)
