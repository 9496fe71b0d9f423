"""What is compressed already: a page cache of archives, pictures, packages.

The streams are valid and made here, since every release of a library may compress in its own way: a zlib header (RFC
1950), one block with the fixed codes (RFC 1951, section 3.2.6), the Adler-32. A token is as frequent as its code is
short, so the bits are as even as those of the best compressor, and compressing them again gains nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from multifd.memory.corpora.stream import Content, repeated
from multifd.memory.dice import Dice

OBJECTS: Final = 640 << 10
"""Bytes of compressed objects before they repeat: beyond the largest window (512 KiB)."""

TOKENS: Final = (700, 6000)
"""The fewest literals and matches of an object, and more than the most: about 1 to 8 KiB."""

_HEADER: Final = b"\x78\xda"
"""A window of 32 KiB, the best compression (RFC 1950, section 2.2)."""

_END: Final = 256
_LONGEST: Final = 284
"""Symbols: the end of the block, the last length that has extra bits; what is beyond is not drawn."""


def _mirrored(code: int, width: int) -> int:
    """Codes are written from their highest bit on, everything else from its lowest (RFC 1951, section 3.1.1)."""
    return int(f"{code:0{width}b}"[::-1], 2)


_RANGES: Final = ((0x30, 8, 144), (0x190, 9, 112), (0x00, 7, 24), (0xC0, 8, 8))
"""First code, bits, number of symbols (RFC 1951, section 3.2.6)."""
_CODES: Final = np.array([_mirrored(first + n, width) for first, width, count in _RANGES for n in range(count)])
_WIDTHS: Final = np.array([width for _, width, count in _RANGES for _ in range(count)])
_WEIGHTS: Final = [0 if s == _END or s > _LONGEST else 512 >> width for s, width in enumerate(_WIDTHS.tolist())]

_EXTRA: Final = np.array([0] * 265 + [bits for bits in range(1, 6) for _ in range(4)] + [0] * 3)
"""Bits that follow a length's code."""
_LENGTHS: Final = np.concatenate([[1] * 257, 3 + np.cumsum(1 << _EXTRA[_END:-1]) - 1])
"""The shortest length of each symbol; a literal is one byte."""

_DISTANCE_CODES: Final = np.array([_mirrored(code, 5) for code in range(30)])
_DISTANCE_EXTRA: Final = np.array([0, 0, *(bits for bits in range(14) for _ in range(2))])
_REACH: Final = np.cumsum(1 << _DISTANCE_EXTRA)
"""The longest distance of each code (RFC 1951, section 3.2.5)."""


def compressed(size: int, dice: Dice) -> Content:
    """Objects of about 1 to 8 KiB, each a zlib stream of its own."""
    return repeated(list(_objects(min(size, OBJECTS), dice)), size)


def _objects(size: int, dice: Dice) -> Iterator[bytes]:
    missing = size
    while missing > 0:
        block = _block(dice.integer(*TOKENS), dice)
        made = _HEADER + block + zlib.adler32(zlib.decompress(block, -15)).to_bytes(4, "big")
        missing -= len(made)
        yield made


def _block(tokens: int, dice: Dice) -> bytes:
    """A stream's only block."""
    symbols = dice.weighted(_WEIGHTS, tokens)
    symbols[0] %= _END  # a match needs something before it
    matches = symbols > _END
    extra = _EXTRA[symbols]
    longer = dice.integers(0, 1 << 5, tokens) & (1 << extra) - 1
    lengths = _LENGTHS[symbols] + longer

    before = np.cumsum(lengths) - lengths
    usable = np.searchsorted(_REACH, before, side="right")
    distances = dice.integers(0, 1 << 16, tokens) % np.maximum(1, usable)
    further = _DISTANCE_EXTRA[distances]
    beyond = dice.integers(0, 1 << 13, tokens) & (1 << further) - 1

    values = np.stack([_CODES[symbols], longer, _DISTANCE_CODES[distances], beyond], axis=1)
    widths = np.stack([_WIDTHS[symbols], extra, 5 * matches, further * matches], axis=1)
    return _packed(
        np.concatenate([[0b011], values.ravel(), [_CODES[_END]]]),
        np.concatenate([[3], widths.ravel(), [_WIDTHS[_END]]]),
    )


def _packed(values: NDArray[np.int64], widths: NDArray[np.int64]) -> bytes:
    """Write numbers of at most 16 bits in so many bits each, from the lowest on."""
    bits = np.unpackbits(values.astype("<u2").view(np.uint8).reshape(-1, 2), axis=1, bitorder="little")
    return np.packbits(bits[np.arange(16) < widths[:, np.newaxis]], bitorder="little").tobytes()
