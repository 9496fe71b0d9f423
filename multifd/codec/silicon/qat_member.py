"""Members as libqatzip writes them around a device's DEFLATE, and as it finds them again (2.0.0).

Sources: ``src/qatzip_gzip.c`` (QATzip 1.3.1, ``qzGzipHeaderGen``, ``stdGzipHeaderGen``, ``stdZlibHeaderGen``,
``qz4BHeaderGen``, ``qzGzipHeaderExt``, ``qzVerifyZlibHeader``, ``findStdGzipFooter``). A device can only be given whole
members, whose sizes must be known before: ``gzip-ext`` and ``4B`` say them, for plain ``gzip`` the next header is
searched.
"""

from __future__ import annotations

import zlib
from typing import Final

from multifd.framing.coder import Bytes
from multifd.framing.container import XFL_HARDWARE, Container, four_b_header, gzip_ext_header, trailer

HEADER_LENGTH: Final = {
    Container.RAW: 0,
    Container.FOUR_B: 4,
    Container.GZIP: 10,
    Container.GZIP_EXT: 24,
    Container.ZLIB: 2,
}
"""Bytes."""

PLAIN_GZIP: Final = b"\x1f\x8b\x08\0"
"""How a gzip header without optional fields begins."""


def member(container: Container, source: Bytes, deflated: bytes) -> bytes:
    """A piece as the library writes it around a device's output; for ``raw`` that output."""
    match container:
        case Container.FOUR_B:
            return four_b_header(len(deflated)) + deflated
        case Container.GZIP:
            return PLAIN_GZIP + bytes(5) + b"\xff" + deflated + trailer(zlib.crc32(source), len(source))
        case Container.GZIP_EXT:
            header = gzip_ext_header(len(source), len(deflated), xfl=XFL_HARDWARE)
            return header + deflated + trailer(zlib.crc32(source), len(source))
        case Container.ZLIB:
            return b"\x78\x9c" + deflated + zlib.adler32(source).to_bytes(4, "big")
        case _:
            return deflated


def number(source: bytes, at: int) -> int:
    """A 32-bit number, little-endian; where the source ends before, what there is of it."""
    return int.from_bytes(source[at : at + 4], "little")


def is_zlib(cmf: int, flg: int) -> bool:
    """``qzVerifyZlibHeader``: method, window, check bits, no dictionary."""
    return cmf & 15 == 8 and cmf >> 4 <= 7 and not flg & 0x20 and (cmf << 8 | flg) % 31 == 0


def is_gzip_ext(source: bytes) -> bool:
    """``qzGzipHeaderExt``: exactly the header that the library itself writes, whatever the time."""
    return (
        source[:4] == PLAIN_GZIP[:3] + b"\x04"
        and source[8] in (0, 2, 4)
        and source[9] == 255
        and source[10:16] == b"\x0c\0QZ\x08\0"
    )


def gzip_footer(source: bytes) -> int:
    """Where the trailer of the first member is: before what looks like the next header, or at the end
    (``findStdGzipFooter``). Compressed data that looks like a header ends a member, too."""
    following = source.find(PLAIN_GZIP, 18, len(source) - 6)
    return (len(source) if following < 0 else following) - 8
