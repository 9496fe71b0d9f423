"""Streams in which one thing is asked of a decoder, and content in which an encoder shows what it does.

DEFLATE with a match of any distance is written by hand: stored blocks, then one of the fixed code (RFC 1951, section
3.2). So are frames of Zstandard with a raw block and any window (RFC 8878, section 3.1.1).
"""

from __future__ import annotations

import struct
import zlib
from functools import cache
from random import Random
from typing import Final

from multifd.framing.container import Container, trailer, trailer_length, wrap, zlib_header
from multifd.framing.huffman import DISTANCE_ROWS

TEXT: Final = (b"what is said of a codec is tried on the codec itself; " * 76)[:4096]
NOISE: Final = Random(1).randbytes(4096)

_GZIP_HEADER: Final = bytes.fromhex("1f8b08000000000000ff")
_LARGEST_STORED: Final = 65535
_SHORT: Final = 9
"""Bits of a window that every decoder has."""
_BLOCK: Final = 17
"""log2 of a window in which a block may have its full size (RFC 8878, section 3.1.1.2.4)."""
_ZSTD_MAGIC: Final = bytes.fromhex("28b52ffd")
_CHECKSUM_FLAG: Final = 0x04
MARGIN: Final = 300
"""zlib uses 262 bytes less than its window for a match (``MIN_LOOKAHEAD``, deflate.h, zlib 1.3)."""
_TAG: Final = 256
_NEW: Final = 24
"""Bytes."""


@cache
def compressed(data: bytes, container: Container, window: int = _SHORT) -> bytes:
    """A complete stream of any container but ``none``; for zstd ``window`` is log2 of the frame's."""
    if container is Container.ZSTD:
        return frame(data, max(window, _BLOCK))
    stream = zlib.compressobj(6, zlib.DEFLATED, -max(window, _SHORT))
    return around(stream.compress(data) + stream.flush(), data, container, window)


def around(raw: bytes, data: bytes, container: Container, window: int) -> bytes:
    """DEFLATE in a container; a zlib header announces ``window``, be it 16 bits, which no decoder has."""
    match container:
        case Container.RAW:
            return raw
        case Container.ZLIB:
            return _header(window) + raw + zlib.adler32(data).to_bytes(4, "big")
        case Container.GZIP:
            return _GZIP_HEADER + raw + trailer(zlib.crc32(data), len(data))
        case _:
            return wrap(raw, data, container)


def _header(window: int) -> bytes:
    if window <= 15:
        return zlib_header(window)
    header = (min(window, 16) - 8) << 12 | 8 << 8
    return (header + -header % 31).to_bytes(2, "big")


@cache
def damaged(data: bytes, container: Container) -> bytes:
    """A complete stream whose checksum is wrong, and nothing else."""
    if container is Container.ZSTD:
        return frame(data, _BLOCK, checksum=b"\0\0\0\0")
    stream = bytearray(compressed(data, container))
    stream[-trailer_length(container)] ^= 0xFF
    return bytes(stream)


@cache
def flushed(packets: tuple[bytes, ...], container: Container) -> tuple[bytes, ...]:
    """A stream that does not end, flushed after each packet; gzip-ext as plain gzip."""
    if container is Container.ZSTD:
        return (frame(packets[0], _BLOCK, last=False), *(_block(each, last=False) for each in packets[1:]))
    wbits = {Container.ZLIB: _SHORT, Container.RAW: -_SHORT, Container.FOUR_B: -_SHORT}.get(container, 16 + _SHORT)
    stream = zlib.compressobj(6, zlib.DEFLATED, wbits)
    return tuple(stream.compress(each) + stream.flush(zlib.Z_SYNC_FLUSH) for each in packets)


@cache
def reaching(distance: int, container: Container, window: int) -> tuple[bytes, bytes]:
    """A stream whose only match is so many bytes back, and its data."""
    before = Random(distance).randbytes(distance)
    parts = []
    for at in range(0, len(before), _LARGEST_STORED):
        piece = before[at : at + _LARGEST_STORED]
        parts += [b"\0", struct.pack("<HH", len(piece), len(piece) ^ 0xFFFF), piece]
    data = before + before[:3]
    return around(b"".join(parts) + _match(distance), data, container, window), data


def _match(distance: int) -> bytes:
    """A final block of the fixed code: three bytes from so far back."""
    bases = [base for base, _ in DISTANCE_ROWS[:30]]
    symbol = max(at for at, base in enumerate(bases) if base <= distance)
    bits, count = 0b011, 3  # final, fixed; as they are packed
    for value, size in (
        (0b1000000, 7),  # 257, a length of 3, from its first bit on
        (int(f"{symbol:05b}"[::-1], 2), 5),
        (distance - bases[symbol], DISTANCE_ROWS[symbol][1]),
        (0, 7),
    ):
        bits |= value << count
        count += size
    return bits.to_bytes(-(-count // 8), "little")


def frame(data: bytes, window: int, *, last: bool = True, checksum: bytes = b"") -> bytes:
    """A Zstandard frame of one raw block, without content size."""
    descriptor = _CHECKSUM_FLAG if checksum else 0
    return _ZSTD_MAGIC + bytes((descriptor, window - 10 << 3)) + _block(data, last=last) + checksum


def _block(data: bytes, *, last: bool) -> bytes:
    return (len(data) << 3 | last).to_bytes(3, "little") + data


@cache
def repeats() -> bytes:
    """Content with a repetition just within each window of 10 to 15 bits, and nothing else but zeros."""
    content = bytearray(1 << 16)
    random = Random(1)
    for number, bits in enumerate(range(10, 16)):
        tag = random.randbytes(_TAG)
        for start in (number * _TAG, number * _TAG + (1 << bits) - MARGIN):
            content[start : start + _TAG] = tag
    return bytes(content)


@cache
def repeated(bits: int) -> bytes:
    """Words that begin again :data:`MARGIN` bytes before a window's end, with something new now and then.

    Much of it may be found again: of a single repetition a job of libqpl that is new sees nothing (1.9.0, fixed mode),
    and zlib's level 1 no words that are far away if others are near.
    """
    random = Random(bits)
    words = [random.randbytes(5) for _ in range(40)]
    size = (1 << bits) - MARGIN
    parts = (random.randbytes(_NEW) + b"".join(random.choices(words, k=60)) for _ in range(size // 300 + 1))
    return b"".join(parts)[:size] * 2
