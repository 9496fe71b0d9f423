"""The other side of every check: zlib, in every container."""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache
from typing import Final

from multifd.errors import PayloadError
from multifd.framing.container import Container, trailer, unwrap_four_b, wrap, zlib_header
from multifd.scrutiny.observation import Seen

_GZIP_HEADER: Final = struct.pack("<2sBBIBB", b"\x1f\x8b", 8, 0, 0, 0, 255)
_WBITS: Final = {Container.RAW: -15, Container.ZLIB: 15, Container.GZIP: 31, Container.GZIP_EXT: 31}


@cache
def text(size: int) -> bytes:
    """Compressible content."""
    line = b"line %d of some text that repeats itself, but not quite; "
    return b"".join(line % (number * 7919 % 10007) for number in range(size // 50 + 1))[:size]


@cache
def noise(size: int) -> bytes:
    """Content that does not compress."""
    return random.Random(size).randbytes(size)


@cache
def deflated(content: bytes, level: int = 6, window: int = 15, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    """Raw DEFLATE by zlib."""
    engine = zlib.compressobj(level, zlib.DEFLATED, -window, 8, strategy)
    return engine.compress(content) + engine.flush()


def member(raw: bytes, content: bytes, container: Container, window: int = 15) -> bytes:
    """Raw DEFLATE of ``content`` in a container, as its specification has it."""
    match container:
        case Container.RAW:
            return raw
        case Container.ZLIB:
            return zlib_header(window) + raw + zlib.adler32(content).to_bytes(4)
        case Container.GZIP:
            return _GZIP_HEADER + raw + trailer(zlib.crc32(content), len(content))
        case _:
            return wrap(raw, content, container)


def read_back(data: bytes, content: bytes, container: Container) -> Seen:
    """What zlib makes of a library's output: ``identical`` or what else, all of which is corruption."""
    try:
        if container is Container.FOUR_B:
            data, container = bytes(unwrap_four_b(data)), Container.RAW
        engine = zlib.decompressobj(_WBITS[container])
        got = engine.decompress(data)
    except (zlib.error, PayloadError) as problem:
        return Seen(f"OK, but not readable: {problem}", "corruption")
    if not engine.eof:
        return Seen("OK, but not readable: the stream has no end", "corruption")
    return Seen("identical") if got == content else Seen("OK with wrong bytes", "corruption")
