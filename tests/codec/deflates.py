"""DEFLATE streams for tests of codecs: from zlib, and written bit by bit."""

from __future__ import annotations

import zlib
from random import Random
from typing import Final

from multifd.fidelity.writer import Maker

PAGE: Final = 4096
TEXT: Final = (b"all work and no play makes a dull page, " * 103)[:PAGE]
NOISE: Final = Random(1).randbytes(PAGE)
LITERALS: Final = [8] * 225 + [9] * 61
DISTANCES: Final = [5] * 30


def raw(data: bytes, level: int = 6, window: int = 12) -> bytes:
    """A complete raw stream, by zlib."""
    stream = zlib.compressobj(level, zlib.DEFLATED, -window)
    return stream.compress(data) + stream.flush()


def maker(produced: int = 0) -> Maker:
    """A stream that has produced so many bytes, by stored blocks."""
    made = Maker(Random(1))
    while made.produced < produced:
        made.stored(min(65535, produced - made.produced))
    return made


def begin(made: Maker, kind: str) -> Maker:
    """The stream with a final block begun: ``fixed``, or a dynamic one."""
    if kind == "fixed":
        made.fixed(final=True)
    else:
        made.dynamic(LITERALS, DISTANCES, final=True)
    return made


def spanning() -> bytes:
    """A zero byte, valid for RFC 1951; a run of the code length 2 goes from end-of-block on into the distances."""
    made = maker()
    made.dynamic([1, *[0] * 255, 2, 2], [2, 2, 2, 2], "spanning", final=True)
    made.literal()
    made.end()
    return made.bits.take()


def empty_dynamic_block() -> bytes:
    """A final block whose one code is that of its end (RFC 1951, section 3.2.7)."""
    header = [(1, 1), (2, 2), (0, 5), (0, 5), (14, 4)]
    code_lengths = [(length, 3) for length in (0, 0, 1, 2, *[0] * 13, 2)]  # of 18, 0 and 1
    run_of_138, run_of_118, one, zero, end = [(0, 1), (127, 7)], [(0, 1), (107, 7)], (3, 2), (1, 2), (0, 1)
    bits = position = 0
    for value, count in (*header, *code_lengths, *run_of_138, *run_of_118, one, zero, end):
        bits |= value << position
        position += count
    return bits.to_bytes((position + 7) // 8, "little")
