"""The block of interest of a stream: a valid one, or one with exactly one defect.

Windows fail at edges, so distances are placed at and around 1, 4096, 8192, 32768 and the offset itself. RFC 1951 is
cited where a defect breaks it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from multifd.codec.silicon.rfc1951 import DISTANCES, END_OF_BLOCK
from multifd.fidelity.writer import NOISE, Code, Maker, Runs, alphabet, put_symbols, repeated

EDGES: Final = (1, 2, 4095, 4096, 4097, 4098, 8191, 8192, 24577, 32767, 32768)
"""Distances, in bytes, where something may change."""


def _length(rng: Random) -> int:
    return rng.choice((3, 4, 10, 11, 257, 258, 258, rng.randint(3, 258)))


def _distance(rng: Random, produced: int) -> int:
    """Mostly one that is allowed."""
    edge = rng.choice((*EDGES, produced, rng.randint(1, 4096)))
    return max(1, min(edge, produced, 32768))


def near(rng: Random, produced: int) -> int:
    """A distance that a history of 4096 bytes allows."""
    return max(1, min(rng.choice((1, 2, 3, 4095, 4096, produced, rng.randint(1, 4096))), produced, 4096))


def _some_tokens(maker: Maker, distance: Callable[[Random, int], int] = near) -> None:
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
    maker.bits.put_bytes(length.to_bytes(2, "little") + wrong.to_bytes(2, "little") + NOISE[:100])


def _reserved_type(maker: Maker) -> None:
    maker.header(3, final=True)
    maker.bits.put_bytes(NOISE[:20])


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
    symbols = list(repeated(literals, distances, "apart"))
    code_lengths = alphabet(rng, 19, [symbol for symbol, _ in symbols] + [0, 18], 7)
    if which == 2:
        at = rng.choice([at for at, length in enumerate(code_lengths) if length > 1] or [0])
        code_lengths[at] = max(1, code_lengths[at] - 1)
        symbols = []
    put_symbols(maker.bits, rng, len(literals), len(distances), symbols, code_lengths)
    maker.bits.put_bytes(NOISE[:40])


def _bad_header(maker: Maker) -> None:
    """Counts and repeats that lead out of the alphabets."""
    rng = maker.rng
    literals, distances = _full_codes(rng)
    symbols = list(repeated(literals, distances, "apart"))
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
    maker.bits.put_bytes(NOISE[:40])


def _thin_code_lengths(maker: Maker) -> None:
    """A code-length code that is incomplete, or no code at all."""
    rng = maker.rng
    literals, distances = _full_codes(rng)
    symbols = list(repeated(literals, distances, "apart"))
    code_lengths = alphabet(rng, 19, [symbol for symbol, _ in symbols] + [0, 18], 6)
    maker.header(2, final=True)
    if rng.random() < 0.2:
        put_symbols(maker.bits, rng, 257, 1, [], [0] * 19)
        maker.bits.put_bytes(NOISE[:100])
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
    maker.bits.put_bytes(NOISE[: rng.choice((0, 10))])


def _no_literals(maker: Maker) -> None:
    maker.dynamic([0] * 257, [1, 1], final=True)
    maker.bits.put_bytes(NOISE[:10])


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
