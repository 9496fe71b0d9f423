"""One flipped bit in each class of bytes of a member: did anything notice?

The destination has room for exactly the content, as QEMU's has. What a flip can come to:

=============  =========================================================================================
noticed        the library refuses the stream
identical      the bytes are right; of a checksum or a size that means that nobody compared it
short          success with another length, which only a caller who knows the length can notice
wrong bytes    success, and the right length
signal         the process died
=============  =========================================================================================

Containers without a checksum (raw, 4B) cannot notice most of it; that is their nature, and expected.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from multifd.framing.container import Container
from multifd.scrutiny.child import Died, fate, in_child
from multifd.scrutiny.counterpart import deflated, member, noise, text
from multifd.scrutiny.memory import Region
from multifd.scrutiny.observation import Observation, Seen, worst
from multifd.scrutiny.subject import SLACK, Subject

_WRONG: Final = "wrong bytes"
_MOST: Final = 48
"""Bits flipped per class at most, evenly spread."""
_CHECKED: Final = frozenset({Container.ZLIB, Container.GZIP, Container.GZIP_EXT})
_HEADERS: Final[Mapping[Container, Mapping[str, tuple[int, int]]]] = {
    Container.RAW: {},
    Container.FOUR_B: {"length": (0, 4)},
    Container.ZLIB: {"header": (0, 2)},
    Container.GZIP: {"magic and method": (0, 3), "flags": (3, 4), "time, XFL and OS": (4, 10)},
    Container.GZIP_EXT: {
        "magic and method": (0, 3), "flags": (3, 4), "time, XFL and OS": (4, 10), "XLEN": (10, 12),
        "subfield": (12, 16), "source size": (16, 20), "payload size": (20, 24),
    },
}  # fmt: skip
"""First byte of each header field, and the one behind it (RFC 1950, RFC 1952, QATzip's ``Qz4BH_T``)."""
_MUST_BE_NOTICED: Final = frozenset({"magic and method", "length", "header", "Adler-32", "CRC-32", "ISIZE"})
"""Fields of which no other value leaves a valid member."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """Raw DEFLATE of which one class of bits is known: ``bits`` count from its first byte's lowest."""

    name: str
    raw: bytes
    content: bytes
    bits: Sequence[int]


def check(subject: Subject) -> Iterator[Observation]:
    """Every class in every container, and streams without their end."""
    page = text(4096)
    for container in subject.containers:
        print(container.value, file=sys.stderr)
        before = 8 * max((end for _, end in _HEADERS[container].values()), default=0)
        for one in specimens(subject.window):
            data = member(one.raw, one.content, container, subject.window)
            flips = _flips(data, [before + bit for bit in one.bits])
            yield _observed(subject, container, f"a bit of the {one.name} flipped", flips, one.content, must=False)
        data = member(deflated(page, 6, subject.window), page, container, subject.window)
        for name, (start, end) in {**_HEADERS[container], **_trailer(container, len(data))}.items():
            flips = _flips(data, range(8 * start, 8 * end))
            must = name in _MUST_BE_NOTICED
            yield _observed(subject, container, f"a bit of the {name} flipped", flips, page, must=must)
        cut = [data[:-less] for less in (1, 2, 4, len(data) // 2)]
        yield _observed(subject, container, "the end cut off", cut, page, must=True)


def specimens(window: int) -> list[Specimen]:
    """Streams of which it is known what is where (RFC 1951, section 3.2)."""
    page = text(4096)
    dynamic, stored = deflated(page, 6, window), deflated(page, 0, window)
    hclen = dynamic[1] >> 5 | (dynamic[2] & 1) << 3
    fixed, content, literals, distances = _fixed_block(noise(64), 300)
    return [
        Specimen("block header", dynamic, page, range(3)),
        Specimen("code lengths", dynamic, page, range(3, 17 + 3 * (hclen + 4))),
        Specimen("LEN and NLEN", stored, page, range(8, 40)),
        Specimen("stored data", stored, page, range(40, 8 * len(stored))),
        Specimen("literals", fixed, content, literals),
        Specimen("distances", fixed, content, distances),
    ]


def _fixed_block(literals: bytes, matches: int) -> tuple[bytes, bytes, list[int], list[int]]:
    """A block with fixed codes: literals below 128, then matches of 3 bytes at distances of 33 to 48.

    Its bytes, its content, and where the bits of literals and of distances are.
    """
    bits, content = [1, 1, 0], bytearray(byte & 0x7F for byte in literals)
    for literal in content:
        bits += _code(0x30 + literal, 8)
    of_literals = list(range(3, len(bits)))
    of_distances: list[int] = []
    for number in range(matches):
        more = number % 16
        bits += _code(1, 7)
        of_distances += range(len(bits), len(bits) + 9)
        bits += [*_code(10, 5), *reversed(_code(more, 4))]
        start = len(content) - 33 - more
        content += content[start : start + 3]
    bits += _code(0, 7)
    value = sum(bit << place for place, bit in enumerate(bits))
    return value.to_bytes(-(-len(bits) // 8), "little"), bytes(content), of_literals, of_distances


def _code(value: int, length: int) -> list[int]:
    """A Huffman code's bits, the most significant first (section 3.1.1)."""
    return [value >> place & 1 for place in reversed(range(length))]


def _trailer(container: Container, size: int) -> dict[str, tuple[int, int]]:
    if container not in _CHECKED:
        return {}
    if container is Container.ZLIB:
        return {"Adler-32": (size - 4, size)}
    return {"CRC-32": (size - 8, size - 4), "ISIZE": (size - 4, size)}


def _flips(data: bytes, bits: Sequence[int]) -> list[bytes]:
    """The member once for each of the bits, or for as many as a check has time for."""
    flips = []
    for bit in bits[:: -(-len(bits) // _MOST)]:
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        flips.append(bytes(damaged))
    return flips


def _acceptable(container: Container, *, must: bool) -> tuple[str, ...]:
    if must:
        return ("noticed",)
    if container in _CHECKED:
        return ("noticed", "identical")
    return ("noticed", "identical", "short", _WRONG)


def _observed(
    subject: Subject, container: Container, case: str, damaged: Sequence[bytes], content: bytes, *, must: bool
) -> Observation:
    act = partial(_read, subject, container, content)
    try:
        seen = [_told(what) for what in in_child(lambda: ",".join(map(act, damaged))).split(",")]
    except Died:
        seen = [_told(one.words) if one.harm != "crash" else one for one in (fate(partial(act, d)) for d in damaged)]
    acceptable = _acceptable(container, must=must)
    harms = [one.harm for one in seen if one.words not in acceptable]
    table = ", ".join(f"{one.words} {count}" for one, count in Counter(seen).most_common())
    return Observation(
        f"{container.value}: {case}", " or ".join(acceptable), table, not harms, worst(harms) if harms else None
    )


def _told(what: str) -> Seen:
    return Seen(what, "corruption" if what == _WRONG else "contract")


def _read(subject: Subject, container: Container, content: bytes, damaged: bytes) -> str:
    room = Region(len(content), SLACK)
    with subject.open(container) as session:
        answer = session.decompress(Region(damaged, SLACK), room)
    if not answer.ok:
        return "noticed"
    if answer.produced != len(content):
        return "short"
    return "identical" if room.read(len(content)) == content else _WRONG
