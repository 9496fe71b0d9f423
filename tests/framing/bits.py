"""DEFLATE written by hand: a second reading of RFC 1951, independent of the tables that it tests."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

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


LONE_CODES: Final = {
    "end": Bits().dynamic(END_ALONE, [0]).code(0, 1),
    "distance": Bits().dynamic(A_MATCH_AND_END, [1]).code(0, 1).code(0b11, 2).code(0, 1).code(0b10, 2),
    "end-in-the-last-bit": (Bits().fixed([], final=False).fixed([200], final=False).dynamic(A_AND_END, [0]).code(1, 1)),
    "no-distance": Bits().dynamic(A_AND_END, [0]).code(0, 1).code(1, 1),
}
