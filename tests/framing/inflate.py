"""What zlib's inflate says of a stream, and what the walker says of the same bytes."""

from __future__ import annotations

import zlib
from typing import Final

from multifd.framing.deflate import walk
from multifd.framing.walked import DeflateError, TruncatedDeflate

Verdict = tuple[str, int, int]
REFUSED: Final = ("refused", 0, 0)


def zlib_verdict(data: bytes) -> Verdict:
    """Accepted or unfinished, bytes of output, bytes of input used; or refused."""
    stream = zlib.decompressobj(-15)
    try:
        output = stream.decompress(data)
    except zlib.error:
        return REFUSED
    if stream.eof:
        return "accepted", len(output), len(data) - len(stream.unused_data)
    return "unfinished", len(output), len(data)


def walk_verdict(data: bytes) -> Verdict:
    try:
        seen = walk(data)
    except TruncatedDeflate as problem:
        seen = problem.walk
    except DeflateError as problem:
        # An empty code-length code is one of zeros to zlib, which so refuses the block some bytes later.
        late = "code-length code is incomplete" in str(problem) and zlib_verdict(data + bytes(80)) == REFUSED
        return zlib_verdict(data) if late else REFUSED
    if seen.too_far:
        return REFUSED
    return ("accepted", seen.output, seen.consumed) if seen.final else ("unfinished", seen.output, len(data))


def strict_window_output(data: bytes, bits: int) -> int | None:
    """Bytes that zlib produces before it refuses a distance beyond the window, ``None`` if it never does.

    Asked for one byte at a time, inflate has nothing but its window to copy from.
    """
    stream = zlib.decompressobj(-bits)
    count = 0
    try:
        while not stream.eof:
            count += len(stream.decompress(data, 1))
            data = stream.unconsumed_tail
    except zlib.error:
        return count
    return None
