"""Containers: the headers and trailers around DEFLATE, without the DEFLATE.

::

    zlib       CMF FLG                                    DEFLATE  Adler-32 (BE)             RFC 1950
    gzip       1f 8b 08 FLG MTIME:4 XFL OS [optional]     DEFLATE  CRC-32, ISIZE (LE)        RFC 1952
    gzip-ext   gzip with the extra subfield 'Q' 'Z'       DEFLATE  CRC-32, ISIZE (LE)        QATzip
    4B         length of the DEFLATE (LE32)               DEFLATE                            QATzip
    raw                                                   DEFLATE

``CMF`` is CINFO (log2 of the window, minus 8) above CM (8); ``FLG`` of zlib is FLEVEL, FDICT, FCHECK, the
last making the header, read as one big-endian number, a multiple of 31. The optional gzip fields are in this
order: extra field (XLEN, then subfields SI1 SI2 LEN data), name, comment, header CRC.

QATzip's subfield holds the sizes of the source and of the DEFLATE data (``QzExtraField_T``, ``qzGzipHeaderGen``:
``src/qatzip_internal.h``, ``src/qatzip_gzip.c``, QATzip 1.3.1), so a reader can skip from member to member without
decoding; XFL is 4 when the library compressed in software and 0 when the device did. ``zstd`` frames describe
themselves to their codec and ``none`` has nothing to describe: their headers are empty here.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from multifd.errors import HarnessError, PayloadError

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Container(StrEnum):
    """What stands around the compressed data."""

    RAW = "raw"
    ZLIB = "zlib"
    GZIP = "gzip"
    GZIP_EXT = "gzip-ext"
    FOUR_B = "4B"
    ZSTD = "zstd"
    NONE = "none"


XFL_SOFTWARE: Final = 4
"""Extra flags of gzip-ext headers by libqatzip's software path ("fastest", RFC 1952, section 2.3.1)."""
XFL_HARDWARE: Final = 0
"""Extra flags of gzip-ext headers of data compressed by a device (``qzGzipHeaderGen``)."""

_DEFLATED: Final = 8
_GZIP_MAGIC: Final = b"\x1f\x8b"
_OS_UNKNOWN: Final = 255
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 0x02, 0x04, 0x08, 0x10
_RESERVED: Final = 0xE0
_QZ: Final = b"QZ"
_QZ_SIZES: Final = struct.Struct("<II")
_TRAILER_LENGTHS: Final = {Container.ZLIB: 4, Container.GZIP: 8, Container.GZIP_EXT: 8}


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header; what its container does not have is ``None``, or ``False``."""

    container: Container
    length: int
    """Bytes of the header: the compressed data starts behind them."""
    window: int | None = None
    """Window in bytes, 256 to 32768 (zlib: CINFO)."""
    level_hint: int | None = None
    """FLEVEL, 0 fastest to 3 slowest; informative only (zlib)."""
    source_size: int | None = None
    """Bytes of the data before compression (gzip-ext)."""
    payload_size: int | None = None
    """Bytes of the compressed data, header and trailer not counted (gzip-ext, 4B)."""
    xfl: int | None = None
    """Extra flags (gzip, gzip-ext)."""
    os: int | None = None
    """Operating system, 255 for unknown (gzip, gzip-ext)."""
    has_extra: bool = False
    has_name: bool = False
    has_comment: bool = False
    has_header_crc: bool = False


def zlib_header(window_bits: int, level_hint: int = 0) -> bytes:
    """The two bytes of RFC 1950, section 2.2, for a window of 8 to 15 bits and an FLEVEL of 0 to 3."""
    if not 8 <= window_bits <= 15:
        raise HarnessError(f"zlib header: window_bits is {window_bits}, expected 8 to 15")
    if not 0 <= level_hint <= 3:
        raise HarnessError(f"zlib header: level_hint is {level_hint}, expected 0 to 3")
    header = ((window_bits - 8) << 4 | _DEFLATED) << 8 | level_hint << 6
    return (header + -header % 31).to_bytes(2, "big")


def gzip_ext_header(source: int, compressed: int, *, xfl: int = XFL_SOFTWARE) -> bytes:
    """The 24 bytes before ``compressed`` bytes of DEFLATE made of ``source`` bytes, as QATzip writes them."""
    subfield = _QZ + struct.pack("<H", _QZ_SIZES.size) + _QZ_SIZES.pack(source, compressed)
    fixed = struct.pack("<2sBBIBB", _GZIP_MAGIC, _DEFLATED, _FEXTRA, 0, xfl, _OS_UNKNOWN)
    return fixed + struct.pack("<H", len(subfield)) + subfield


def trailer(crc32: int, isize: int) -> bytes:
    """The 8 bytes after a gzip or gzip-ext member of ``isize`` bytes of data (RFC 1952: modulo 2**32)."""
    return struct.pack("<II", crc32, isize & 0xFFFFFFFF)


def four_b_header(payload_len: int) -> bytes:
    """The 4 bytes before ``payload_len`` bytes of DEFLATE (``Qz4BH_T``, QATzip)."""
    return struct.pack("<I", payload_len)


def wrap(raw: Buffer, source: Buffer, container: Container) -> bytes:
    """A member of ``container`` around the raw DEFLATE stream ``raw`` of ``source``; gzip-ext and 4B only.

    Raises :class:`HarnessError` for other containers: their libraries write them.
    """
    compressed, size = memoryview(raw), len(memoryview(source))
    match container:
        case Container.GZIP_EXT:
            header = gzip_ext_header(size, len(compressed))
            return b"".join((header, compressed, trailer(zlib.crc32(source), size)))
        case Container.FOUR_B:
            return b"".join((four_b_header(len(compressed)), compressed))
        case _:
            raise HarnessError(f"container is {container}, expected gzip-ext or 4B")


def unwrap_four_b(data: Buffer) -> memoryview:
    """The raw DEFLATE stream of a payload that is one 4B member; raises :class:`PayloadError`."""
    view = memoryview(data)
    header = parse(view, Container.FOUR_B)
    rest = view[header.length :]
    if header.payload_size != len(rest):
        raise PayloadError(f"4B header: length is {header.payload_size}, expected {len(rest)} (the bytes that follow)")
    return rest


def trailer_length(container: Container) -> int:
    """Bytes behind the compressed data."""
    return _TRAILER_LENGTHS.get(container, 0)


def parse(data: Buffer, container: Container, *, start: int = 0) -> Header:
    """Read the header of ``container`` at byte ``start``.

    :raises PayloadError: the header is not one of this container, or the data ends inside it.
    """
    fields = _Fields(memoryview(data).cast("B")[start:], container)
    match container:
        case Container.ZLIB:
            return _parse_zlib(fields)
        case Container.GZIP | Container.GZIP_EXT:
            return _parse_gzip(fields)
        case Container.FOUR_B:
            return Header(container, 4, payload_size=fields.number("length", 4))
        case Container.RAW | Container.ZSTD | Container.NONE:
            return Header(container, 0)


class _Fields:
    """Takes a header's fields one after another."""

    def __init__(self, data: memoryview, container: Container) -> None:
        self.data = data
        self.container = container
        self.length = 0

    def take(self, name: str, size: int) -> bytes:
        value = bytes(self.data[self.length : self.length + size])
        if len(value) < size:
            raise PayloadError(f"{self.container} header: {name} ends after {len(value)} of {size} bytes")
        self.length += size
        return value

    def number(self, name: str, size: int) -> int:
        return int.from_bytes(self.take(name, size), "little")

    def skip_text(self, name: str) -> None:
        size = sum(1 for _ in takewhile(bool, self.data[self.length :]))
        if self.length + size == len(self.data):
            raise PayloadError(f"{self.container} header: {name} ends after {size} bytes, expected a zero byte")
        self.length += size + 1

    def wrong(self, name: str, value: str, expected: str) -> PayloadError:
        return PayloadError(f"{self.container} header: {name} is {value}, expected {expected}")


def _parse_zlib(fields: _Fields) -> Header:
    cmf = fields.number("CMF", 1)
    flg = fields.number("FLG", 1)
    method, info = cmf & 15, cmf >> 4
    if method != _DEFLATED:
        raise fields.wrong("CM", f"{method}", f"{_DEFLATED} (DEFLATE)")
    if info > 7:
        raise fields.wrong("CINFO", f"{info}", "at most 7 (a window of 32768 bytes)")
    if (cmf << 8 | flg) % 31:
        raise fields.wrong("FCHECK", f"{flg & 31}", f"{-(cmf << 8 | flg & ~31) % 31}")
    if flg & 0x20:
        raise fields.wrong("FDICT", "1", "0 (no preset dictionary)")
    return Header(fields.container, fields.length, window=1 << info + 8, level_hint=flg >> 6)


def _parse_gzip(fields: _Fields) -> Header:
    magic = fields.take("magic", 2)
    if magic != _GZIP_MAGIC:
        raise fields.wrong("magic", magic.hex(), _GZIP_MAGIC.hex())
    method = fields.number("CM", 1)
    if method != _DEFLATED:
        raise fields.wrong("CM", f"{method}", f"{_DEFLATED} (DEFLATE)")
    flags = fields.number("FLG", 1)
    if flags & _RESERVED:
        raise fields.wrong("FLG", f"{flags:#04x}", "bits 5 to 7 clear")
    fields.take("MTIME", 4)
    xfl = fields.number("XFL", 1)
    os = fields.number("OS", 1)
    extra = b""
    if flags & _FEXTRA:
        extra = fields.take("extra field", fields.number("XLEN", 2))
    if flags & _FNAME:
        fields.skip_text("name")
    if flags & _FCOMMENT:
        fields.skip_text("comment")
    if flags & _FHCRC:
        computed = zlib.crc32(fields.data[: fields.length]) & 0xFFFF
        stored = fields.number("header CRC", 2)
        if stored != computed:
            raise fields.wrong("header CRC", f"{stored:#06x}", f"{computed:#06x}")
    source_size, payload_size = _qz_sizes(fields, extra) if fields.container is Container.GZIP_EXT else (None, None)
    return Header(
        fields.container,
        fields.length,
        source_size=source_size,
        payload_size=payload_size,
        xfl=xfl,
        os=os,
        has_extra=bool(flags & _FEXTRA),
        has_name=bool(flags & _FNAME),
        has_comment=bool(flags & _FCOMMENT),
        has_header_crc=bool(flags & _FHCRC),
    )


def _qz_sizes(fields: _Fields, extra: bytes) -> tuple[int, int]:
    """Source and payload size from the QZ subfield, which may have neighbours."""
    subfields = _Fields(memoryview(extra), fields.container)
    while subfields.length < len(extra):
        name = subfields.take("subfield id", 2)
        content = subfields.take(f"subfield {name!r}", subfields.number("subfield length", 2))
        if name == _QZ:
            if len(content) != _QZ_SIZES.size:
                raise fields.wrong("QZ subfield", f"{len(content)} bytes", f"{_QZ_SIZES.size}")
            source_size, payload_size = _QZ_SIZES.unpack(content)
            return source_size, payload_size
    raise fields.wrong("extra field", repr(extra), "a QZ subfield")
