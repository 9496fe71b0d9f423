"""The Huffman codes of DEFLATE (RFC 1951, section 3.2): from code lengths to tables, and what makes them none.

A symbol of a literal/length or distance code stands for a base and a number of extra bits to be added to it (section
3.2.5), so that a table's entry says all that there is to know about the next bits of input.

The RFC does not say which codes a decoder must refuse; ``inftrees.c`` (zlib 1.3) does, and :func:`flaw` finds exactly
those: over-subscribed ones and incomplete ones, except a literal/length or distance code that is a single one-bit code,
and a distance code that is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["stored", "fixed", "dynamic"]

Row: TypeAlias = tuple[int, int]
"""What a symbol stands for: its base value, and how many extra bits are added to that."""

Entry: TypeAlias = tuple[int, int, int, int]
"""What bits of input mean: count of code and extra bits, base, count of code bits, mask of extra bits."""

_LITERAL: Final = 0
END_OF_BLOCK: Final = -1
_INVALID: Final = -2
"""Bases that are not lengths or distances; those are all positive."""

CODE_LENGTH_ORDER: Final = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
CODE_LENGTH_ROWS: Final[Sequence[Row]] = [*((length, 0) for length in range(16)), (16, 2), (17, 3), (18, 7)]
REPEAT_FROM: Final = {16: 3, 17: 3, 18: 11}


def _rows(base: int, extras: Sequence[int]) -> list[Row]:
    rows = []
    for extra in extras:
        rows.append((base, extra))
        base += 1 << extra
    return rows


_LENGTH_EXTRA: Final = [0] * 8 + [extra for extra in range(1, 6) for _ in range(4)]
LITERAL_ROWS: Final[Sequence[Row]] = [
    *[(_LITERAL, 0)] * 256,
    (END_OF_BLOCK, 0),
    *_rows(3, _LENGTH_EXTRA),
    (258, 0),  # 284 can say 258 too, with its extra bits; the longest match has a shorter symbol of its own
    *[(_INVALID, 0)] * 2,
]
_DISTANCE_EXTRA: Final = [0] * 4 + [extra for extra in range(1, 14) for _ in range(2)]
DISTANCE_ROWS: Final[Sequence[Row]] = [*_rows(1, _DISTANCE_EXTRA), *[(_INVALID, 0)] * 2]


class Codes(NamedTuple):
    """The two codes of a block that has some."""

    kind: Kind
    literals: list[Entry]
    distances: list[Entry]
    longest: int
    """Bits of the longest code of both."""


def flaw(lengths: Sequence[int], *, lone: bool = False) -> str | None:
    """What zlib's ``inflate_table`` finds wrong with these code lengths, None if nothing.

    ``lone`` permits one code of one bit, or none.
    """
    space = sum(1 << 15 - length for length in lengths if length)
    if space > 1 << 15:
        return "over-subscribed"
    if space < 1 << 15 and not (lone and max(lengths) <= 1):
        return "incomplete"
    return None


def table(lengths: Sequence[int], rows: Sequence[Row]) -> list[Entry]:
    """The canonical code of RFC 1951, section 3.2.2, indexed by as many next bits as its longest code has.

    A code is packed from its most significant bit, so it stands reversed in the low bits of an index; every
    value of the bits above them is another index of the same symbol.
    """
    longest = max(lengths)
    entries: list[Entry] = [(1, _INVALID, 1, 0)] * (1 << longest)
    code = 0
    for symbol in sorted(filter(lengths.__getitem__, range(len(lengths))), key=lengths.__getitem__):
        length = lengths[symbol]
        base, extra = rows[symbol]
        entry = (length + extra, base, length, (1 << extra) - 1)
        entries[code :: 1 << length] = [entry] * (1 << (longest - length))
        carry = 1 << length - 1
        while code & carry:
            code ^= carry
            carry >>= 1
        code |= carry
    return entries


FIXED: Final = Codes(
    "fixed",
    table([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8, LITERAL_ROWS),
    table([5] * 32, DISTANCE_ROWS),
    9,
)
