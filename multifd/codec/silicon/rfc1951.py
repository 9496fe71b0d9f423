"""The alphabets of DEFLATE (RFC 1951, sections 3.2.5 and 3.2.7), as rows of base value and count of extra bits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple


class Row(NamedTuple):
    """What a symbol stands for: ``base`` plus the value of ``extra`` bits that follow its code."""

    base: int
    extra: int


def _rows(first: int, extras: Sequence[int]) -> list[Row]:
    bases = accumulate((1 << extra for extra in extras), initial=first)
    return [Row(base, extra) for base, extra in zip(bases, extras, strict=False)]


LENGTHS: Final = [*_rows(3, [0] * 8 + [extra for extra in range(1, 6) for _ in range(4)]), Row(258, 0)]
"""Match lengths in bytes, of the symbols 257 to 285. Symbol 284 can say 258 too, with all its extra bits set."""

DISTANCES: Final = _rows(1, [0] * 4 + [extra for extra in range(1, 14) for _ in range(2)])
"""Match distances in bytes, of the symbols 0 to 29."""

END_OF_BLOCK: Final = 256

CODE_LENGTH_ORDER: Final = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
"""The order in which a dynamic block lists the lengths of the code-length code."""

REPEATS: Final = {16: Row(3, 2), 17: Row(3, 3), 18: Row(11, 7)}
"""Code-length symbols that repeat: 16 the length before, 17 and 18 zero."""

FIXED_LITERALS: Final = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
FIXED_DISTANCES: Final = [5] * 32
"""Code lengths of the fixed block (section 3.2.6); the last two symbols of either never occur in valid data."""


def _reversed(bits: int) -> list[int]:
    """Every number of so many bits with its bits in the opposite order."""
    found = [0]
    for bit in range(bits):
        found += [number | 1 << bits - 1 - bit for number in found]
    return found


_REVERSED: Final = _reversed(15)


def codes(lengths: Sequence[int]) -> list[int]:
    """The canonical code of section 3.2.2 for each symbol, bits reversed as they are packed; 0 for no code.

    The lengths may leave bits unassigned, but must not be over-subscribed.
    """
    following = [0] * (max(lengths, default=0) + 2)
    for length in lengths:
        following[length + 1] += 1 if length else 0
    for length in range(1, len(following)):
        following[length] = following[length] + following[length - 1] << 1
    result = []
    for length in lengths:
        result.append(_REVERSED[following[length]] >> 15 - length if length else 0)
        following[length] += 1
    return result
