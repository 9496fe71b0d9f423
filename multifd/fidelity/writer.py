"""DEFLATE as it is written (RFC 1951): bits, codes, blocks and tokens, right or deliberately wrong."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Final, Literal

from multifd.codec.silicon.rfc1951 import (
    CODE_LENGTH_ORDER,
    DISTANCES,
    END_OF_BLOCK,
    FIXED_DISTANCES,
    FIXED_LITERALS,
    LENGTHS,
    REPEATS,
    codes,
)

_LENGTH_BASES: Final = [row.base for row in LENGTHS]
_DISTANCE_BASES: Final = [row.base for row in DISTANCES]
NOISE: Final = Random("multifd.fidelity").randbytes(1 << 17)
"""Bytes that are stored, or stand where nothing sensible can."""


class Bits:
    """Bits packed as RFC 1951, section 3.1.1, says: from the least significant bit of each byte."""

    def __init__(self) -> None:
        self._whole = bytearray()
        self._held = 0
        self._count = 0

    def put(self, value: int, count: int) -> None:
        """Append the low ``count`` bits of ``value``, which has no others."""
        self._held |= value << self._count
        self._count += count
        if self._count >= 512:
            self._whole += self._held.to_bytes(self._count // 8 + 1, "little")[: self._count // 8]
            self._held >>= self._count // 8 * 8
            self._count %= 8

    def put_bytes(self, data: bytes) -> None:
        """Append bytes at the next byte boundary."""
        self._whole += self._held.to_bytes((self._count + 7) // 8, "little") + data
        self._held = self._count = 0

    def __len__(self) -> int:
        return 8 * len(self._whole) + self._count

    def take(self) -> bytes:
        """All of it; the last byte is filled up with zeros."""
        self.put_bytes(b"")
        return bytes(self._whole)


class Code:
    """A literal/length or a distance code, ready to be written with."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths = lengths
        self._codes = codes(lengths)
        self.symbols = [symbol for symbol, length in enumerate(lengths) if length]

    def put(self, bits: Bits, symbol: int) -> None:
        """Append the code of a symbol, which must have one."""
        bits.put(self._codes[symbol], self.lengths[symbol])

    def unassigned(self, rng: Random) -> tuple[int, int] | None:
        """Bits that are no code of an incomplete set, with their count; None for a complete one."""
        longest = max(self.lengths, default=0) or 1
        for value in rng.sample(range(1 << longest), min(1 << longest, 64)):
            if not any(value & (1 << self.lengths[s]) - 1 == self._codes[s] for s in self.symbols):
                return value, longest
        return None


_FIXED: Final = Code(FIXED_LITERALS), Code(FIXED_DISTANCES)


class Maker:
    """A stream in the making; ``produced`` is the output of what was written so far."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.bits = Bits()
        self.produced = 0
        self.literals, self.distances = _FIXED

    def stored(self, size: int, *, final: bool = False) -> None:
        """A stored block of at most 65535 bytes (section 3.2.4)."""
        self.header(0, final=final)
        start = self.rng.randrange(len(NOISE) - size)
        self.bits.put_bytes(
            size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + NOISE[start : start + size]
        )
        self.produced += size

    def header(self, kind: int, *, final: bool) -> None:
        """BFINAL and BTYPE (section 3.2.3)."""
        self.bits.put(final | kind << 1, 3)

    def fixed(self, *, final: bool) -> None:
        """Begin a block with the fixed code."""
        self.header(1, final=final)
        self.literals, self.distances = _FIXED

    def dynamic(self, literals: Sequence[int], distances: Sequence[int], runs: Runs = "apart", *, final: bool) -> None:
        """Begin a block with these code lengths, which need not be a code."""
        self.header(2, final=final)
        put_lengths(self.bits, self.rng, literals, distances, runs)
        self.literals, self.distances = Code(literals), Code(distances)

    def literal(self) -> None:
        """Any literal of the block's code."""
        symbol = self.rng.choice(self.literals.symbols[: bisect_right(self.literals.symbols, END_OF_BLOCK - 1)])
        self.literals.put(self.bits, symbol)
        self.produced += 1

    def match(self, length: int, distance: int) -> None:
        """A match, whether or not there is so much history."""
        self.put_length(length)
        symbol = bisect_right(_DISTANCE_BASES, distance) - 1
        base, extra = DISTANCES[symbol]
        self.distances.put(self.bits, symbol)
        self.bits.put(distance - base, extra)

    def put_length(self, length: int) -> None:
        """A length alone; 258 has a symbol of its own and may also be said with the one before."""
        symbol = bisect_right(_LENGTH_BASES, length) - 1
        if length == 258 and self.rng.random() < 0.3 and self.literals.lengths[256 + symbol]:
            symbol -= 1
        base, extra = LENGTHS[symbol]
        self.literals.put(self.bits, 257 + symbol)
        self.bits.put(length - base, extra)
        self.produced += length

    def end(self) -> None:
        """The end-of-block symbol."""
        self.literals.put(self.bits, END_OF_BLOCK)


Runs = Literal["apart", "spanning", "spanning-first", "none"]
"""How equal code lengths are repeated: within each alphabet; from one into the other; by a repeat that begins with the
first distance; not at all."""


def tree(rng: Random, leaves: int, deepest: int = 15) -> list[int]:
    """Lengths of a complete prefix code of that many leaves, at least 2, as bits per leaf."""
    lengths = [1, 1]
    while len(lengths) < leaves:
        index = rng.randrange(len(lengths))
        if lengths[index] < deepest:
            lengths[index] += 1
            lengths.append(lengths[index])
    return lengths


def alphabet(rng: Random, size: int, symbols: Sequence[int], deepest: int = 15) -> list[int]:
    """Code lengths of an alphabet in which just these symbols have codes, a complete set if there are two or more."""
    result = [0] * size
    wanted = sorted(set(symbols))
    lengths = tree(rng, len(wanted), deepest) if len(wanted) > 1 else [1]
    rng.shuffle(lengths)
    for symbol, length in zip(wanted, lengths, strict=False):
        result[symbol] = length
    return result


def put_lengths(bits: Bits, rng: Random, literals: Sequence[int], distances: Sequence[int], runs: Runs) -> None:
    """HLIT, HDIST, HCLEN and both alphabets' code lengths (section 3.2.7)."""
    symbols = list(repeated(literals, distances, runs))
    put_symbols(bits, rng, len(literals), len(distances), symbols)


def put_symbols(
    bits: Bits,
    rng: Random,
    literal_count: int,
    distance_count: int,
    symbols: Sequence[tuple[int, int]],
    code_lengths: list[int] | None = None,
) -> None:
    """A dynamic block's header with these code-length symbols, each with the value of its extra bits."""
    if code_lengths is None:
        code_lengths = alphabet(rng, 19, [symbol for symbol, _ in symbols] + [0, 18], 7)
    order = [code_lengths[symbol] for symbol in CODE_LENGTH_ORDER]
    listed = max((at + 1 for at, length in enumerate(order) if length), default=4)
    bits.put((literal_count - 257) & 31, 5)
    bits.put((distance_count - 1) & 31, 5)
    bits.put(max(listed, 4) - 4, 4)
    for length in order[: max(listed, 4)]:
        bits.put(length, 3)
    code = Code(code_lengths)
    for symbol, extra in symbols:
        code.put(bits, symbol)
        bits.put(extra, REPEATS[symbol].extra if symbol in REPEATS else 0)


def repeated(literals: Sequence[int], distances: Sequence[int], runs: Runs) -> Iterator[tuple[int, int]]:
    """The code-length symbols of both alphabets, each with the value of its extra bits."""
    if runs in {"apart", "none"}:
        for part in (literals, distances):
            yield from _runs(part, repeat=runs == "apart")
    elif runs == "spanning":
        yield from _runs([*literals, *distances])
    else:
        yield from _runs(literals)
        count = min(next((i for i, each in enumerate(distances) if each != literals[-1]), len(distances)), 6)
        yield 16, count - 3
        yield from _runs(distances[count:])


def _runs(lengths: Sequence[int], *, repeat: bool = True) -> Iterator[tuple[int, int]]:
    """Run-length coding as encoders do it: greedy."""
    starts = [at for at, (a, b) in enumerate(pairwise(lengths), 1) if a != b]
    for start, stop in pairwise([0, *starts, len(lengths)]):
        value, left = lengths[start], stop - start
        if value and left:
            yield value, 0
            left -= 1
        while repeat and left >= 3:
            count = min(left, 6 if value else 138)
            symbol = 16 if value else 17 if count < 11 else 18
            yield symbol, count - REPEATS[symbol].base
            left -= count
        yield from [(value, 0)] * left
