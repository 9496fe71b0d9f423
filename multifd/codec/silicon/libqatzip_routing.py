"""What libqatzip gives to its device and what to software, request by request: one set of rules (1.3.1, as 2.0.0).

Sources, all of ``github.com/intel/QATzip``: ``src/qatzip.c`` (QATzip 1.3.1, ``qzCompressCrcExt``,
``qzDecompressCrcExt``, ``doCompressIn``, ``doDecompressIn``), ``src/qatzip_utils.c`` (QATzip 1.3.1,
``isQATProcessable``, ``checkHeader``), ``src/qatzip_gzip.c`` (QATzip 1.3.1, ``isQATDeflateProcessable``,
``findStdGzipFooter``), ``src/qatzip_internal.h`` (QATzip 1.3.1, ``DEST_SZ``). The model of a session
(:mod:`.libqatzip`) goes by these rules, and so does what is demanded of a device.

**Compression.** An input below ``input_sz_thrshold`` goes to software. The rest is cut into pieces of ``hw_buff_sz``,
each a request, whether or not the call is the last of its stream.

**Decompression** takes pieces, too, and needs their sizes beforehand::

               size of the DEFLATE          size of the output          goes to software
    gzip-ext   header                       header                      if the header's source size is below threshold
    gzip       search for the next header   trailer                     if the first member is too large
    4B         header                       hw_buff_sz, or what is left if the first member is too large
    zlib       all input                    hw_buff_sz, or what is left if the header is not one
    raw        all input                    all room                    below threshold; before 1.3.0 always

Too large is a DEFLATE above 9/8 ``hw_buff_sz`` + 1024 bytes, or output above ``hw_buff_sz``: from the first such piece
on, all goes to software. So does a ``gzip-ext`` member whose header is not the library's own.

``zlib`` and ``raw`` are one request, after which the caller calls again for what was left unread. Where the size of
the output is not known beforehand, a member that has more is given to the device all the same: the request overflows,
and software does it again.

**What the library counts.** ``total_in`` and ``total_out`` of a session grow when a call that began on the device ends,
by all that the call read and wrote: the input of a compression, headers and trailers included of a decompression, and
what software did of it as well (``decompInSWFallback``, ``decompOutSWFallback``, ``src/qatzip_sw.c``, QATzip 1.3.1).
A call that goes to software before anything is submitted adds nothing. Since 1.2.0 they are totals of the session;
before, each call began at zero (``src/qatzip.c``, QATzip 1.1.2).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Final, Literal

from multifd.codec.silicon.qat_member import HEADER_LENGTH, PLAIN_GZIP, gzip_footer, is_gzip_ext, is_zlib, number
from multifd.framing.container import Container, trailer_length

Refused = Literal["QZ_BUF_ERROR", "QZ_DATA_ERROR"]
"""Why neither the device nor software is given anything."""

ENDLESS: Final = "a stream that does not end is software's"

_NO_RAW: Final = "this release of libqatzip decompresses raw DEFLATE on no device"
_STRANGE: Final = "its header is not the library's own"
_RAW: Final = -15
_SIZED: Final = (Container.GZIP, Container.GZIP_EXT)
"""Containers whose members say how large their output is."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Of a source: what one request decompresses. Sizes in bytes."""

    header: int
    deflate: int
    trailer: int
    room: int

    @property
    def size(self) -> int:
        """With header and trailer."""
        return self.header + self.deflate + self.trailer


@dataclass(frozen=True, slots=True)
class Software:
    """Software is given the rest of a call."""

    why: str


@dataclass(frozen=True, slots=True)
class Share:
    """What the device is given of one input. ``least`` of its requests can be done, ``most`` are made.

    How many are made is None where that is the affair of how far software has come when it is asked: behind a member of
    4B that the device had no room for.
    """

    least: int = 0
    most: int | None = 0
    read: int = 0
    """Bytes that ``total_in`` grows by, at least."""
    software: str = ""
    """Why software does what the device does not; empty where the device does all."""


def most_deflate(size: int) -> int:
    """Bytes of DEFLATE that a request with ``size`` bytes of plain data has room for (``DEST_SZ``)."""
    return 9 * size // 8 + 1024


@dataclass(frozen=True, slots=True)
class _Call:
    """A share, and how far the call came: bytes read and written."""

    least: int = 0
    most: int | None = 0
    consumed: int = 0
    produced: int = 0
    software: str = ""

    def and_then(self, request: _Call) -> _Call:
        return _Call(
            self.least + request.least,
            None if self.most is None or request.most is None else self.most + request.most,
            self.consumed + request.consumed,
            self.produced + request.produced,
            self.software or request.software,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Of a session."""

    buffer: int
    """``hw_buff_sz``, bytes."""
    threshold: int
    """``input_sz_thrshold``, bytes."""
    raw: bool = True
    """The device decompresses ``raw``; releases before 1.3.0 sent it to software (``qzDecompressCrcExt``)."""

    def compressing(self, size: int) -> str:
        """Why software compresses an input of so many bytes, empty if the device does."""
        return self._below(f"{size:,} bytes are") if size < self.threshold else ""

    def pieces(self, size: int) -> range:
        """Where the pieces begin into which an input of so many bytes is cut."""
        return range(0, size, self.buffer)

    def compressed(self, size: int) -> Share:
        """What the device is given of an input of so many bytes."""
        why = self.compressing(size)
        if why:
            return Share(software=why)
        requests = len(self.pieces(size))
        return Share(requests, requests, size)

    def decompressing(self, source: bytes, container: Container) -> str:
        """Why software decompresses all of a call before anything is submitted (``isQATProcessable``), empty if not."""
        match container:
            case Container.RAW if not self.raw:
                return _NO_RAW
            case Container.RAW:
                return self._below(f"{len(source):,} bytes are") if len(source) < self.threshold else ""
            case Container.FOUR_B:
                return self._too_large(number(source, 0), 0)
            case Container.ZLIB:
                return "" if len(source) >= 2 and is_zlib(source[0], source[1]) else "it does not begin as zlib does"
            case Container.GZIP_EXT if number(source, 16) < self.threshold:
                return self._below(f"the {number(source, 16):,} bytes of a member are")
            case _:
                return self._decompressing_gzip(source)

    def _decompressing_gzip(self, source: bytes) -> str:
        if source[:4] == PLAIN_GZIP:
            first = source[: most_deflate(self.buffer)]
            footer = gzip_footer(first)
            return self._too_large(footer - HEADER_LENGTH[Container.GZIP], number(first, footer + 4))
        # What is no gzip at all is left to the header check before each request.
        return "" if source[:3] != PLAIN_GZIP[:3] or source[12:14] == b"QZ" else _STRANGE

    def taken_for(self, source: bytes, container: Container) -> Container:
        """What a session is one of from here on: a plain gzip header makes a session of gzip of either gzip."""
        return Container.GZIP if container in _SIZED and source[:4] == PLAIN_GZIP else container

    def piece(self, source: bytes, container: Container, whole: int, room: int) -> Piece | Software | Refused:
        """The next request of a call of ``whole`` bytes, or why there is none (``checkHeader``)."""
        buffer = self.buffer
        header, footer = HEADER_LENGTH[container], trailer_length(container)
        if room <= 0:
            return "QZ_BUF_ERROR"
        if len(source) < header:
            return "QZ_DATA_ERROR"
        match container:
            case Container.RAW:
                deflate, output = whole, room
            case Container.FOUR_B:
                deflate, output = number(source, 0), min(buffer, room)
            case Container.ZLIB:
                deflate, output = len(source) - header - footer, min(buffer, room)
            case Container.GZIP:
                end = gzip_footer(source)
                deflate, output = end - header, number(source, end + 4)
            case _:
                if not is_gzip_ext(source):
                    return Software(_STRANGE)
                deflate, output = number(source, 20), number(source, 16)
        if why := self._too_large(deflate, output):
            return Software(why)
        if header + deflate + footer > len(source):
            return "QZ_DATA_ERROR"
        return Piece(header, deflate, footer, output) if output <= room else "QZ_BUF_ERROR"

    def decompressed(self, source: bytes, container: Container, room: int) -> Share:
        """What the device is given of a payload that has at most ``room`` bytes, in as many calls as it takes."""
        total, at = _Call(), 0
        while at < len(source) and not total.software:
            call = self._call(source[at:], container, room - total.produced)
            total, at = total.and_then(call), at + call.consumed
            if not call.consumed:
                break
        return Share(total.least, total.most, total.consumed, total.software)

    def _call(self, source: bytes, container: Container, room: int) -> _Call:
        """One call, as far as the device has a part in it."""
        if why := self.decompressing(source, container):
            return _Call(software=why)
        container = self.taken_for(source, container)
        done, at, reserved = _Call(), 0, 0
        while at < len(source):
            piece = self.piece(source[at:], container, len(source), room - reserved)
            if isinstance(piece, Software):
                return replace(done, consumed=len(source), software=done.software or piece.why)
            if not isinstance(piece, Piece):
                break
            start = at + piece.header
            request = self._request(source[start : start + piece.deflate], piece, container)
            at += piece.size
            done = done.and_then(replace(request, most=None) if request.software and at < len(source) else request)
            reserved += piece.room
        return done

    def _request(self, deflate: bytes, piece: Piece, container: Container) -> _Call:
        """What comes of a request; decompressed only where nothing before it says how much it has."""
        if container in _SIZED:
            return _Call(1, 1, piece.size, piece.room)
        stream = zlib.decompressobj(_RAW)
        try:
            output = stream.decompress(deflate, piece.room + 1)
        except zlib.error:
            return _Call(0, 1)
        if len(output) > piece.room:
            return _Call(0, 1, software=f"a member of more than {piece.room:,} bytes is larger than hw_buff_sz")
        if not stream.eof:
            return _Call(0, 1, software=ENDLESS)
        return _Call(1, 1, piece.size - len(stream.unused_data), len(output))

    def foretold(self, container: Container, size: int) -> str:
        """Why software decompresses members of so many bytes, however they shrink; empty where that matters."""
        match container:
            case Container.RAW if not self.raw:
                return _NO_RAW
            case Container.GZIP_EXT if size < self.threshold:
                return self._below(f"the {size:,} bytes of a member are")
            case _:
                return self._too_large(0, size)

    def _too_large(self, deflate: int, output: int) -> str:
        """Why a member of so many bytes, and so many of output, is not for the device."""
        if output > self.buffer:
            return f"a member of {output:,} bytes is larger than hw_buff_sz ({self.buffer:,})"
        # The library computes in unsigned int: what is shorter than header and trailer is very large.
        if not 0 <= deflate <= most_deflate(self.buffer):
            return f"a member is larger than hw_buff_sz ({self.buffer:,}) allows"
        return ""

    def _below(self, what: str) -> str:
        return f"{what} below input_sz_thrshold ({self.threshold:,})"
