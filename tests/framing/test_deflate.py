"""The walker measures what decoders see: the same acceptance, the same counts, the same distances as zlib."""

from __future__ import annotations

import random
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import product
from typing import Final, Protocol

import deflate as libdeflate
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip_lib, isal_zlib
from zlib_ng import zlib_ng

from multifd.framing.deflate import SYNC_MARKER, Block, DeflateError, TruncatedDeflate, Walk, walk

# --- Streams written by hand: a second reading of RFC 1951, independent of the walker's tables. ---

Token = int | tuple[int, int]

LENGTH_BASES: Final = (
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
)  # fmt: skip
LENGTH_EXTRAS: Final = (0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0)
DISTANCE_BASES: Final = (
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
    4097, 6145, 8193, 12289, 16385, 24577,
)  # fmt: skip
CODE_LENGTH_ORDER: Final = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


class Bits:
    """Writes bits, the least significant first."""

    def __init__(self) -> None:
        self.value = 0
        self.count = 0

    def put(self, value: int, count: int) -> Bits:
        self.value |= value << self.count
        self.count += count
        return self

    def code(self, code: int, count: int) -> Bits:
        """A Huffman code, its most significant bit first."""
        for place in reversed(range(count)):
            self.put(code >> place & 1, 1)
        return self

    def align(self) -> Bits:
        return self.put(0, -self.count % 8)

    def to_bytes(self) -> bytes:
        return self.value.to_bytes((self.count + 7) // 8, "little")

    def stored(self, data: bytes, *, final: bool = False) -> Bits:
        self.put(final, 3).align().put(len(data), 16).put(len(data) ^ 0xFFFF, 16)
        return self.put(int.from_bytes(data, "little"), 8 * len(data))

    def fixed_symbol(self, symbol: int) -> Bits:
        if symbol < 144:
            return self.code(0b00110000 + symbol, 8)
        if symbol < 256:
            return self.code(0b110010000 + symbol - 144, 9)
        if symbol < 280:
            return self.code(symbol - 256, 7)
        return self.code(0b11000000 + symbol - 280, 8)

    def fixed(self, tokens: Iterable[Token], *, final: bool = True) -> Bits:
        self.put(final | 1 << 1, 3)
        for token in tokens:
            if isinstance(token, int):
                self.fixed_symbol(token)
                continue
            length, distance = token
            row = bisect_right(LENGTH_BASES, length) - 1
            self.fixed_symbol(257 + row).put(length - LENGTH_BASES[row], LENGTH_EXTRAS[row])
            row = bisect_right(DISTANCE_BASES, distance) - 1
            self.code(row, 5).put(distance - DISTANCE_BASES[row], max(0, row // 2 - 1))
        return self.fixed_symbol(256)

    def code_length_code(self, literals: int, distances: int, lengths: dict[int, int]) -> Bits:
        """The start of a final dynamic block, up to and with the code-length code."""
        self.put(0b101, 3).put(literals - 257, 5).put(distances - 1, 5).put(15, 4)
        for symbol in CODE_LENGTH_ORDER:
            self.put(lengths.get(symbol, 0), 3)
        return self

    def dynamic(self, literals: Sequence[int], distances: Sequence[int]) -> Bits:
        """The start of a final dynamic block with these code lengths, each written as a code of four bits."""
        self.code_length_code(len(literals), len(distances), dict.fromkeys(range(16), 4))
        for length in (*literals, *distances):
            self.code(length, 4)
        return self


def literal_lengths(lengths: dict[int, int], count: int = 257) -> list[int]:
    return [lengths.get(symbol, 0) for symbol in range(count)]


END_ALONE: Final = literal_lengths({256: 1})
A_AND_END: Final = literal_lengths({97: 1, 256: 1})
A_MATCH_AND_END: Final = literal_lengths({97: 1, 256: 2, 257: 2}, 258)

# --- Data and encoders. ---

SIZE: Final = 48 * 1024
"""More than the largest window, so that no encoder is spared by the end of the data."""


def text(size: int = SIZE, seed: int = 1) -> bytes:
    generator = random.Random(seed)
    words = [bytes(generator.choices(b"etaoinshrdlu", k=generator.randint(2, 9))) for _ in range(800)]
    return b" ".join(generator.choices(words, k=size))[:size]


PERIOD: Final = 1000
DATA: Final = {
    "text": text(),
    "random": random.Random(2).randbytes(SIZE),
    "zeros": bytes(SIZE),
    "periodic": (random.Random(3).randbytes(PERIOD) * (SIZE // PERIOD + 1))[:SIZE],
}

STRATEGIES: Final = (
    zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED,
)  # fmt: skip

Encoder = Callable[[bytes], bytes | bytearray]


class Stream(Protocol):
    """What the ``compressobj`` of zlib and of its likes returns."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self, mode: int = ..., /) -> bytes: ...


def raw(data: bytes, level: int = 6, bits: int = 15, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -bits, 8, strategy)
    return stream.compress(data) + stream.flush()


def zlib_api(compressobj: Callable[..., Stream], level: int, bits: int, strategy: int) -> Encoder:
    def encode(data: bytes) -> bytes:
        stream = compressobj(level, zlib.DEFLATED, -bits, 8, strategy)
        return stream.compress(data) + stream.flush()

    return encode


def encoders() -> Iterator[tuple[str, int, Encoder]]:
    """Name, largest distance that the encoder promises, encoder."""
    default = zlib.Z_DEFAULT_STRATEGY
    for name, compressobj in (("zlib", zlib.compressobj), ("zlib-ng", zlib_ng.compressobj)):
        for level, bits in product(range(10), range(9, 16)):
            # deflate.h (zlib 1.3), MAX_DIST: the window less MIN_LOOKAHEAD
            yield (
                f"{name}[level={level},bits={bits}]",
                (1 << bits) - 262,
                zlib_api(compressobj, level, bits, default),
            )
        for level, strategy in product((1, 6, 9), STRATEGIES[1:]):
            encode = zlib_api(compressobj, level, 15, strategy)
            yield f"{name}[level={level},strategy={strategy}]", 32768 - 262, encode
    for level, bits in product(range(4), range(9, 16)):
        encode = zlib_api(isal_zlib.compressobj, level, bits, default)
        yield f"isal[level={level},bits={bits}]", 1 << bits, encode
    for level in range(4):
        yield f"igzip[level={level}]", 32768, partial(igzip_lib.compress, level=level)
    for level in range(1, 13):
        encode_at_once = partial(libdeflate.deflate_compress, compresslevel=level)
        yield f"libdeflate[level={level}]", 32768, encode_at_once


ENCODERS: Final = {name: (most, encode) for name, most, encode in encoders()}

# --- What zlib's inflate says of the same bytes. ---

Verdict = tuple[str, int, int]
REFUSED: Final = ("refused", 0, 0)


def zlib_verdict(data: bytes) -> Verdict:
    """Accepted or unfinished, bytes of output, bytes of input used; or refused."""
    stream = zlib.decompressobj(-15)
    try:
        output = stream.decompress(data)
    except zlib.error:
        return REFUSED
    if stream.eof:
        return "accepted", len(output), len(data) - len(stream.unused_data)
    return "unfinished", len(output), len(data)


def walk_verdict(data: bytes) -> Verdict:
    try:
        seen = walk(data)
    except TruncatedDeflate as problem:
        seen = problem.walk
    except DeflateError as problem:
        # An empty code-length code is one of zeros to zlib, which so refuses the block some bytes later.
        late = "code-length code is incomplete" in str(problem) and zlib_verdict(data + bytes(80)) == REFUSED
        return zlib_verdict(data) if late else REFUSED
    if seen.too_far:
        return REFUSED
    return ("accepted", seen.output, seen.consumed) if seen.final else ("unfinished", seen.output, len(data))


def strict_window_output(data: bytes, bits: int) -> int | None:
    """Bytes that zlib produces before it refuses a distance beyond the window, ``None`` if it never does.

    Asked for one byte at a time, inflate has nothing but its window to copy from.
    """
    stream = zlib.decompressobj(-bits)
    count = 0
    try:
        while not stream.eof:
            count += len(stream.decompress(data, 1))
            data = stream.unconsumed_tail
    except zlib.error:
        return count
    return None


# --- Counts agree with what decoders produce. ---


@cache
def walked(name: str, encoder: str) -> Walk:
    return walk(ENCODERS[encoder][1](DATA[name]))


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("name", DATA)
def test_every_encoder_is_walked_to_its_end(name: str, encoder: str) -> None:
    seen = walked(name, encoder)

    assert (seen.final, seen.output, seen.far, seen.too_far) == (True, SIZE, None, None)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("name", DATA)
def test_no_encoder_exceeds_the_distance_it_promises(name: str, encoder: str) -> None:
    most, _ = ENCODERS[encoder]

    seen = walked(name, encoder)

    assert seen.max_distance <= most


@pytest.mark.parametrize("encoder", ENCODERS)
def test_distances_in_periodic_data_are_multiples_of_the_period(encoder: str) -> None:
    seen = walked("periodic", encoder)

    assert seen.max_distance % PERIOD == 0


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


# --- Streams that do not end: packets of one stream for the life of a channel. ---


def flushed(flush: int, *pieces: bytes) -> list[bytes]:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return [stream.compress(piece) + stream.flush(flush) for piece in pieces]


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])
def test_a_flushed_packet_ends_between_blocks(flush: int) -> None:
    (packet,) = flushed(flush, DATA["text"])

    seen = walk(packet)

    assert packet.endswith(SYNC_MARKER)
    assert (seen.output, seen.consumed, seen.final) == (SIZE, len(packet), False)
    assert (seen.aligned, seen.ends_with_sync_marker) == (True, True)


def test_packets_of_one_stream_are_walked_one_by_one() -> None:
    pieces = [text(9000, seed) for seed in (1, 1, 2, 1)]
    packets = flushed(zlib.Z_SYNC_FLUSH, *pieces)

    walks = [walk(packet, history=9000 * place) for place, packet in enumerate(packets)]

    assert [(seen.output, seen.too_far) for seen in walks] == [(9000, None)] * 4
    assert max(seen.max_distance for seen in walks) > 9000


def test_after_a_sync_flush_matches_reach_into_the_packet_before() -> None:
    _, second = flushed(zlib.Z_SYNC_FLUSH, DATA["text"][:5000], DATA["text"][:5000])

    seen = walk(second)

    assert seen.too_far is not None
    assert seen.too_far[1] == 5000


def test_after_a_full_flush_they_do_not() -> None:
    _, second = flushed(zlib.Z_FULL_FLUSH, DATA["text"][:5000], DATA["text"][:5000])

    seen = walk(second)

    assert seen.too_far is None


@pytest.mark.parametrize("size", range(100, 116))
def test_after_a_partial_flush_all_data_has_been_seen(size: int) -> None:
    (packet,) = flushed(zlib.Z_PARTIAL_FLUSH, DATA["text"][:size])

    verdict = walk_verdict(packet)

    assert verdict == ("unfinished", size, len(packet))


def test_an_empty_input_ends_between_blocks() -> None:
    seen = walk(b"")

    assert seen == Walk()
    assert (seen.aligned, seen.ends_with_sync_marker) == (True, False)


def test_a_final_block_that_ends_inside_a_byte_is_not_aligned() -> None:
    seen = walk(Bits().fixed([], final=False).fixed([]).to_bytes())

    assert (seen.blocks[-1].end_bit, seen.aligned) == (20, False)


@pytest.mark.parametrize(
    "stream",
    [
        Bits().stored(b"", final=True),
        Bits().stored(b"page"),
        Bits().stored(b"").fixed([]),
        Bits().fixed([], final=False).fixed([], final=False).fixed([], final=False).fixed([], final=False),
    ],
    ids=["final", "with-data", "not-last", "not-stored"],
)
def test_what_is_not_a_sync_marker(stream: Bits) -> None:
    assert walk(stream.to_bytes()).ends_with_sync_marker is False


# --- Where the walk begins and stops. ---


def test_the_walk_begins_at_start() -> None:
    stream = Bits().fixed([97]).to_bytes()

    seen = walk(b"\x78\x01" + stream, start=2)

    assert (seen.output, seen.consumed, seen.blocks[0].start_bit) == (1, len(stream), 16)


def test_what_follows_the_final_block_is_not_consumed() -> None:
    stream = raw(DATA["text"])

    seen = walk(stream + b"trailer")

    assert (seen.final, seen.consumed) == (True, len(stream))


@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview])
def test_any_buffer_can_be_walked(buffer: Callable[[bytes], bytes]) -> None:
    assert walk(buffer(Bits().fixed([97]).to_bytes())).output == 1


@pytest.mark.parametrize("limit", [0, 1, 2, 15, 16, 17, 31, 32, 33, 99])
def test_a_limit_stops_at_the_first_token_boundary_behind_it(limit: int) -> None:
    # After the three bits of the header, literals of eight bits each: n of them end behind byte n.
    stream = b"\xff\xff" + Bits().fixed([97] * 100).to_bytes()

    seen = walk(stream, start=2, limit=limit)

    assert (seen.truncated_by_limit, seen.output, seen.final) == (True, limit, False)
    assert (seen.blocks, seen.consumed) == ([], limit and limit + 1)


@pytest.mark.parametrize(("limit", "tokens"), [(6, 5), (15, 13), (24, 21)])
def test_a_limit_on_a_token_boundary_stops_there(limit: int, tokens: int) -> None:
    # Literals of nine bits: every eighth of them ends on a byte boundary.
    stream = Bits().fixed([200] * 100).to_bytes()

    seen = walk(stream, limit=limit)

    assert (seen.output, seen.consumed) == (tokens, limit)


def test_a_limit_between_blocks_stops_there() -> None:
    stream = Bits().stored(b"page").stored(b"page").to_bytes()

    seen = walk(stream, limit=9)

    assert (seen.truncated_by_limit, len(seen.blocks), seen.consumed) == (True, 1, 9)


def test_a_limit_that_the_stream_does_not_exceed_changes_nothing() -> None:
    stream = raw(DATA["text"])

    assert walk(stream, limit=len(stream)) == walk(stream)


@given(limit=st.integers(0, 400))
def test_a_limited_walk_has_seen_what_a_decoder_of_those_bytes_produces(limit: int) -> None:
    stream = raw(DATA["text"][:1000])

    seen = walk(stream, limit=limit)

    produced = [zlib_verdict(stream[:end])[1] for end in (limit, limit + 6)]
    assert produced[0] <= seen.output <= produced[1]


@pytest.mark.parametrize("stream", [Bits().fixed([97, (258, 1)]), Bits().stored(bytes(259), final=True)])
def test_output_up_to_the_bound_passes(stream: Bits) -> None:
    assert walk(stream.to_bytes(), max_output=259).output == 259


@pytest.mark.parametrize("tokens", [[97, (258, 1)], [97] * 259, [97] * 400], ids=["match", "literals", "more"])
def test_output_beyond_the_bound_is_refused(tokens: list[Token]) -> None:
    with pytest.raises(DeflateError, match=r"^deflate: output is more than 258 bytes, the most expected, at bit "):
        walk(Bits().fixed(tokens).to_bytes(), max_output=258)


def test_a_bomb_is_refused_without_being_walked_to_its_end() -> None:
    stream = Bits().fixed([97, *[(258, 1)] * 10_000]).to_bytes()

    with pytest.raises(DeflateError) as caught:
        walk(stream, max_output=4096)

    assert caught.value.walk.output < 8192


# --- Defects, each with its exact message. ---

DEFECTS: Final = {
    "block-type": (
        Bits().stored(b"").put(0b110, 3),
        "deflate: block type is 3, expected 0 (stored), 1 (fixed) or 2 (dynamic), at bit 40",
    ),
    "stored-complement": (
        Bits().put(0, 8).put(4, 16).put(0xFFFA, 16),
        "deflate: stored block has LEN 0x0004 and NLEN 0xfffa, expected NLEN 0xfffb, at bit 8",
    ),
    "literal-count": (
        Bits().dynamic(literal_lengths({256: 1}, 287), [0]),
        "deflate: literal/length code has 287 symbols, expected at most 286, at bit 3",
    ),
    "distance-count": (
        Bits().dynamic(END_ALONE, [0] * 31),
        "deflate: distance code has 31 symbols, expected at most 30, at bit 3",
    ),
    "code-length-over": (
        Bits().code_length_code(257, 1, {0: 1, 1: 1, 2: 1}),
        "deflate: code-length code is over-subscribed, at bit 17",
    ),
    "code-length-incomplete": (
        Bits().code_length_code(257, 1, {0: 1, 1: 2}),
        "deflate: code-length code is incomplete, at bit 17",
    ),
    "code-length-alone": (
        Bits().code_length_code(257, 1, {0: 1}),
        "deflate: code-length code is incomplete, at bit 17",
    ),
    "repeat-nothing": (
        Bits().code_length_code(257, 1, {0: 1, 16: 1}).code(1, 1).put(0, 2),
        "deflate: code-length symbol 16 repeats the previous length, expected one before it, at bit 74",
    ),
    "repeat-too-often": (
        Bits().code_length_code(257, 1, {0: 1, 18: 1}).code(1, 1).put(127, 7).code(1, 1).put(110, 7),
        "deflate: code-length symbol 18 repeats 121 times, expected at most 120, at bit 82",
    ),
    "no-end": (
        Bits().dynamic(literal_lengths({97: 1, 98: 1}), [0]),
        "deflate: literal/length code has no end-of-block symbol, at bit 74",
    ),
    "literal-over": (
        Bits().dynamic(literal_lengths({97: 1, 98: 1, 256: 1}), [0]),
        "deflate: literal/length code is over-subscribed, at bit 74",
    ),
    "literal-incomplete": (
        Bits().dynamic(literal_lengths({97: 1, 256: 2}), [0]),
        "deflate: literal/length code is incomplete, at bit 74",
    ),
    "literal-alone-of-two-bits": (
        Bits().dynamic(literal_lengths({256: 2}), [0]),
        "deflate: literal/length code is incomplete, at bit 74",
    ),
    "distance-over": (
        Bits().dynamic(A_AND_END, [1, 1, 1]),
        "deflate: distance code is over-subscribed, at bit 74",
    ),
    "distance-incomplete": (
        Bits().dynamic(A_AND_END, [1, 2]),
        "deflate: distance code is incomplete, at bit 74",
    ),
    "distance-alone-of-two-bits": (
        Bits().dynamic(A_AND_END, [2]),
        "deflate: distance code is incomplete, at bit 74",
    ),
    "literal-286": (
        Bits().put(0b011, 3).fixed_symbol(97).fixed_symbol(286),
        "deflate: literal/length code stands for no symbol, at bit 11",
    ),
    "literal-287": (
        Bits().put(0b011, 3).fixed_symbol(97).fixed_symbol(287),
        "deflate: literal/length code stands for no symbol, at bit 11",
    ),
    "literal-not-in-a-lone-code": (
        Bits().dynamic(END_ALONE, [0]).code(1, 1),
        "deflate: literal/length code stands for no symbol, at bit 1106",
    ),
    "distance-30": (
        Bits().put(0b011, 3).fixed_symbol(97).fixed_symbol(257).code(30, 5),
        "deflate: distance code stands for no symbol, at bit 18",
    ),
    "distance-31": (
        Bits().put(0b011, 3).fixed_symbol(97).fixed_symbol(257).code(31, 5),
        "deflate: distance code stands for no symbol, at bit 18",
    ),
    "distance-not-in-a-lone-code": (
        Bits().dynamic(A_MATCH_AND_END, [1]).code(0, 1).code(0b11, 2).code(1, 1),
        "deflate: distance code stands for no symbol, at bit 1113",
    ),
    "distance-in-an-empty-code": (
        Bits().dynamic(A_MATCH_AND_END, [0]).code(0, 1).code(0b11, 2).code(0, 1),
        "deflate: distance code stands for no symbol, at bit 1113",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_named_and_placed(name: str) -> None:
    stream, message = DEFECTS[name]

    with pytest.raises(DeflateError) as caught:
        walk(stream.to_bytes())

    assert str(caught.value) == message
    assert message.endswith(f" {caught.value.bit}")


@pytest.mark.parametrize("name", DEFECTS)
def test_zlib_refuses_the_same_defects(name: str) -> None:
    stream, _ = DEFECTS[name]

    assert zlib_verdict(stream.to_bytes()) == REFUSED


def test_an_empty_code_length_code_is_refused() -> None:
    stream = Bits().code_length_code(257, 1, {}).to_bytes()

    with pytest.raises(DeflateError, match=r"^deflate: code-length code is incomplete, at bit 17$"):
        walk(stream)

    assert zlib_verdict(stream + bytes(80)) == REFUSED


LONE_CODES: Final = {
    "end": Bits().dynamic(END_ALONE, [0]).code(0, 1),
    "distance": Bits().dynamic(A_MATCH_AND_END, [1]).code(0, 1).code(0b11, 2).code(0, 1).code(0b10, 2),
    "end-in-the-last-bit": (Bits().fixed([], final=False).fixed([200], final=False).dynamic(A_AND_END, [0]).code(1, 1)),
    "no-distance": Bits().dynamic(A_AND_END, [0]).code(0, 1).code(1, 1),
}


@pytest.mark.parametrize("name", LONE_CODES)
def test_codes_of_one_symbol_or_none_are_accepted(name: str) -> None:
    stream = LONE_CODES[name].to_bytes()

    verdict = walk_verdict(stream)

    assert verdict == zlib_verdict(stream)
    assert verdict[0] == "accepted"


def test_a_defect_comes_with_what_was_seen_before() -> None:
    stream = Bits().stored(b"page").put(0b011, 3).fixed_symbol(97).fixed_symbol(286)

    with pytest.raises(DeflateError) as caught:
        walk(stream.to_bytes())

    assert (len(caught.value.walk.blocks), caught.value.walk.output) == (1, 5)


@pytest.mark.parametrize(
    ("stream", "where"),
    [
        (b"\x00", "a stored block's header"),
        (b"\x00\x04\x00\xfb", "a stored block's header"),
        (b"\x00\x04\x00\xfb\xffpag", "a stored block"),
        (b"\x04", "a dynamic block's header"),
        (Bits().code_length_code(257, 1, {0: 1, 1: 1}).to_bytes(), "a dynamic block's header"),
        (Bits().dynamic(END_ALONE, [0]).to_bytes()[:-1], "a dynamic block's header"),
        (Bits().fixed([97] * 20).to_bytes()[:-1], "a fixed block"),
        (Bits().fixed([97, (10, 1)]).to_bytes()[:-1], "a fixed block"),
        (Bits().fixed([], final=False).fixed([200] * 3, final=False).to_bytes(), "a block header"),
    ],
)
def test_where_the_input_ends_is_named(stream: bytes, where: str) -> None:
    with pytest.raises(TruncatedDeflate) as caught:
        walk(stream)

    assert str(caught.value) == f"deflate: input ends inside {where}, at bit {8 * len(stream)}"


# --- The proof: on damaged bytes the walker says what zlib says. ---

STREAMS: Final = {
    "text": raw(DATA["text"][:700]),
    "text-level-1": raw(DATA["text"][:400], 1),
    "fixed": raw(DATA["text"][:150], strategy=zlib.Z_FIXED),
    "stored": raw(DATA["random"][:60], 0),
    "zeros": raw(bytes(5000)),
    "huffman-only": raw(DATA["text"][:200], strategy=zlib.Z_HUFFMAN_ONLY),
    "flushed": b"".join(flushed(zlib.Z_SYNC_FLUSH, DATA["text"][:100], DATA["text"][50:200], b"")),
    "partial": b"".join(flushed(zlib.Z_PARTIAL_FLUSH, DATA["text"][:100], DATA["text"][50:200])),
    "libdeflate": bytes(libdeflate.deflate_compress(DATA["text"][:500], 12)),
    "igzip": igzip_lib.compress(DATA["text"][:500], 1),
    "isal-fixed": igzip_lib.compress(DATA["text"][:150], 0),
    "matches": Bits().fixed([97, 98, (3, 2), (258, 1), (100, 200), (17, 5)]).to_bytes(),
    "blocks": Bits().stored(b"page").fixed([97, (30, 5)], final=False).stored(b"").fixed([]).to_bytes(),
    **{name: stream.to_bytes() for name, stream in LONE_CODES.items()},
}


@pytest.mark.parametrize("name", STREAMS)
def test_every_prefix_is_unfinished(name: str) -> None:
    stream = STREAMS[name]

    for end in range(len(stream)):
        assert walk_verdict(stream[:end]) == zlib_verdict(stream[:end])
        assert walk_verdict(stream[:end])[0] == "unfinished"


@pytest.mark.parametrize("name", STREAMS)
def test_every_flipped_bit_is_judged_as_zlib_does(name: str) -> None:
    stream = STREAMS[name]

    for bit in range(8 * len(stream)):
        damaged = bytearray(stream)
        damaged[bit // 8] ^= 1 << bit % 8
        assert walk_verdict(bytes(damaged)) == zlib_verdict(bytes(damaged)), f"bit {bit}"


@given(st.binary(max_size=300))
def test_random_bytes_are_judged_as_zlib_does(data: bytes) -> None:
    assert walk_verdict(data) == zlib_verdict(data)


@given(data=st.data(), name=st.sampled_from(sorted(STREAMS)))
def test_overwritten_streams_are_judged_as_zlib_does(data: st.DataObject, name: str) -> None:
    stream = bytearray(STREAMS[name])
    at = data.draw(st.integers(0, len(stream) - 1))
    patch = data.draw(st.binary(min_size=1, max_size=8))
    stream[at : at + len(patch)] = patch

    assert walk_verdict(bytes(stream)) == zlib_verdict(bytes(stream))


@st.composite
def code_lengths(draw: st.DrawFn, most: int) -> list[int]:
    """Lengths of a complete code of 2 to ``most`` symbols, or of one that a single change has broken."""
    lengths = [1, 1]
    for place in draw(st.lists(st.integers(0, most), max_size=most - 2)):
        length = lengths.pop(place % len(lengths))
        lengths += [length + 1] * 2 if length < 15 else [length]
    if draw(st.booleans()):
        lengths[-1] = draw(st.integers(0, 15))
    return lengths


@given(
    literals=code_lengths(29),
    first=st.integers(229, 256),
    distances=code_lengths(30),
    tail=st.binary(max_size=40),
)
def test_dynamic_codes_are_judged_as_zlib_does(
    literals: list[int], first: int, distances: list[int], tail: bytes
) -> None:
    lengths = literal_lengths({first + place: length for place, length in enumerate(literals)}, 286)
    stream = Bits().stored(bytes(32768)).dynamic(lengths, distances).to_bytes() + tail

    assert walk_verdict(stream) == zlib_verdict(stream)
