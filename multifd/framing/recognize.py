"""What bytes are, by what stands at their start: which framing a payload has that is not the one expected.

Exact between what senders emit. A length table and the sizes of 4B members must add up to the payload; no DEFLATE
begins like a header: the first byte of gzip is a block of type 3 to it, those of zlib and zstd a stored block with
padding that is not zero (RFC 1951, section 3.2.3), which no encoder writes.
"""

from __future__ import annotations

import struct
from typing import Final

from multifd.framing.container import Container

TABLE: Final = "length table"
NO_HEADER: Final = "no header"
"""Raw DEFLATE, a stream that goes on, plain pages: whatever has none."""
NOTHING: Final = "nothing"
UNENDED: Final = " without end"
"""Behind the name of what ends with a sync flush."""
_SYNC_FLUSH: Final = b"\0\0\xff\xff"
_GZIP: Final = b"\x1f\x8b\x08"
_FEXTRA: Final = 4
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_FIRST: Final = 8
_LAST: Final = 4
"""Bytes that are shown: all headers differ in the first, and a sync flush is the last ones."""


def described(data: memoryview, pages: int = 0) -> str:
    """What the bytes are, and their first and last ones; ``pages`` as many as a length table would be of."""
    digits = data.hex() if len(data) <= _FIRST + _LAST else f"{data[:_FIRST].hex()}…{data[-_LAST:].hex()}"
    kind = recognized(data, pages)
    return f"{kind}: {digits}" if digits else kind


def recognized(data: memoryview, pages: int = 0) -> str:
    """A container's name, :data:`TABLE`, :data:`NO_HEADER` or :data:`NOTHING`; of a stream whether it has no end."""
    if not data:
        return NOTHING
    if pages and _is_table(data, pages):
        return TABLE
    if _is_four_b(data):
        return Container.FOUR_B.value
    return _by_header(bytes(data[:14])) + (UNENDED if bytes(data[-4:]) == _SYNC_FLUSH else "")


def _by_header(start: bytes) -> str:
    if start.startswith(_GZIP):
        extended = len(start) > 3 and start[3] & _FEXTRA and start[12:] == b"QZ"
        return (Container.GZIP_EXT if extended else Container.GZIP).value
    if start.startswith(_ZSTD):
        return Container.ZSTD.value
    if len(start) > 1 and start[0] & 15 == 8 and start[0] < 0x80 and (start[0] << 8 | start[1]) % 31 == 0:
        return Container.ZLIB.value
    return NO_HEADER


def _is_table(data: memoryview, pages: int) -> bool:
    size = 4 * pages
    return len(data) > size and sum(struct.unpack_from(f">{pages}I", data)) == len(data) - size


def _is_four_b(data: memoryview) -> bool:
    """Members, each as long as it says, and nothing else."""
    at = 0
    while at + 4 < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        if not length:
            return False
        at += 4 + length
    return at == len(data)
