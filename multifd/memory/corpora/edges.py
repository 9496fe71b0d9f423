"""Content on the edges of DEFLATE (RFC 1951): its windows, its longest match, its longest code, its blocks.

An edge is where implementations differ: the last distance that a window reaches, the match length that has
two possible codes, the code that must be made shorter than Huffman's, the stored block that cannot hold more.
"""

from __future__ import annotations

from itertools import cycle
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
