"""Payloads for a libqatzip session, by seed and index.

Packets, pages and members as libqatzip writes them on either path and with several buffer sizes, and DEFLATE by grammar
inside a container; one in six is of another container than the session it is given to. Then something is wrong with
two in three (:data:`SPOILT`).
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Final

from multifd.codec.silicon.libqatzip import Device, Parameters, Session
from multifd.codec.silicon.qat import Engine
from multifd.codec.silicon.qat_member import member
from multifd.fidelity import grammar
from multifd.fidelity.grammar import Stream
from multifd.framing.container import Container
from multifd.memory.corpus import PORTABLE, generate

CONTAINERS: Final = (Container.GZIP_EXT, Container.GZIP, Container.RAW, Container.FOUR_B, Container.ZLIB)

_POOL: Final = 1 << 18
"""Bytes of each corpus that data is cut from."""
_SIZES: Final = (4096,) * 12 + (1, 127, 128, 1023, 1024, 1025, 4095, 4097, 8192, 16384) * 2
_LARGE: Final = (65535, 65536, 65537, 80_000, 131_072, 200_000)
_BUFFERS: Final = (1 << 10, 4 << 10, 16 << 10, 64 << 10)


@functools.cache
def _pool(corpus: str) -> bytes:
    return bytes(generate(corpus, _POOL, 1))


def _plain(rng: Random) -> bytes:
    size = rng.choice(_LARGE) if rng.random() < 0.04 else rng.choice(_SIZES)
    start = rng.randrange(_POOL - size)
    return _pool(rng.choice(PORTABLE))[start : start + size]


def _written(rng: Random, container: Container, plain: bytes) -> bytes:
    """As a libqatzip of some settings writes it, with a device or without."""
    parameters = Parameters(
        container=container,
        level=rng.choice((1, 6, 9)),
        buffer=rng.choice(_BUFFERS),
        threshold=128,
        device=rng.choice((Device.ABSENT, Device.READY)),
    )
    return Session(parameters, Engine(parameters.level)).compress(plain).output


def _by_grammar(seed: int, index: int, container: Container) -> tuple[bytes, int]:
    """A member around DEFLATE by grammar, with the trailer of what it decodes to."""
    made = grammar.stream(seed, index)
    plain = b""
    with suppress(zlib.error):  # the checksum of data that does not decode is never looked at
        plain = zlib.decompressobj(-15).decompress(made.data, made.room + 1)
    return member(container, plain, made.data or b"\3"), made.room


def _flipped(data: bytes, at: int, rng: Random) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut_off(data: bytes, room: int, rng: Random) -> tuple[bytes, int]:
    return data[: rng.randrange(1, len(data) + 1)], room


def _without_trailer(data: bytes, room: int, rng: Random) -> tuple[bytes, int]:
    return data[: max(1, len(data) - rng.randint(1, 8))], room


def _other_header(data: bytes, room: int, rng: Random) -> tuple[bytes, int]:
    return _flipped(data, rng.randrange(min(24, len(data))), rng), room


def _other_trailer(data: bytes, room: int, rng: Random) -> tuple[bytes, int]:
    return _flipped(data, len(data) - rng.randint(1, min(8, len(data))), rng), room


def _other_bit(data: bytes, room: int, rng: Random) -> tuple[bytes, int]:
    return _flipped(data, rng.randrange(len(data)), rng), room


def _more_bytes(data: bytes, room: int, rng: Random) -> tuple[bytes, int]:
    return data + rng.randbytes(rng.choice((1, 2, 3, 4, 9, 30))), room


def _less_room(data: bytes, room: int, rng: Random) -> tuple[bytes, int]:
    return data, max(1, room - rng.choice((1, 100, room // 2)))


def _more_room(data: bytes, room: int, rng: Random) -> tuple[bytes, int]:
    return data, room + rng.choice((1, 100, room, 1 << 16))


SPOILT: Final[dict[str, Callable[[bytes, int, Random], tuple[bytes, int]]]] = {
    "cut off": _cut_off,
    "trailer cut off": _without_trailer,
    "bit flipped in the header": _other_header,
    "bit flipped in the trailer": _other_trailer,
    "bit flipped": _other_bit,
    "bytes behind the end": _more_bytes,
    "too little room": _less_room,
    "more room": _more_room,
}
"""What is wrong with two payloads in three, and what makes it so of payload and room."""


def stream(seed: int, index: int) -> Stream:
    """The stream with this index; containers take turns."""
    rng = Random(~seed << 40 | index << 1 | 1)
    container = CONTAINERS[index % len(CONTAINERS)]
    room: int
    match rng.randrange(6):
        case 0:
            kind, (data, room) = "grammar", _by_grammar(seed, index, container)
        case 1:
            plains = [_plain(rng) for _ in range(rng.randint(2, 4))]
            kind, data = "members", b"".join(_written(rng, container, plain) for plain in plains)
            room = sum(map(len, plains))
        case 2:
            plain = _plain(rng)
            kind, data, room = "other container", _written(rng, rng.choice(CONTAINERS), plain), len(plain)
        case _:
            plain = _plain(rng)
            kind, data, room = "libqatzip", _written(rng, container, plain), len(plain)
    if rng.randrange(3):
        wrong = rng.choice(tuple(SPOILT))
        data, room = SPOILT[wrong](data, room, rng)
        kind = f"{kind}, {wrong}"
    return Stream(kind, data, room, container)


def payloads(count: int, seed: int) -> Iterator[Stream]:
    """The first so many."""
    return (stream(seed, index) for index in range(count))
