"""Streams that encoders really emit: every one of ours, over every corpus, and the same with a few bits changed."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any, Final

from isal import isal_zlib
from zlib_ng import zlib_ng

from multifd.codec import create
from multifd.codec.zlib_api import wbits
from multifd.fidelity.grammar import Stream
from multifd.framing.container import Container
from multifd.memory.corpus import PORTABLE, generate

_SIZES: Final = (4096,) * 12 + (1, 100, 4095, 4097, 8192, 16384)
"""Mostly pages; larger outputs show distances, and cost more."""
_LARGE: Final = (65536, 70_000)

_CONTAINERS: Final = (Container.RAW,) * 4 + (Container.ZLIB, Container.GZIP)
_POOL: Final = 1 << 18
"""Bytes of each corpus that data is cut from."""

Encode = Callable[[bytes, Container, Random], bytes]


def _flushing(module: Any, level: int, window: int, flush: str, strategy: str) -> Encode:
    """An encoder with zlib's interface that flushes in the middle."""

    def encode(data: bytes, container: Container, rng: Random) -> bytes:
        stream = module.compressobj(
            level, zlib.DEFLATED, wbits(container, window), zlib.DEF_MEM_LEVEL, getattr(zlib, strategy)
        )
        middle = rng.randrange(len(data) + 1)
        first: bytes = stream.compress(data[:middle]) + (stream.flush(getattr(module, flush)) if flush else b"")
        return first + bytes(stream.compress(data[middle:])) + bytes(stream.flush())

    return encode


def _codec(name: str, **parameters: int) -> Encode:
    codec = create(name, parameters)
    assert codec.encoder is not None
    window = codec.encoder.limit(12) or min(codec.encoder.windows)

    def encode(data: bytes, container: Container, rng: Random) -> bytes:  # noqa: ARG001  (it flushes nowhere)
        return bytes(codec.compress(data, container, window))

    return encode


@functools.cache
def encoders() -> dict[str, Encode]:
    """Every encoder by a name that says its settings."""
    made: dict[str, Encode] = {}
    flushes = ("", "Z_SYNC_FLUSH", "Z_FULL_FLUSH")
    for level, window, flush in product((0, 1, 6, 9), (9, 12, 13, 15), (*flushes, "Z_PARTIAL_FLUSH")):
        made[f"zlib level={level} window={window} {flush}"] = _flushing(
            zlib, level, window, flush, "Z_DEFAULT_STRATEGY"
        )
    for strategy in ("Z_FIXED", "Z_RLE", "Z_HUFFMAN_ONLY", "Z_FILTERED"):
        made[f"zlib {strategy}"] = _flushing(zlib, 6, 12, "", strategy)
    for level, window, flush in product((1, 2, 6, 9), (9, 12, 15), flushes):
        made[f"zlib-ng level={level} window={window} {flush}"] = _flushing(
            zlib_ng, level, window, flush, "Z_DEFAULT_STRATEGY"
        )
    for level, window, flush in product((0, 1, 2, 3), (9, 12, 15), flushes):
        made[f"isal level={level} window={window} {flush}"] = _flushing(
            isal_zlib, level, window, flush, "Z_DEFAULT_STRATEGY"
        )
    for level in (0, 1, 6, 9, 12):
        made[f"libdeflate level={level}"] = _codec("libdeflate", level=level)
    for huffman in (0, 1):
        made[f"iaa-emulated huffman={huffman}"] = _codec("iaa-emulated", huffman=huffman)
    return made


@functools.cache
def _pool(corpus: str) -> bytes:
    return bytes(generate(corpus, _POOL, 1))


def stream(seed: int, index: int) -> Stream:
    """The stream with this index; encoders and corpora take turns, so that all of them meet."""
    rng = Random(~seed << 40 | index)
    names, corpora = tuple(encoders()), PORTABLE
    name, corpus = names[index % len(names)], corpora[index // len(names) % len(corpora)]
    size = rng.choice(_LARGE) if rng.random() < 0.01 else rng.choice(_SIZES)
    start = rng.randrange(_POOL - size)
    container = rng.choice(_CONTAINERS)
    data = encoders()[name](_pool(corpus)[start : start + size], container, rng)
    kind = "encoder " + name.split()[0]
    if rng.random() < 0.4:
        return Stream(f"{kind}, bits flipped", _flipped(data, rng), size, container)
    return Stream(kind, data, size, container)


def _flipped(data: bytes, rng: Random) -> bytes:
    """With one to three bits changed, half of the time near the beginning, where the headers are."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(min(len(data), rng.choice((len(data), 60))))
        changed[at] ^= 1 << rng.randrange(8)
    return bytes(changed)
