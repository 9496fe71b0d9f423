"""A libqatzip session (2.0.0): what goes to the device, what to software, and what is put around either.

Sources, all of ``github.com/intel/QATzip`` and checked against the 2.0.0 binary where a release changed them:
``src/qatzip.c`` (QATzip 1.3.1, ``qzCompressCrcExt``, ``qzDecompressCrcExt``, ``doCompressIn/Out``,
``doDecompressIn/Out``), ``src/qatzip_utils.c`` (QATzip 1.3.1, ``compBufferSetup``, ``decompOutCheckSum``),
``src/qatzip_gzip.c`` (QATzip 1.3.1, headers), ``src/qatzip_sw.c`` (QATzip 1.3.1, the software path, which is zlib).

**Compression.** An input below ``input_sz_thrshold`` goes to software, with or without ``sw_backup``; so does all where
no device is. Of the rest each piece of ``hw_buff_sz`` is a request. For ``gzip``, ``gzip-ext``, ``4B`` and ``zlib``
each piece is a member; ``raw`` is one stream, fully flushed between pieces. Software makes one member of the whole,
fully flushed at the same places, and its headers are zlib's::

               device                                     software
    gzip       XFL 0, OS 255                              XFL by level (1: 4, 9: 2, else 0), OS 3
    gzip-ext   XFL 0, OS 255                              XFL by level, OS 255
    zlib       789c                                       by level (1: 7801)
    4B         length of the piece's DEFLATE              length of all DEFLATE

A request that fails is compressed again in software, as a member of its own, with the ``last`` of the whole call
(``compOutSWFallback``): in a ``raw`` stream the final block then comes early, and what follows is lost to a reader of
one stream. Without ``sw_backup`` it is ``QZ_FAIL``.

**Decompression** in hardware is routed piece by piece (:mod:`.libqatzip_routing`). Data that the device refuses is
tried in software, piece by piece; a wrong checksum is not. ``zlib`` and ``raw`` are one request, so a second stream
behind the first is left unread, with success.

A session remembers: software decompression that ran out of input or room is ``QZ_OK``, and the next call continues
it; after an error software refuses everything, while the device goes on; and once a session of ``gzip-ext`` has seen a
plain gzip header it is one of ``gzip``, for compression as well (``isQATDeflateProcessable``).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal

from multifd.codec.silicon.libqatzip_routing import Piece, Rules, Software, most_deflate
from multifd.codec.silicon.qat import Engine, Result, Status
from multifd.codec.silicon.qat_member import HEADER_LENGTH, member
from multifd.framing.coder import Bytes
from multifd.framing.container import Container, four_b_header, gzip_ext_header, trailer

ReturnCode = Literal["QZ_OK", "QZ_FAIL", "QZ_BUF_ERROR", "QZ_DATA_ERROR", "QZ_NOSW_NO_HW", "QZ_NOSW_LOW_MEM"]
"""Names of ``include/qatzip.h`` (QATzip 2.0.0)."""

_WBITS: Final = {Container.GZIP: 31, Container.GZIP_EXT: 31, Container.ZLIB: 15}
_RAW: Final = -15
_MEMORY_LEVEL: Final = 9
_BEHIND: Final = bytes(8)
_XFL: Final = {1: 4, 9: 2}
"""Of zlib's gzip headers, by level; 0 for the others (``deflate.c``, zlib 1.3)."""


class Device(IntEnum):
    """What is there."""

    ABSENT = 0
    READY = 1
    STARVED = 2
    """A device, and no memory that it can reach (``usdm_drv`` not loaded, memlock limit)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Of a session; defaults of ``qatzip.h``."""

    container: Container = Container.GZIP_EXT
    level: int = 1
    buffer: int = 64 << 10
    """``hw_buff_sz``, bytes."""
    threshold: int = 1024
    """``input_sz_thrshold``, bytes."""
    backup: bool = True
    """``sw_backup``."""
    device: Device = Device.READY
    raw: bool = True
    """The device decompresses ``raw``; releases before 1.3.0 sent it to software (``qzDecompressCrcExt``)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call returns."""

    code: ReturnCode
    consumed: int = 0
    output: bytes = b""


class Session:
    """One ``QzSession_T``, set up. Not for several threads, as the original."""

    def __init__(self, parameters: Parameters, engine: Engine) -> None:
        self.engine = engine
        self.software = 0
        """Calls of the software path."""
        self.total_in = 0
        """Bytes of input of the calls that went to the device (``total_in``), also of what software did of them."""
        self.ended = False
        """The last decompression of anything saw the end of a stream (``qzGetDeflateEndOfStream``)."""
        self.unfinished = 0
        """Pieces that software was given after the device had refused them, and did not read to their end."""
        self._parameters = parameters
        self._container = parameters.container
        self._rules = Rules(buffer=parameters.buffer, threshold=parameters.threshold, raw=parameters.raw)
        self._deflate: Any = None
        self._inflate: Any = None
        self._continues = False

    def compress(self, source: Bytes, *, last: bool = True) -> Answer:
        """``qzCompress`` of a whole buffer, with enough room for the output; the stream ends with the ``last`` one."""
        parameters = self._parameters
        if parameters.device is Device.ABSENT and not parameters.backup:
            return Answer("QZ_NOSW_NO_HW")
        if parameters.device is Device.ABSENT or self._rules.compressing(len(source)):
            return Answer("QZ_OK", len(source), self._deflated(source, last=last))
        if parameters.device is Device.STARVED:
            if not parameters.backup:
                return Answer("QZ_NOSW_LOW_MEM")
            return Answer("QZ_OK", len(source), self._deflated(source, last=last))
        return self._counted(self._compress_in_hardware(source, last=last))

    def _counted(self, answer: Answer) -> Answer:
        self.total_in += answer.consumed
        return answer

    def _compress_in_hardware(self, source: Bytes, *, last: bool) -> Answer:
        parameters = self._parameters
        output = bytearray()
        for at in self._rules.pieces(len(source)):
            piece = source[at : at + parameters.buffer]
            final = last and at + len(piece) == len(source)
            room = most_deflate(len(piece)) - HEADER_LENGTH[self._container]
            result = self.engine.compress(piece, room, final=final or self._container is not Container.RAW)
            if result.status is Status.OK:
                output += member(self._container, piece, result.output)
            elif parameters.backup:
                output += self._deflated(piece, last=last)
            else:
                return Answer("QZ_FAIL", at, bytes(output))
        return Answer("QZ_OK", len(source), bytes(output))

    def decompress(self, source: bytes, room: int) -> Answer:
        """``qzDecompress`` into ``room`` bytes. ``QZ_OK`` means neither that all was read nor that it was complete."""
        parameters = self._parameters
        if not source:
            return Answer("QZ_OK")
        self.ended = False
        if parameters.device is Device.ABSENT and not parameters.backup:
            return Answer("QZ_NOSW_NO_HW")
        if parameters.device is Device.ABSENT or self._continues or not self._processable(source):
            return self._decompress_in_software(source, room) if parameters.backup else Answer("QZ_FAIL")
        if parameters.device is Device.STARVED:
            return self._decompress_in_software(source, room) if parameters.backup else Answer("QZ_NOSW_LOW_MEM")
        return self._counted(self._decompress_in_hardware(source, room))

    def _deflated(self, source: Bytes, *, last: bool) -> bytes:
        """One member of it, or what goes on with one, by software (``qzDeflateSWCompress``).

        In gzip-ext and 4B, whose headers have the length, only of whole members.
        """
        self.software += 1
        parameters, container = self._parameters, self._container
        if self._deflate is None:
            wbits = _RAW if container is Container.GZIP_EXT else _WBITS.get(container, _RAW)
            self._deflate = zlib.compressobj(parameters.level, zlib.DEFLATED, wbits, _MEMORY_LEVEL)
        stream = self._deflate
        parts = []
        for at in range(0, len(source), parameters.buffer):
            if at:
                parts.append(stream.flush(zlib.Z_FULL_FLUSH))
            parts.append(stream.compress(source[at : at + parameters.buffer]))
        parts.append(stream.flush(zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH))
        if last:
            self._deflate = None
        deflated = b"".join(parts)
        if container is Container.GZIP_EXT:
            xfl = _XFL.get(parameters.level, 0)
            header = gzip_ext_header(len(source), len(deflated), xfl=xfl)
            return header + deflated + trailer(zlib.crc32(source), len(source))
        return four_b_header(len(deflated)) + deflated if container is Container.FOUR_B else deflated

    def _decompress_in_software(self, source: bytes, room: int) -> Answer:
        """Member after member (``qzSWDecompressMultiGzip``)."""
        self.software += 1
        at, output = 0, bytearray()
        while at < len(source) and len(output) < room:
            step = self._inflate_step(source[at:], room - len(output))
            if step.code != "QZ_OK":
                return Answer(step.code, at, bytes(output))
            at += step.consumed
            output += step.output
        return Answer("QZ_OK", at, bytes(output))

    def _inflate_step(self, source: bytes, room: int) -> Answer:
        """One member, or what there is of it (``qzDeflateSWDecompress``); nobody looks at the length of a 4B header."""
        header = 0
        if self._inflate is None:
            self._inflate = zlib.decompressobj(_WBITS.get(self._container, _RAW))
            header = 4 if self._container is Container.FOUR_B else 0
        # A length below zero is a very large one to the library, which reads on behind the source: here, zeros.
        rest = source[header:] if len(source) >= header else _BEHIND
        stream = self._inflate
        self._continues = False
        if not rest or not room:
            return Answer("QZ_FAIL")
        try:
            output = stream.decompress(rest, room)
        except zlib.error:
            return Answer("QZ_DATA_ERROR")
        self.ended = stream.eof
        self._continues = not stream.eof
        left = stream.unused_data if stream.eof else stream.unconsumed_tail
        if stream.eof:
            self._inflate = None
        return Answer("QZ_OK", len(source) - len(left), output)

    def _decompress_in_hardware(self, source: bytes, room: int) -> Answer:
        at = consumed = reserved = 0
        output = bytearray()
        while at < len(source):
            piece = self._rules.piece(source[at:], self._container, len(source), room - reserved)
            if isinstance(piece, Software):
                return self._finish_in_software(source, room, consumed, output)
            if not isinstance(piece, Piece):
                return Answer(piece, consumed, bytes(output))
            start = at + piece.header
            result = self.engine.decompress(source[start : start + piece.deflate], piece.room)
            if result.status is Status.OK:
                if not self._intact(source[at : at + piece.size], piece, result):
                    return Answer("QZ_DATA_ERROR", consumed, bytes(output))
                self.ended = True
                consumed += piece.header + result.consumed + piece.trailer
                output += result.output
            else:
                again = self._repeat_in_software(source[consumed : consumed + piece.size], piece.room)
                if again.code != "QZ_OK":
                    return Answer("QZ_FAIL", consumed, bytes(output))
                consumed += again.consumed
                output += again.output
            at += piece.size
            reserved += piece.room
        return Answer("QZ_OK", consumed, bytes(output))

    def _finish_in_software(self, source: bytes, room: int, consumed: int, output: bytearray) -> Answer:
        """The rest of a call, from the first piece that the library does not give to the device."""
        if not self._parameters.backup:
            return Answer("QZ_FAIL", consumed, bytes(output))
        rest = self._decompress_in_software(source[consumed:], room - len(output))
        if rest.code != "QZ_OK":
            return Answer("QZ_FAIL", consumed, bytes(output))
        return Answer("QZ_OK", consumed + rest.consumed, bytes(output + rest.output))

    def _repeat_in_software(self, source: bytes, room: int) -> Answer:
        """A piece whose request failed (``decompOutSWFallback``)."""
        if not self._parameters.backup:
            return Answer("QZ_FAIL")
        self.software += 1
        answer = self._inflate_step(source, room)
        self.unfinished += self._continues or answer.consumed < len(source)
        return answer

    def _processable(self, source: bytes) -> bool:
        """What decides before anything is submitted; it may change what the session is one of."""
        if self._rules.decompressing(source, self._container):
            return False
        self._container = self._rules.taken_for(source, self._container)
        return True

    def _intact(self, source: bytes, piece: Piece, result: Result) -> bool:
        """Whether the trailer agrees (``decompOutCheckSum``); ``raw`` and ``4B`` have none."""
        match self._container:
            case Container.ZLIB:
                end = piece.header + result.consumed
                return zlib.adler32(result.output) == int.from_bytes(source[end : end + 4], "big")
            case Container.GZIP | Container.GZIP_EXT:
                return trailer(zlib.crc32(result.output), len(result.output)) == source[-8:]
            case _:
                return True
