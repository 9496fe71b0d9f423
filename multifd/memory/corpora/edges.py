"""Content on the edges of DEFLATE (RFC 1951): its windows, its longest match, its longest code, its blocks, its gain.

An edge is where implementations differ: the last distance that a window reaches, the match length that has
two possible codes, the code that must be made shorter than Huffman's, the stored block that cannot hold more, the page
that compression does not make smaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, cycle
from types import MappingProxyType
from typing import Final

import numpy as np

from multifd.memory.corpora.language import text
from multifd.memory.corpora.stream import Content, fill, limited
from multifd.memory.dice import Dice

WINDOWS: Final = tuple(1 << bits for bits in range(8, 16))
"""Bytes; the windows that a zlib header can announce: 256 to 32768 (RFC 1950, section 2.2, CINFO)."""

RUN_LENGTHS: Final = (3, 4, 257, 258, 259, 260, 261, 262, 515, 516, 517, 518, 774, 775)
"""Bytes; around once, twice and three times 258, the longest match (RFC 1951, section 3.2.5): a run is one
literal and matches, so 259 needs exactly one of the longest."""

CODE_UNIT: Final = 16384
"""Bytes in which ``codes-15`` has its frequencies: zlib puts 16,383 literals in a block (deflate.h, zlib 1.3)."""

RARE: Final = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
"""Fibonacci numbers: how often each rare byte occurs in a unit; the end of the block is the other 1."""

COMMON: Final = 66
"""Bytes that share the rest of a unit evenly, each about as frequent as all rare ones together: so the rare
ones hang below a code of 6 or 7 bits, and matches, which would replace literals, are few."""

INCOMPRESSIBLE: Final = (65536, 100_000, 131_071, 200_000)
COMPRESSIBLE: Final = (512, 4096, 20_000)
"""Bytes; lengths of the stretches of ``stored-64k`` in turn. The length of a stored block is 16 bits, so it
holds at most 65,535 bytes (RFC 1951, section 3.2.4)."""

PAGE_EDGE: Final[Mapping[int, tuple[range, ...]]] = MappingProxyType(
    {
        4096: (range(4044, 4068), range(3864, 3888), range(3220, 3240)),
        16384: (range(16326, 16346), range(15514, 15534)),
        65536: (range(65459, 65471), range(62096, 62120), range(65368, 65380)),
    }
)
"""By page size, how many bytes of a page are incompressible where its stream becomes as long as the page.

Measured, and what lies around it: with dynamic codes (of zlib 1.2.13, zlib-ng 2.3.3, ISA-L 2.32.1, deflate 0.9.0,
libqatzip 2.0.0 and libqpl 1.9.0), with the fixed ones, and with those of ISA-L's level 0, which has its own. With
64 KiB encoders differ in how they cut blocks, so not all of them are met.
"""


def period(length: int, size: int, dice: Dice) -> Content:
    """Random bytes that repeat after exactly ``length`` bytes: a smaller window finds no match at all."""
    return np.resize(dice.noise(length), size).data


@limited
def runs(size: int, dice: Dice) -> Content:
    """Runs of equal bytes, each of one of RUN_LENGTHS; neighbours differ."""
    count = 1 + size // min(RUN_LENGTHS)
    lengths = np.array(RUN_LENGTHS)[dice.integers(0, len(RUN_LENGTHS), count)]
    lengths = lengths[: 1 + np.searchsorted(lengths.cumsum(), size)]
    values = dice.integers(1, 256, len(lengths)).cumsum().astype(np.uint8)
    return values.repeat(lengths)[:size].data


@limited
def long_codes(size: int, dice: Dice) -> Content:
    """Literals whose Huffman code would be longer than 15 bits, the limit (RFC 1951, section 3.2.7).

    Fibonacci frequencies make the deepest tree for a given number of symbols. Skewed bytes alone would not
    do: an encoder finds matches in them and hardly any literal is left.
    """
    alphabet = dice.order(256)[: len(RARE) + COMMON].astype(np.uint8)
    common = np.resize(alphabet[len(RARE) :], CODE_UNIT - sum(RARE))
    unit = np.concatenate([alphabet[: len(RARE)].repeat(RARE), common])
    # Of numbers of 16 bits numpy sorts half a million in the time of 50,000 longer ones; equal ones do no harm.
    keys = dice.noise(-(-size // CODE_UNIT) * CODE_UNIT * 2).cast("H")
    return unit[np.argsort(np.reshape(keys, (-1, CODE_UNIT)), axis=1, kind="stable")].ravel()[:size].data


@limited
def stored(size: int, dice: Dice) -> Content:
    """Random stretches that need several stored blocks, between stretches of text."""
    prose = text(max(COMPRESSIBLE), dice)
    lengths = zip(cycle(INCOMPRESSIBLE), cycle(COMPRESSIBLE), strict=False)
    return fill((piece for hard, easy in lengths for piece in (dice.noise(hard), prose[:easy])), size)


def page_edge(page_size: int, size: int, dice: Dice) -> Content:
    """Pages whose streams are just shorter than a page, as long, and just longer, by one byte from page to page.

    A page begins with bytes that no code and no match makes shorter, each value as often as any other, so that an
    encoder's stream grows by a byte with every byte of them; zeros follow.
    """
    return fill(_around(page_size, dice), size)


def _around(page_size: int, dice: Dice) -> Iterator[bytes]:
    """Sweep after sweep, each with an order of its own of the same values.

    libqpl 1.9.0 with fixed codes grows by two bytes for every second one of them. So in every second sweep eight zeros
    are replaced by a value whose fixed code is a bit longer (RFC 1951, section 3.2.6): what was odd is even then.
    """
    for longer in cycle((0, 8)):
        blocks = np.stack([dice.order(256) for _ in range(page_size // 256)]).astype(np.uint8)
        blocks[:longer][blocks[:longer] == 0] = 255
        values = blocks.tobytes()
        for length in chain(*PAGE_EDGE[page_size]):
            yield values[:length].ljust(page_size, b"\0")
