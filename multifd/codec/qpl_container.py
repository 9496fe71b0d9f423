"""How libqpl puts zlib and gzip around raw DEFLATE, and takes them off again, for hardware and software alike.

Source: ``sources/middle-layer/compression/stream_decorators``. The zlib header announces 4096 bytes and any announced
window is read. No trailer is ever verified: of a gzip stream the last 8 bytes are cut off unseen, a zlib trailer may
be missing. A gzip name or comment is not skipped to its end (``seek_until_zero``): its closing zero byte is taken for
DEFLATE, so the stream fails as a stored block whose lengths disagree.
"""

from __future__ import annotations

import zlib
from typing import Final

from multifd.codec.silicon.iaa_status import Refusal, Status
from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.framing.container import Container, trailer, zlib_header

EMITTED: Final = frozenset({Container.RAW, Container.ZLIB, Container.GZIP})
READ: Final = EMITTED | {Container.GZIP_EXT}
"""gzip-ext is gzip with an extra field, which is skipped."""

WINDOW: Final = 12
"""Bits of the window, the only one there is."""

ENCODER: Final = EncoderCapability(EMITTED, streaming=False, windows=frozenset({WINDOW}))
DECODER: Final = DecoderCapability(
    READ,
    streaming=False,
    window=WINDOW,
    header_window=False,
    members=frozenset(),
    checks_trailer=False,
    needs_trailer=False,
    checks_end=False,
)
"""Of silicon and software alike; a job is whole: QEMU sets FIRST and LAST on every one
(migration/multifd-qpl.c, QEMU 10.2)."""

_GZIP_HEADER: Final = bytes.fromhex("1f8b08000000000000ff")
_GZIP_TRAILER: Final = 8
_GZIP: Final = frozenset({Container.GZIP, Container.GZIP_EXT})
_DEFLATED: Final = 8
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT, _RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0
_FDICT: Final = 0x20


def wrap(raw: bytes, source: bytes, container: Container) -> bytes:
    """The raw stream of ``source`` in one of the :data:`EMITTED` containers."""
    match container:
        case Container.ZLIB:
            return b"".join((zlib_header(WINDOW), raw, zlib.adler32(source).to_bytes(4, "big")))
        case Container.GZIP:
            return b"".join((_GZIP_HEADER, raw, trailer(zlib.crc32(source), len(source))))
        case _:
            return raw


def unwrap(data: bytes, container: Container) -> bytes:
    """What the decompressor is given of a stream in one of the :data:`READ` containers; raises :class:`Refusal`."""
    raw = without_header(data, container)
    return raw[: max(0, len(raw) - _GZIP_TRAILER)] if container in _GZIP else raw


def without_header(data: bytes, container: Container) -> bytes:
    """The same of the first packet of a stream that goes on."""
    match container:
        case Container.ZLIB:
            return _without_zlib(data)
        case Container.GZIP | Container.GZIP_EXT:
            return _without_gzip(data)
        case _:
            return data


def _without_zlib(data: bytes) -> bytes:
    if len(data) < 2:
        raise Refusal(Status.MORE_INPUT_NEEDED, f"incomplete or truncated zlib header of {len(data)} bytes")
    cmf, flg = data[:2]
    if cmf & 15 != _DEFLATED or (cmf << 8 | flg) % 31:
        raise _not_a_header(data[:2])
    if flg & _FDICT:
        raise Refusal(Status.MORE_INPUT_NEEDED, "zlib header asks for a preset dictionary")
    return data[2:]


def _without_gzip(data: bytes) -> bytes:
    header = data[: len(_GZIP_HEADER)]
    if len(header) < len(_GZIP_HEADER) or header[:3] != _GZIP_HEADER[:3] or header[3] & _RESERVED:
        raise _not_a_header(header)
    flags, at = header[3], len(header)
    if flags & _FEXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for text in (_FNAME, _FCOMMENT):
        if flags & text:
            at = data.find(b"\0", at + 1)
            if at < 0:
                raise Refusal(Status.MORE_INPUT_NEEDED, "incomplete or truncated gzip header: no end of a text")
    if flags & _FHCRC:
        at += 2
    if at > len(data):
        raise Refusal(Status.MORE_INPUT_NEEDED, "incomplete or truncated gzip header")
    return data[at:]


def _not_a_header(header: bytes) -> Refusal:
    return Refusal(Status.ARCHIVE_HEADER_ERR, f"incorrect header check: {header.hex()}")
