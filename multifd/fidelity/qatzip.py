"""QuickAssist beside libqatzip: how its device path differs from its software path.

One call of ``qzDecompress`` on a fresh session is compared: the code that it returns and the bytes that it wrote. The
model without a device must do exactly what the library does; with one it differs as :func:`differences` says, with
the default sizes as with the smallest, which reach more of its decisions.

Citations are of ``github.com/intel/QATzip``, and were checked against the 2.0.0 binary.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Final

from multifd.codec.silicon.libqatzip import Answer, Device, Parameters, Session
from multifd.codec.silicon.qat import Engine
from multifd.codec.silicon.qat_member import HEADER_LENGTH, PLAIN_GZIP, gzip_footer, number
from multifd.fidelity.compare import Difference, Pair
from multifd.fidelity.grammar import Stream
from multifd.fidelity.library import Outcome
from multifd.framing.container import Container, trailer_length

_CODES: Final = {
    "QZ_OK": 0,
    "QZ_FAIL": -2,
    "QZ_BUF_ERROR": -3,
    "QZ_DATA_ERROR": -4,
    "QZ_NOSW_NO_HW": -101,
    "QZ_NOSW_LOW_MEM": -104,
}
"""``include/qatzip.h`` (QATzip 2.0.0)."""

ABSENT: Final = Parameters(device=Device.ABSENT)
DEFAULT: Final = Parameters()
SMALL: Final = Parameters(buffer=4 << 10, threshold=128)


def decompress(parameters: Parameters, stream: Stream) -> tuple[Answer, Session]:
    """One call on a fresh session of the stream's container, and the session after it."""
    session = Session(replace(parameters, container=stream.container), Engine(strict=False))
    return session.decompress(stream.data, stream.room), session


def outcome(parameters: Parameters, stream: Stream) -> Outcome:
    """The same as the library's own process reports it."""
    answer, _ = decompress(parameters, stream)
    return Outcome(_CODES[answer.code], answer.output if answer.code == "QZ_OK" else b"")


def _stated_deflate(data: bytes, container: Container) -> int:
    """Bytes of the first member's DEFLATE, as a device is told."""
    match container:
        case Container.GZIP_EXT:
            return number(data, 20)
        case Container.GZIP:
            return gzip_footer(data) - HEADER_LENGTH[container]
        case _:
            return number(data, 0)


def _sizes_are_true(stream: Stream) -> bool:
    """Whether the payload is nothing but whole members, as large as they or their surroundings say."""
    data, container = stream.data, stream.container
    header, footer = HEADER_LENGTH[container], trailer_length(container)
    while data:
        inflate = zlib.decompressobj(-15)
        try:
            inflate.decompress(data[header:])
        except zlib.error:
            return False
        used = len(data) - header - len(inflate.unused_data)
        if not inflate.eof or used != _stated_deflate(data, container) or len(data) < header + used + footer:
            return False
        data = data[header + used + footer :]
    return True


def _room(pair: Pair) -> bool:
    return pair.stream.container is not Container.FOUR_B and pair.ours.status == -3 and pair.theirs.accepted


def _reserved(pair: Pair) -> bool:
    return pair.stream.container is Container.FOUR_B and pair.ours.status == -3 and pair.theirs.accepted


def _one_request(pair: Pair) -> bool:
    """Our output is that of the first stream, and there is something behind it."""
    container = pair.stream.container
    if container not in (Container.RAW, Container.ZLIB) or not pair.ours.accepted:
        return False
    inflate = zlib.decompressobj(-15)
    output = inflate.decompress(pair.stream.data[HEADER_LENGTH[container] :])
    return pair.ours.output == output and len(inflate.unused_data) > trailer_length(container)


def _cut_off(pair: Pair) -> bool:
    answer, session = decompress(ABSENT, pair.stream)
    everything = answer.consumed == len(pair.stream.data)
    return pair.ours.status == -4 and pair.theirs.accepted and everything and not session.ended


def _believed(pair: Pair) -> bool:
    sized = pair.stream.container not in (Container.RAW, Container.ZLIB)
    return sized and not pair.ours.accepted and pair.theirs.accepted and not _sizes_are_true(pair.stream)


def _skipped(pair: Pair) -> bool:
    sized = pair.stream.container not in (Container.RAW, Container.ZLIB)
    return sized and pair.ours.accepted and not pair.theirs.accepted and not _sizes_are_true(pair.stream)


def _no_gzip(pair: Pair) -> bool:
    gzip = pair.stream.container is Container.GZIP
    return gzip and pair.ours.accepted and not pair.theirs.accepted and pair.stream.data[:3] != PLAIN_GZIP[:3]


def differences(parameters: Parameters) -> tuple[Difference, ...]:
    """How a device with these parameters is known to differ; the first that applies counts."""

    def unfinished(pair: Pair) -> bool:
        _, session = decompress(parameters, pair.stream)
        return session.unfinished > 0

    return (
        Difference(
            "room-is-checked-first",
            _room,
            "no room for a member, or none left while there is input: device QZ_BUF_ERROR, software QZ_OK, short",
            "checkHeader: dest_avail_len <= 0, uncompressed_sz > dest_avail_len (src/qatzip_utils.c, QATzip 1.3.1)",
        ),
        Difference(
            "4B-reserves-hw_buff_sz",
            _reserved,
            "each 4B member needs room for hw_buff_sz, or all that is left: device QZ_BUF_ERROR where members are"
            " smaller than that, software QZ_OK",
            "checkHeader, case DEFLATE_4B; doDecompressIn: dest_avail_len -= tmp_dest_avail_len"
            " (src/qatzip.c, QATzip 1.3.1)",
        ),
        Difference(
            "refused-piece-keeps-its-room",
            unfinished,
            "a piece that the device refuses (more output than hw_buff_sz, or than its header says, or gzip-ext in a"
            " session of gzip) is inflated by software: one member, into the piece's room. QZ_OK, short; the output of"
            " the next piece follows directly",
            "decompOutSWFallback: qzSWDecompress, dest_receive_sz is the request's (src/qatzip_sw.c, QATzip 1.3.1);"
            ' CPA_DC_OVERFLOW is "an error condition" of a stateless session (cpa_dc.h, qatlib 26.08)',
        ),
        Difference(
            "one-request",
            _one_request,
            "zlib and raw are one request, which ends behind the first stream: device QZ_OK and the rest unread,"
            " software goes on with the rest",
            "checkHeader, cases DEFLATE_ZLIB and DEFLATE_RAW; doDecompressIn: remaining is 0 after it",
        ),
        Difference(
            "members-are-whole",
            _cut_off,
            "input that ends inside a member: device QZ_DATA_ERROR, software QZ_OK with what there is",
            "checkHeader: compressed_sz and header and trailer > src_avail_len; decompOutCheckSum for gzip, whose"
            " trailer is taken from the end (findStdGzipFooter)",
        ),
        Difference(
            "sizes-are-believed",
            _believed,
            "sizes in headers and trailers, and where the trailer is: the device is given what they say, and refuses;"
            " software finds the end by inflating and looks at none of them",
            "checkHeader and decompBufferSetup (src/qatzip_utils.c), findStdGzipFooter"
            " (src/qatzip_gzip.c, QATzip 1.3.1)",
        ),
        Difference(
            "header-is-not-looked-at",
            _no_gzip,
            "a gzip session whose source has no gzip header: the device decodes what follows the first ten bytes,"
            " software QZ_DATA_ERROR",
            "isQATDeflateProcessable returns -1, which is not 0; checkHeader, case DEFLATE_GZIP",
        ),
        Difference(
            "rest-of-member-is-skipped",
            _skipped,
            "bytes between the final block and where the member ends by its sizes: the device skips them, software"
            " takes them for the trailer or the next member and refuses",
            "doDecompressIn: src_ptr += tmp_src_avail_len; decompOutCheckSum compares with the trailer found before",
        ),
    )
