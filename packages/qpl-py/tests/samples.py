"""Data to compress, and streams that other encoders make of it."""

from __future__ import annotations

import random
import zlib

WBITS = {"raw": -15, "zlib": 15, "gzip": 31}


def text(size: int) -> bytes:
    """Compressible, and different all along."""
    return b"".join(b"line %d of some text\n" % (i * 7919 % 1000) for i in range(size // 12 + 1))[:size]


def noise(size: int) -> bytes:
    """Incompressible, the same for every run."""
    return random.Random(size).randbytes(size)


def deflate(data: bytes, container: str = "raw", *, level: int = 6, window: int = 12) -> bytes:
    """zlib's stream of ``data``, by default within the 4096 bytes of window that libqpl has."""
    wbits = {"raw": -window, "zlib": window, "gzip": 16 + window}[container]
    stream = zlib.compressobj(level, zlib.DEFLATED, wbits)
    return stream.compress(data) + stream.flush()


def inflate(stream: bytes, container: str = "raw") -> bytes:
    """What zlib reads; raises ``zlib.error`` unless all of it is right, the trailer included."""
    return zlib.decompress(stream, WBITS[container])
