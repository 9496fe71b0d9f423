"""The walker begins and stops where it is told, and goes from packet to packet of one stream."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifd.framing.deflate import walk
from multifd.framing.walked import DeflateError, Walk
from tests.framing.bits import (
    Bits,
    Token,
)
from tests.framing.deflaters import DATA, SIZE, flushed, raw, text
from tests.framing.inflate import walk_verdict, zlib_verdict

# --- Streams that do not end: packets of one stream for the life of a channel. ---


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])
def test_a_flushed_packet_ends_between_blocks(flush: int) -> None:
    (packet,) = flushed(flush, DATA["text"])

    seen = walk(packet)

    assert packet.endswith(b"\x00\x00\xff\xff")
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
    assert (seen.output, seen.max_distance, seen.consumed) == (0, 0, 0)
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


@pytest.mark.parametrize("tokens", [[97, *[(258, 1)] * 10_000], [97] * 20_000], ids=["matches", "literals"])
def test_a_bomb_is_refused_without_being_walked_to_its_end(tokens: list[Token]) -> None:
    stream = Bits().fixed(tokens).to_bytes()

    with pytest.raises(DeflateError) as caught:
        walk(stream, max_output=4096)

    assert caught.value.walk.output < 8192
