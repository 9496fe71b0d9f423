"""What is compressed, and everything that compresses it."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Final, Protocol

import deflate as libdeflate
from isal import igzip_lib, isal_zlib
from zlib_ng import zlib_ng

SIZE: Final = 48 * 1024
"""More than the largest window, so that no encoder is spared by the end of the data."""


def text(size: int = SIZE, seed: int = 1) -> bytes:
    generator = random.Random(seed)
    words = [bytes(generator.choices(b"etaoinshrdlu", k=generator.randint(2, 9))) for _ in range(800)]
    return b" ".join(generator.choices(words, k=size))[:size]


PERIOD: Final = 1000
DATA: Final = {
    "text": text(),
    "random": random.Random(2).randbytes(SIZE),
    "zeros": bytes(SIZE),
    "periodic": (random.Random(3).randbytes(PERIOD) * (SIZE // PERIOD + 1))[:SIZE],
}

STRATEGIES: Final = (
    zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED,
)  # fmt: skip

Encoder = Callable[[bytes], bytes | bytearray]


class Stream(Protocol):
    """What the ``compressobj`` of zlib and of its likes returns."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self, mode: int = ..., /) -> bytes: ...


def raw(data: bytes, level: int = 6, bits: int = 15, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    stream = zlib.compressobj(level, zlib.DEFLATED, -bits, 8, strategy)
    return stream.compress(data) + stream.flush()


def zlib_api(compressobj: Callable[..., Stream], level: int, bits: int, strategy: int) -> Encoder:
    def encode(data: bytes) -> bytes:
        stream = compressobj(level, zlib.DEFLATED, -bits, 8, strategy)
        return stream.compress(data) + stream.flush()

    return encode


def encoders() -> Iterator[tuple[str, int, Encoder]]:
    """Name, largest distance that the encoder promises, encoder."""
    default = zlib.Z_DEFAULT_STRATEGY
    for name, compressobj in (("zlib", zlib.compressobj), ("zlib-ng", zlib_ng.compressobj)):
        for level, bits in product(range(10), range(9, 16)):
            # deflate.h (zlib 1.3), MAX_DIST: the window less MIN_LOOKAHEAD
            yield (
                f"{name}[level={level},bits={bits}]",
                (1 << bits) - 262,
                zlib_api(compressobj, level, bits, default),
            )
        for level, strategy in product((1, 6, 9), STRATEGIES[1:]):
            encode = zlib_api(compressobj, level, 15, strategy)
            yield f"{name}[level={level},strategy={strategy}]", 32768 - 262, encode
    for level, bits in product(range(4), range(9, 16)):
        encode = zlib_api(isal_zlib.compressobj, level, bits, default)
        yield f"isal[level={level},bits={bits}]", 1 << bits, encode
    for level in range(4):
        yield f"igzip[level={level}]", 32768, partial(igzip_lib.compress, level=level)
    for level in range(1, 13):
        encode_at_once = partial(libdeflate.deflate_compress, compresslevel=level)
        yield f"libdeflate[level={level}]", 32768, encode_at_once


ENCODERS: Final = {name: (most, encode) for name, most, encode in encoders()}


def flushed(flush: int, *pieces: bytes) -> list[bytes]:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return [stream.compress(piece) + stream.flush(flush) for piece in pieces]
