"""The proof of the walker: on damaged bytes it says what zlib says."""

from __future__ import annotations

import zlib
from typing import Final

import deflate as libdeflate
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip_lib

from tests.framing.bits import (
    LONE_CODES,
    Bits,
    literal_lengths,
)
from tests.framing.deflaters import DATA, flushed, raw
from tests.framing.inflate import walk_verdict, zlib_verdict

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
