"""DEFLATE streams by grammar, valid ones and ones with exactly one defect.

A stream is a *run-up* of stored bytes and long matches to a chosen offset of the output, then one block of interest,
then, mostly, an end. Windows fail at edges, so distances are placed at and around 1, 4096, 8192, 32768 and the offset
itself; the offset is below 4 KiB, around a multiple of it, around 64 KiB (where inflate implementations change
buffers) or beyond. A defect is one of :data:`DEFECTS`; its name is the stream's kind.

Everything follows from seed and index. RFC 1951 is cited where a defect breaks it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from multifd.framing.container import Container

_LENGTH_BASES: Final = [row.base for row in LENGTHS]
_DISTANCE_BASES: Final = [row.base for row in DISTANCES]
_NOISE: Final = Random("multifd.fidelity").randbytes(1 << 17)

EDGES: Final = (1, 2, 4095, 4096, 4097, 4098, 8191, 8192, 24577, 32767, 32768)
"""Distances, in bytes, where something may change."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream to be decoded."""

    kind: str
    """What is special about it: a class for the report."""
    data: bytes
    room: int
    """Bytes that the decoder may write."""
    container: Container = Container.RAW


class Bits:
    """Bits packed as RFC 1951 section 3.1.1 says: from the least significant bit of each byte."""

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
        start = self.rng.randrange(len(_NOISE) - size)
        self.bits.put_bytes(
            size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + _NOISE[start : start + size]
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
    symbols = list(_repeated(literals, distances, runs))
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


def _repeated(literals: Sequence[int], distances: Sequence[int], runs: Runs) -> Iterator[tuple[int, int]]:
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


# --- the block of interest ------------------------------------------------------------------------------------


def _length(rng: Random) -> int:
    return rng.choice((3, 4, 10, 11, 257, 258, 258, rng.randint(3, 258)))


def _distance(rng: Random, produced: int) -> int:
    """Mostly one that is allowed."""
    edge = rng.choice((*EDGES, produced, rng.randint(1, 4096)))
    return max(1, min(edge, produced, 32768))


def _near(rng: Random, produced: int) -> int:
    return max(1, min(rng.choice((1, 2, 3, 4095, 4096, produced, rng.randint(1, 4096))), produced, 4096))


def _run_up(maker: Maker) -> None:
    """To the offset: little, around a multiple of 4 KiB, around 64 KiB, or beyond."""
    rng = maker.rng
    drawn = rng.random()
    if drawn < 0.45:
        target = rng.choice((1, 2, 3, 10, 258, 1000, 3000, 4000))
    elif drawn < 0.85:
        target = 4096 * rng.choice((1, 1, 1, 2, 3, 8, 9)) + rng.randint(-3, 3)
    elif drawn < 0.95:
        target = 65536 + rng.randint(-260, 260)
    else:
        target = rng.randint(66000, 100_000)
    if rng.random() < 0.5:
        maker.stored(min(target, 4096))
    else:
        maker.fixed(final=False)
        maker.literal()
        maker.end()
    if maker.produced < target:
        maker.fixed(final=False)
        while maker.produced < target:
            left = target - maker.produced
            if left < 3:
                maker.literal()
            else:
                maker.match(min(258, left), _near(rng, maker.produced))
        maker.end()


def _some_tokens(maker: Maker, distance: Callable[[Random, int], int] = _near) -> None:
    rng = maker.rng
    for _ in range(rng.randint(1, 6)):
        if rng.random() < 0.4 or not maker.produced:
            maker.literal()
        else:
            maker.match(_length(rng), distance(rng, maker.produced))


def _full_codes(rng: Random) -> tuple[list[int], list[int]]:
    """Codes in which every length and distance can be said."""
    literals = alphabet(rng, 286, [*rng.sample(range(256), rng.randint(1, 40)), *range(256, 286)])
    return literals, alphabet(rng, 30, range(30))


def _open(maker: Maker, *, final: bool = True) -> None:
    """Begin a fixed or a dynamic block."""
    if maker.rng.random() < 0.5:
        maker.fixed(final=final)
    else:
        maker.dynamic(*_full_codes(maker.rng), final=final)


def _valid(maker: Maker) -> None:
    _open(maker)
    _some_tokens(maker)
    maker.end()


def _far(maker: Maker) -> None:
    """Distances that RFC 1951 allows and a history of 4096 bytes may not."""
    _open(maker)
    _some_tokens(maker, _distance)
    maker.end()


def _exact(distance: int) -> Callable[[Maker], None]:
    def make(maker: Maker) -> None:
        while maker.produced < distance:
            maker.stored(min(65535, distance - maker.produced + maker.rng.choice((0, 1, 300))))
        _open(maker)
        maker.match(_length(maker.rng), distance)
        maker.end()

    return make


def _before_start(maker: Maker) -> None:
    distance = maker.produced + maker.rng.choice((1, 2, 100))
    _open(maker)
    maker.match(_length(maker.rng), min(distance, 32768))
    maker.end()


def _stored_end(maker: Maker) -> None:
    maker.stored(maker.rng.choice((0, 1, 4096, 100)), final=True)


def _bad_stored(maker: Maker) -> None:
    maker.header(0, final=True)
    length = maker.rng.randrange(1 << 16)
    wrong = length ^ 0xFFFF ^ 1 << maker.rng.randrange(16)
    maker.bits.put_bytes(length.to_bytes(2, "little") + wrong.to_bytes(2, "little") + _NOISE[:100])


def _reserved_type(maker: Maker) -> None:
    maker.header(3, final=True)
    maker.bits.put_bytes(_NOISE[:20])


def _spanning(maker: Maker) -> None:
    """Valid: "code length repeat codes can cross" from one alphabet into the other (section 3.2.7)."""
    rng = maker.rng
    runs: Runs = "spanning"
    if rng.random() < 0.3:
        # A run of zeros, where neither alphabet was cut short.
        literals, distances = _frugal(rng, [0] * rng.randint(1, 20)), [0] * rng.randint(2, 20) + [1, 1]
    else:
        length, count = rng.choice(((4, 16), (5, 30), (6, 30)))
        literals, distances = _frugal(rng, [length] * 3), [length] * count
        runs = rng.choice(("spanning", "spanning-first"))
    maker.dynamic(literals, distances, runs, final=True)
    for _ in range(rng.randint(0, 5)):
        maker.literal()
    maker.end()


def _frugal(rng: Random, tail: list[int]) -> list[int]:
    """Literal/length code lengths that end with ``tail``, at most three codes of 4 bits or more."""
    lengths = [0] * (rng.choice((265, 286)) - len(tail)) + tail
    lengths[rng.randrange(128)] = 1
    lengths[rng.randrange(128, 256)] = 2
    lengths[END_OF_BLOCK] = 6
    return lengths


def _one_distance(maker: Maker) -> None:
    """A single distance code of one bit, which section 3.2.7 permits."""
    symbol = maker.rng.choice((0, 1, 5, 20, 23))
    distances = [0] * (symbol + 1)
    distances[symbol] = 1
    literals, _ = _full_codes(maker.rng)
    distance = DISTANCES[symbol].base
    maker.stored(4096)
    maker.dynamic(literals, distances, final=True)
    maker.match(_length(maker.rng), distance)
    maker.end()


def _no_distance(maker: Maker) -> None:
    """ "One distance code of zero bits means that there are no distance codes used at all" (section 3.2.7)."""
    literals, _ = _full_codes(maker.rng)
    maker.dynamic(literals, [0], final=True)
    for _ in range(3):
        maker.literal()
    if maker.rng.random() < 0.4:
        maker.put_length(10)
        maker.bits.put(maker.rng.randrange(16), 4)
    maker.end()


def _thin(rng: Random, lengths: list[int]) -> list[int]:
    """Without one of its codes."""
    victim = rng.choice([at for at, length in enumerate(lengths) if length and at != END_OF_BLOCK])
    return [0 if at == victim else length for at, length in enumerate(lengths)]


def _incomplete(maker: Maker) -> None:
    """Codes that leave bits unassigned; half the streams use those."""
    rng = maker.rng
    literals, distances = _full_codes(rng)
    which = rng.randrange(2)
    if which:
        literals = _thin(rng, literals)
    else:
        distances = _thin(rng, distances)
    maker.dynamic(literals, distances, final=True)
    if not maker.literals.symbols[0] < END_OF_BLOCK:
        maker.end()
        return
    maker.literal()
    if rng.random() < 0.5:
        if not which and maker.literals.lengths[266]:
            maker.put_length(13)
        hole = (maker.literals if which else maker.distances).unassigned(rng)
        if hole:
            maker.bits.put(*hole)
    maker.end()


def _oversubscribed(maker: Maker) -> None:
    rng = maker.rng
    literals, distances = _full_codes(rng)
    which = rng.randrange(3)
    victim = (literals, distances, [])[which]
    if which < 2:
        at = rng.choice([at for at, length in enumerate(victim) if length > 1])
        victim[at] -= 1
    maker.header(2, final=True)
    symbols = list(_repeated(literals, distances, "apart"))
    code_lengths = alphabet(rng, 19, [symbol for symbol, _ in symbols] + [0, 18], 7)
    if which == 2:
        at = rng.choice([at for at, length in enumerate(code_lengths) if length > 1] or [0])
        code_lengths[at] = max(1, code_lengths[at] - 1)
        symbols = []
    put_symbols(maker.bits, rng, len(literals), len(distances), symbols, code_lengths)
    maker.bits.put_bytes(_NOISE[:40])


def _bad_header(maker: Maker) -> None:
    """Counts and repeats that lead out of the alphabets."""
    rng = maker.rng
    literals, distances = _full_codes(rng)
    symbols = list(_repeated(literals, distances, "apart"))
    literal_count, distance_count = len(literals), len(distances)
    match rng.randrange(4):
        case 0:
            literal_count = rng.choice((287, 288))
        case 1:
            distance_count = rng.choice((31, 32))
        case 2:
            symbols = [(16, 0), *symbols]
        case _:
            symbols = [*symbols[:-1], (18, 127)]
    maker.header(2, final=True)
    put_symbols(maker.bits, rng, literal_count, distance_count, symbols)
    maker.bits.put_bytes(_NOISE[:40])


def _thin_code_lengths(maker: Maker) -> None:
    """A code-length code that is incomplete, or no code at all."""
    rng = maker.rng
    literals, distances = _full_codes(rng)
    symbols = list(_repeated(literals, distances, "apart"))
    code_lengths = alphabet(rng, 19, [symbol for symbol, _ in symbols] + [0, 18], 6)
    maker.header(2, final=True)
    if rng.random() < 0.2:
        put_symbols(maker.bits, rng, 257, 1, [], [0] * 19)
        maker.bits.put_bytes(_NOISE[:100])
        return
    unused = [symbol for symbol in range(16) if not code_lengths[symbol]]
    if unused and rng.random() < 0.7:
        # All one bit longer, and half of the room empty.
        code_lengths = [length + 1 if length else 0 for length in code_lengths]
    put_symbols(maker.bits, rng, len(literals), len(distances), symbols, code_lengths)
    maker.literals, maker.distances = Code(literals), Code(distances)
    maker.literal()
    maker.end()


def _no_end_of_block(maker: Maker) -> None:
    rng = maker.rng
    literals = alphabet(rng, 286, [*rng.sample(range(256), 20), *range(257, 286)])
    maker.dynamic(literals, alphabet(rng, 30, range(30)), final=True)
    _some_tokens(maker)
    maker.bits.put_bytes(_NOISE[: rng.choice((0, 10))])


def _no_literals(maker: Maker) -> None:
    maker.dynamic([0] * 257, [1, 1], final=True)
    maker.bits.put_bytes(_NOISE[:10])


def _reserved_symbol(maker: Maker) -> None:
    """Literal/length 286 and 287, distance 30 and 31 have codes in the fixed block and no meaning (section 3.2.6)."""
    maker.fixed(final=True)
    _some_tokens(maker)
    if maker.rng.random() < 0.5:
        maker.literals.put(maker.bits, maker.rng.choice((286, 287)))
    else:
        maker.put_length(_length(maker.rng))
        maker.distances.put(maker.bits, maker.rng.choice((30, 31)))
    maker.end()


def _not_final(maker: Maker) -> None:
    """Ends between two blocks."""
    _open(maker, final=False)
    _some_tokens(maker)
    maker.end()


DEFECTS: Final[dict[str, Callable[[Maker], None]]] = {
    "valid": _valid,
    "far": _far,
    **{f"distance-{distance}": _exact(distance) for distance in (1, 4095, 4096, 4097, 32768)},
    "before-start": _before_start,
    "stored": _stored_end,
    "stored-lengths": _bad_stored,
    "reserved-type": _reserved_type,
    "spanning-run": _spanning,
    "one-distance-code": _one_distance,
    "no-distance-code": _no_distance,
    "incomplete": _incomplete,
    "over-subscribed": _oversubscribed,
    "header-counts": _bad_header,
    "code-length-code": _thin_code_lengths,
    "no-end-of-block": _no_end_of_block,
    "no-literals": _no_literals,
    "reserved-symbol": _reserved_symbol,
    "not-final": _not_final,
}
"""What the block of interest is, by the name of the class."""

_KINDS: Final = tuple(DEFECTS)
AFTERMATH: Final = ("", "", "", "", "", "+truncated", "+trailing", "+short-room", "+long-room")
"""What happens to one stream in two once it is made."""


def stream(seed: int, index: int) -> Stream:
    """The stream with this index, out of those of this seed; kinds take turns."""
    rng = Random(seed << 40 | index)
    kind = _KINDS[index % len(_KINDS)]
    maker = Maker(rng)
    if rng.random() < 0.8:
        _run_up(maker)
    DEFECTS[kind](maker)
    data, room = maker.bits.take(), max(maker.produced, 1)
    after = rng.choice(AFTERMATH)
    match after:
        case "+truncated":
            data = data[: rng.choice((rng.randrange(len(data)), max(0, len(data) - rng.randint(1, 8))))]
        case "+trailing":
            data += _NOISE[: rng.randint(1, 20)]
        case "+short-room":
            room = max(1, room - rng.choice((1, 2, 258, room // 2)))
        case "+long-room":
            room += rng.choice((1, 300, 70000))
    return Stream(kind + after, data, room)
