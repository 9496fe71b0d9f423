"""What is no DEFLATE: each defect has its name and its place."""

from __future__ import annotations

from typing import Final

import pytest

from multifd.framing.deflate import walk
from multifd.framing.walked import DeflateError, TruncatedDeflate
from tests.framing.bits import (
    A_AND_END,
    A_MATCH_AND_END,
    END_ALONE,
    LONE_CODES,
    Bits,
    literal_lengths,
)
from tests.framing.inflate import REFUSED, walk_verdict, zlib_verdict

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
